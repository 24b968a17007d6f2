"""Checks tags, shapes and tracks that a client sends, and fills in what may be left out.

The result has the keys, in the order, of the answers to PUT and PATCH. Points keep the numbers
that were sent; the database holds them as doubles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import errors
from .fields import choice_problem, integer_problem, number_problem

Item = dict[str, Any]
Problems = dict[str, Any]

SHAPE_TYPES = ("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask",
               "skeleton")  # fmt: skip
SOURCES = ("auto", "semi-auto", "manual", "file", "consensus")
_LONGEST_VALUE = 4096
_NOT_A_NUMBER = "[ErrorDetail(string='Value must be a float or an integer', code='invalid')]"


@dataclass
class Annotations:
    """Tags, shapes and tracks, as dictionaries."""

    tags: list[Item] = field(default_factory=list)
    shapes: list[Item] = field(default_factory=list)
    tracks: list[Item] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.tags or self.shapes or self.tracks)

    def as_json(self) -> Item:
        """The body of an answer."""
        return {
            "version": 0,
            "tags": self.tags,
            "shapes": self.shapes,
            "tracks": self.tracks,
            "intervals": [],
        }


def read_annotations(data: Item, *, with_ids: bool) -> Annotations:
    """Checks a body.

    Args:
        data: the body
        with_ids: whether ``id`` may be there

    Raises:
        ApiError: 400, with the problems of each item
    """
    if data.get("intervals"):
        raise errors.unsupported("intervals")
    checks = {"tags": _tag, "shapes": _shape, "tracks": _track}
    clean = Annotations()
    for kind, check in checks.items():
        items = data.get(kind) or []
        if not isinstance(data.get(kind, []), list):
            text = f'Expected a list of items but got type "{type(data[kind]).__name__}".'
            raise errors.invalid({kind: {"non_field_errors": [text]}})
        problems: list[Problems] = []
        result: list[Item] = getattr(clean, kind)
        for item in items:
            found: Problems = {}
            result.append(check(item, found))
            if not with_ids and item.get("id") is not None:
                found = found or {"id": ["must be absent"]}
            problems.append(found)
        if any(problems):
            raise errors.invalid({kind: problems})
    clean.tracks = [track for track in clean.tracks if track["shapes"]]
    return clean


def check_late(annotations: Annotations) -> None:
    """What the real server notices only when it writes, after a PUT has deleted the old.

    Raises:
        ApiError: 400 for a skeleton without points, 500 for two keyframes on one frame
    """
    empty = [shape["type"] == "skeleton" and not shape["elements"] for shape in annotations.shapes]
    if any(empty):
        text = "at least one required for skeleton shape"
        problems = [{"elements": [text]} if is_empty else {} for is_empty in empty]
        raise errors.invalid({"shapes": problems})
    for track in annotations.tracks:
        for part in (track, *track["elements"]):
            frames = {shape["frame"] for shape in part["shapes"]}
            if len(frames) != len(part["shapes"]):
                raise errors.crash()


def _tag(item: Item, problems: Problems) -> Item:
    _require(item, ("label_id", "frame"), problems)
    return _labelled(item, problems) | {"attributes": _attributes(item, problems)}


def _shape(item: Item, problems: Problems) -> Item:
    """A shape, with its elements when it is a skeleton."""
    clean = _element(item, problems)
    clean["elements"] = []
    if item.get("type") == "skeleton":
        clean["elements"] = _nested(item, "elements", _element, problems)
    return clean


def _element(item: Item, problems: Problems) -> Item:
    _require(item, ("type", "label_id", "frame"), problems)
    clean = _geometry(item, problems)
    clean |= _labelled(item, problems)
    score = item.get("score")
    if score is not None:
        _note(problems, "score", number_problem(score, 0, 1))
    clean["score"] = 1 if score is None or "score" in problems else float(score)
    clean["attributes"] = _attributes(item, problems)
    return clean


def _track(item: Item, problems: Problems) -> Item:
    clean = _track_element(item, problems)
    clean["elements"] = _nested(item, "elements", _track_element, problems)
    return clean


def _track_element(item: Item, problems: Problems) -> Item:
    _require(item, ("label_id", "frame"), problems)
    clean = _labelled(item, problems)
    clean["attributes"] = _attributes(item, problems)
    shapes = _nested(item, "shapes", _tracked_shape, problems)
    clean["shapes"] = sorted(shapes, key=lambda shape: shape["frame"] or 0)
    return clean


def _tracked_shape(item: Item, problems: Problems) -> Item:
    _require(item, ("type", "frame"), problems)
    clean = _geometry(item, problems)
    clean.setdefault("points", [])
    clean["id"] = item.get("id")
    clean["frame"] = _count(item, "frame", problems)
    clean["attributes"] = _attributes(item, problems)
    return clean


def _nested(item: Item, key: str, check: Any, problems: Problems) -> list[Item]:
    results, found = [], []
    for child in item.get(key) or []:
        own: Problems = {}
        results.append(check(child, own))
        found.append(own)
    if any(found):
        problems[key] = found
    return results


def _require(item: Item, keys: tuple[str, ...], problems: Problems) -> None:
    for key in keys:
        if key not in item:
            problems[key] = ["This field is required."]


def _labelled(item: Item, problems: Problems) -> Item:
    source = item.get("source", "manual")
    if source not in SOURCES:
        words = ", ".join(f"'{word}'" for word in SOURCES)
        _note(problems, "source", f"must be one of {words}, got '{source}'")
    return {
        "id": item.get("id"),
        "label_id": _count(item, "label_id", problems),
        "group": _count(item, "group", problems),
        "source": source,
        "frame": _count(item, "frame", problems),
    }


def _geometry(item: Item, problems: Problems) -> Item:
    kind = item.get("type")
    if "type" in item:
        _note(problems, "type", choice_problem(kind, SHAPE_TYPES))
    rotation = item.get("rotation")
    if rotation is not None:
        _note(problems, "rotation", number_problem(rotation, 0, 360))
    clean = {
        "type": kind,
        "occluded": bool(item.get("occluded", False)),
        "outside": bool(item.get("outside", False)),
        "z_order": item.get("z_order", 0),
        "rotation": 0 if rotation is None or "rotation" in problems else float(rotation),
    }
    if kind != "skeleton" or "points" in item:
        clean["points"] = _points(item, kind, problems)
    return clean


def _points(item: Item, kind: Any, problems: Problems) -> list[float]:
    points = item.get("points", [])
    if not isinstance(points, list):
        text = f'Expected a list of items but got type "{type(points).__name__}".'
        _note(problems, "points", text)
        return []
    wrong = {
        str(index): _NOT_A_NUMBER
        for index, value in enumerate(points)
        if value.__class__ is not float and value.__class__ is not int
    }
    if wrong:
        problems.setdefault("points", wrong)
    elif kind in SHAPE_TYPES and not _has_good_length(kind, len(points)):
        _note(problems, "points", f"invalid length for shape type '{kind}'")
    return points


def _has_good_length(kind: str, length: int) -> bool:
    if kind in {"rectangle", "ellipse"}:
        return length == 4
    if kind == "cuboid":
        return length == 16
    if kind == "mask":
        return length > 4
    if kind == "skeleton":
        return True
    fewest = {"polygon": 6, "polyline": 4, "points": 2}[kind]
    return length >= fewest and length % 2 == 0


def _attributes(item: Item, problems: Problems) -> list[Item]:
    clean, found = [], []
    for attribute in item.get("attributes") or []:
        own: Problems = {}
        _require(attribute, ("spec_id", "value"), own)
        value = str(attribute.get("value"))
        if len(value) > _LONGEST_VALUE:
            text = f"Ensure this field has no more than {_LONGEST_VALUE} characters."
            own["value"] = [text]
        clean.append({"spec_id": attribute.get("spec_id"), "value": value})
        found.append(own)
    if any(found):
        problems.setdefault("attributes", found)
    return clean


def _count(item: Item, key: str, problems: Problems) -> int:
    """A whole number from 0; null counts as 0."""
    value = item.get(key)
    if value is None:
        return 0
    if value.__class__ is int and value >= 0:
        return int(value)
    problem = integer_problem(value, 0)
    _note(problems, key, problem)
    return 0 if problem else int(value)


def _note(problems: Problems, key: str, problem: str | None) -> None:
    if problem:
        problems.setdefault(key, [problem])
