"""Keypoints <-> points, or a skeleton where the dataset has one; missing points kept.

FiftyOne marks a missing point by NaN, which CVAT refuses. In a skeleton it is a node that is
``outside``. Points have no such thing: those that are there are drawn, and the attribute
``missing_points`` says which are not, counted from 0 and separated by commas.

Which points are hidden behind something is in the list ``visible``, where FiftyOne keeps what COCO
says of each: 0 for a missing point, 1 for one that is there and hidden, 2 for one that is seen. A
hidden node of a skeleton is ``occluded``. CVAT's points have no such thing one by one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from .attributes import Attribute, AttributeKind, UnreadableValue
from .common import changed_texts, class_of, texts_of, to_pixels
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .schema import LabelSchema

MISSING = Attribute("missing_points", AttributeKind.TEXT)
"""The attribute that says which points are missing."""

VISIBLE = "visible"
"""The list that says of each point whether it is missing, hidden or seen."""

_HIDDEN = "hidden_points"
_IS_MISSING, _IS_HIDDEN, _IS_SEEN = 0, 1, 2  # as COCO has it


def to_drawn(
    document: Mapping[str, Any], size: tuple[int, int], schema: LabelSchema
) -> Drawn | None:
    """Draws a keypoint.

    Args:
        document: a ``Keypoint`` as MongoDB holds it
        size: width and height of its image in pixels
        schema: the attributes that travel, and the nodes of the skeleton

    Returns:
        the label as CVAT shows it, or None if no point of it is there

    Raises:
        MalformedLabel: if it has no class, or a point is too far away to have a pixel
    """
    points: list[float] = []
    missing = []
    stored = document.get("points") or ()
    for index, (x, y) in enumerate(stored):
        if _is_there(x) and _is_there(y):
            points += to_pixels((x, y), size, document)
        else:
            missing.append(str(index))
    if not points:
        return None
    fits = bool(schema.nodes) and len(stored) == len(schema.nodes)
    texts = {**texts_of(document, schema), MISSING.name: ",".join(missing)}
    if fits:
        texts |= _hidden_text(
            str(index) not in missing and one == _IS_HIDDEN
            for index, one in enumerate(_visibility(document))
        )
    return Drawn(
        label=class_of(document),
        points=tuple(points),
        attributes=texts,
        type=ShapeType.SKELETON if fits else ShapeType.POINTS,
    )


def _is_there(number: Any) -> bool:
    return isinstance(number, int | float) and math.isfinite(number)


def _visibility(document: Mapping[str, Any]) -> list[int]:
    """What is said of each point; nothing if it is not said as COCO does."""
    said = document.get(VISIBLE)
    if not isinstance(said, list) or len(said) != len(document["points"]):
        return []
    return said if all(isinstance(one, int) and not isinstance(one, bool) for one in said) else []


def _hidden_text(hidden: Iterable[bool]) -> dict[str, str]:
    """The text that says which points are hidden, if there are any."""
    numbers = ",".join(str(index) for index, is_hidden in enumerate(hidden) if is_hidden)
    return {_HIDDEN: numbers} if numbers else {}


def changed_fields(
    drawn: Drawn, before: Drawn | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Any]:
    """The fields of a ``Keypoint`` that an edit in CVAT changes; see :mod:`.boxes`."""
    fields = changed_texts(drawn, before, schema)
    if before is None or _place(drawn) != _place(before):
        width, height = size
        points = zip(drawn.points[0::2], drawn.points[1::2], strict=True)
        fields["points"] = [[x / width, y / height] for x, y in points]
        for index in missing_of(drawn):
            fields["points"].insert(index, [math.nan, math.nan])
    if hidden_of(drawn) != (hidden_of(before) if before else set()):
        fields[VISIBLE] = _to_visibility(drawn)
    return fields


def _to_visibility(drawn: Drawn) -> list[int]:
    missing, hidden = set(missing_of(drawn)), hidden_of(drawn)
    return [
        _IS_MISSING if index in missing else _IS_HIDDEN if index in hidden else _IS_SEEN
        for index in range(len(drawn.points) // 2 + len(missing))
    ]


def hidden_of(drawn: Drawn) -> set[int]:
    """Which points are there, but hidden."""
    return {int(number) for number in drawn.attributes.get(_HIDDEN, "").split(",") if number}


def _place(drawn: Drawn) -> tuple[tuple[float, ...], str]:
    return drawn.points, drawn.attributes.get(MISSING.name, "")


def missing_of(drawn: Drawn) -> list[int]:
    """Which points are missing, in ascending order.

    Raises:
        UnreadableValue: if an annotator wrote something else there
    """
    text = drawn.attributes.get(MISSING.name, "")
    numbers = [number.strip() for number in text.split(",") if number.strip()]
    if not all(number.isdecimal() for number in numbers):
        raise UnreadableValue(
            f"{text!r} does not say which points are missing.",
            "Write their numbers, counted from 0 and separated by commas, and pull again.",
        )
    return sorted({int(number) for number in numbers})


class Node(NamedTuple):
    """A node of a skeleton: where it is drawn, whether it is outside, and whether it is hidden."""

    point: tuple[float, ...]
    outside: bool = False
    occluded: bool = False


def to_nodes(drawn: Drawn, count: int) -> list[Node]:
    """How each node of a skeleton is drawn.

    A missing node is put where the first one that is there is: CVAT wants a place for it.
    """
    there = iter(zip(drawn.points[0::2], drawn.points[1::2], strict=True))
    missing, hidden = set(missing_of(drawn)), hidden_of(drawn)
    somewhere = (drawn.points[0], drawn.points[1])
    return [
        Node(somewhere, outside=True)
        if index in missing
        else Node(next(there, somewhere), occluded=index in hidden)
        for index in range(count)
    ]


def from_nodes(nodes: Sequence[Node]) -> tuple[tuple[float, ...], dict[str, str]]:
    """The points of the nodes that are there, and the texts that say what is not to be seen."""
    points = tuple(number for node in nodes if not node.outside for number in node.point[:2])
    missing = ",".join(str(index) for index, node in enumerate(nodes) if node.outside)
    hidden = _hidden_text(node.occluded and not node.outside for node in nodes)
    return points, {MISSING.name: missing, **hidden}


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of keypoints makes of a shape, or None if it cannot hold it."""
    known = drawn.type in {ShapeType.POINTS, ShapeType.SKELETON}
    return drawn if known and drawn.points else None
