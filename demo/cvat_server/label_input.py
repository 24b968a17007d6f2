"""Checks of labels and attributes that a client sends."""

from __future__ import annotations

from typing import Any

from . import errors
from .fields import choice_problem, text_problem

LABEL_TYPES = (
    "any", "cuboid", "ellipse", "mask", "points", "polygon", "polyline", "rectangle",
    "skeleton", "tag", "interval",
)  # fmt: skip
_LONGEST_CHOICE = 200
INPUT_TYPES = ("checkbox", "radio", "number", "text", "select")


def check_labels(labels: Any) -> list[dict[str, Any]]:
    """The labels of a POST or PATCH.

    Raises:
        ApiError: 400 with the problems of each label
    """
    if not isinstance(labels, list):
        text = f'Expected a list of items but got type "{type(labels).__name__}".'
        raise errors.invalid({"labels": {"non_field_errors": [text]}})
    problems = [_label_problems(label) for label in labels]
    if any(problems):
        raise errors.invalid({"labels": problems})
    for label in labels:
        _check_unique(label)
    return labels


def _label_problems(label: Any) -> dict[str, Any]:
    if not isinstance(label, dict):
        text = f"Invalid data. Expected a dictionary, but got {type(label).__name__}."
        return {"non_field_errors": [text]}
    problems: dict[str, Any] = {}
    if "name" in label or "id" not in label:
        problem = text_problem(label, "name", 64)
        if problem:
            problems["name"] = [problem]
    if "type" in label:
        problem = choice_problem(label["type"], LABEL_TYPES)
        if problem:
            problems["type"] = [problem]
    for key, check in (("attributes", _attribute_problems), ("sublabels", _label_problems)):
        nested = [check(item) for item in label.get(key) or []]
        if any(nested):
            problems[key] = nested
    return problems


def _attribute_problems(attribute: dict[str, Any]) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    problem = text_problem(attribute, "name", 64)
    if problem:
        problems["name"] = [problem]
    for key in ("mutable", "input_type"):
        if key not in attribute:
            problems[key] = ["This field is required."]
    if "input_type" in attribute:
        problem = choice_problem(attribute["input_type"], INPUT_TYPES)
        if problem:
            problems["input_type"] = [problem]
    values = attribute.get("values", [])
    if not isinstance(values, list):
        text = f'Expected a list of items but got type "{type(values).__name__}".'
        problems["values"] = [text]
    elif any(len(str(value)) > _LONGEST_CHOICE for value in values):
        problems["values"] = [f"Ensure this field has no more than {_LONGEST_CHOICE} characters."]
    return problems


def _check_unique(label: dict[str, Any]) -> None:
    seen = set()
    for attribute in label.get("attributes") or []:
        name = str(attribute["name"]).strip()
        if name in seen:
            raise errors.rejected(f"Duplicate attribute with name '{name}' exists")
        seen.add(name)
