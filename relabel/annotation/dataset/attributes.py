"""Which attributes the labels of a field have: from their values, or from the dataset's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...labels import Attribute, AttributeKind
from .groups import every_sample
from .videos import FRAMES, is_video

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import fiftyone as fo

PROVENANCE = ("cvat_job", "cvat_assignee", "cvat_round", "cvat_at")
"""The attributes of a label that CVAT changed: the job's id, the name of the person who has the
job, the round's name, and when something in the job was last changed."""

MOST_CHOICES = 20
"""From more values than that, nobody would choose in a list."""
_LONGEST_CHOICE = 200  # CVAT refuses longer ones

_KINDS = {
    "bool": AttributeKind.BOOL,
    "int": AttributeKind.INT,
    "long": AttributeKind.INT,
    "double": AttributeKind.FLOAT,
    "string": AttributeKind.TEXT,
    "array": AttributeKind.LIST,
}

_DECLARED = {
    "bool": AttributeKind.BOOL,
    "int": AttributeKind.INT,
    "float": AttributeKind.FLOAT,
    "str": AttributeKind.TEXT,
    "list<int>": AttributeKind.LIST,
    "list<float>": AttributeKind.LIST,
    "list<str>": AttributeKind.LIST,
}


def infer_attribute(
    dataset: fo.Dataset, path: str, types: Mapping[str, Mapping[str, Any]]
) -> Attribute | None:
    """What an attribute is, judged by its values.

    Args:
        dataset: the dataset
        path: where its values are
        types: MongoDB's name of each type of its values -> how many there are, the smallest and
            the largest

    Returns:
        the attribute, or None if its values have no single simple type
    """
    name = path.rpartition(".")[2]
    kinds = {_KINDS.get(kind) for kind in types if kind != "null"}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is AttributeKind.LIST:
        return Attribute(name, kind) if _is_simple(dataset, path) else None
    if kind is AttributeKind.INT and _is_binary(types):
        kind = AttributeKind.BINARY
    if kind is AttributeKind.TEXT:
        known = dataset.get_field(path) is not None
        choices = every_sample(dataset).distinct(path) if known else []
        if 0 < len(choices) <= MOST_CHOICES and can_be_chosen(choices):
            return Attribute(name, AttributeKind.CHOICE, tuple(choices))
    return Attribute(name, kind) if kind else None


def declared_attribute(item: Mapping[str, Any]) -> Attribute | None:
    """An attribute as the annotation schema of a dataset declares it.

    Args:
        item: with ``name``, ``type``, ``component`` and, if annotators choose, ``values``

    Returns:
        the attribute, or None for a type that cannot travel
    """
    kind = _DECLARED.get(item["type"])
    values = [str(value) for value in item.get("values") or ()]
    if kind is AttributeKind.TEXT and values and can_be_chosen(values):
        radio = item.get("component") == "radio"
        kind = AttributeKind.RADIO if radio else AttributeKind.CHOICE
        return Attribute(item["name"], kind, tuple(values))
    return Attribute(item["name"], kind) if kind else None


def can_be_chosen(choices: Collection[str]) -> bool:
    """Whether CVAT, which keeps the choices one in a line, keeps each as it is."""
    return all(
        choice == choice.strip() and "\n" not in choice and len(choice) <= _LONGEST_CHOICE
        for choice in choices
    )


def _is_binary(types: Mapping[str, Mapping[str, Any]]) -> bool:
    groups = [group for kind, group in types.items() if kind != "null"]
    return all(group["smallest"] >= 0 and group["largest"] <= 1 for group in groups)


def _is_simple(dataset: fo.Dataset, path: str) -> bool:
    """Whether lists hold nothing but texts, numbers and booleans."""
    field, _, _ = path.rpartition(".")
    found = every_sample(dataset)._aggregate(  # noqa: SLF001 - no public aggregation sees undeclared attributes
        frames_only=is_video(dataset),
        pipeline=[
            {"$project": {"label": f"${field.removeprefix(FRAMES)}"}},
            {"$unwind": "$label"},
            {"$unwind": f"$label.{path.rpartition('.')[2]}"},
            {"$group": {"_id": {"$type": f"$label.{path.rpartition('.')[2]}"}}},
        ],
    )
    return {group["_id"] for group in found} <= {"bool", "int", "long", "double", "string"}
