"""What of a label an annotator can see and change."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

MOST_PIXELS = 2**28
"""The largest box of a mask, in pixels; no image has more."""
_is_close = partial(math.isclose, rel_tol=1e-9, abs_tol=1e-9)


class ShapeType(StrEnum):
    """How CVAT draws a label."""

    RECTANGLE = "rectangle"
    MASK = "mask"
    POLYGON = "polygon"
    POLYLINE = "polyline"
    POINTS = "points"
    SKELETON = "skeleton"
    ELLIPSE = "ellipse"
    CUBOID = "cuboid"
    TAG = "tag"


@dataclass(slots=True)
class Drawn:
    """A label as it stands in CVAT, with names in place of the server's ids.

    Two of them are equal if and only if an annotator would see no difference, to the last bit.
    Nobody changes one. It is not frozen because making it would take four times as long, and a
    pull makes several for each label.

    Args:
        label: its class
        points: its coordinates in pixels; of a box left, top, right, bottom; of a mask CVAT's run
            lengths and box (see :mod:`.masks`)
        rotation: degrees, clockwise about its centre
        attributes: name -> value, as the text that travels
        type: how CVAT draws it
        more: the coordinates of its other parts, if it is drawn as several shapes
        index: which of the objects of a video it is, if it is drawn as part of a track
        keyframe: whether it is a keyframe, if that is known; annotators see no difference
    """

    label: str
    points: tuple[float, ...]
    rotation: float = 0.0
    attributes: dict[str, str] = field(default_factory=dict)
    type: str = ShapeType.RECTANGLE.value
    more: tuple[tuple[float, ...], ...] = ()
    index: int | None = None
    keyframe: bool | None = field(default=None, compare=False)

    @property
    def parts(self) -> tuple[tuple[float, ...], ...]:
        """The coordinates of all its parts; a label is mostly drawn as one."""
        return (self.points, *self.more)

    def same_place(self, other: Drawn) -> bool:
        """Whether both are drawn at exactly the same place."""
        return (
            self.points == other.points
            and self.more == other.more
            and (self.type, self.rotation) == (other.type, other.rotation)
        )

    def is_nearly(self, other: Drawn) -> bool:
        """Whether both are the same but for the rounding errors of converting coordinates."""
        return (
            _are_close(self.points, other.points)  # first: it is what mostly differs
            and self.label == other.label
            and self.rotation == other.rotation
            and self.attributes == other.attributes
            and self.type == other.type
            and self.index == other.index
            and len(self.more) == len(other.more)
            and all(map(_are_close, self.more, other.more))
        )


def _are_close(mine: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    return mine == theirs or (len(mine) == len(theirs) and all(map(_is_close, mine, theirs)))


_LEAST_NUMBERS: dict[str, int] = {
    ShapeType.RECTANGLE: 4,
    ShapeType.ELLIPSE: 4,
    ShapeType.CUBOID: 16,
    ShapeType.POLYGON: 6,
    ShapeType.POLYLINE: 4,
    ShapeType.POINTS: 2,
    ShapeType.MASK: 5,
}
_MASK = ShapeType.MASK.value
_FIXED = frozenset({ShapeType.RECTANGLE, ShapeType.ELLIPSE, ShapeType.CUBOID})


def problem_of(drawn: Drawn) -> str:
    """Why coordinates that were read from CVAT are none of their type; empty if they are."""
    points, count = drawn.points, len(drawn.points)
    least, is_mask = _LEAST_NUMBERS.get(drawn.type, 0), drawn.type == _MASK
    if drawn.type in _FIXED:
        fits = count == least
    else:
        fits = count >= least and (is_mask or count % 2 == 0)
    if not fits or not math.isfinite(sum(points)):
        return f"A {drawn.type} of the class {drawn.label!r} has {count} numbers that make none."
    if is_mask:
        left, top, right, bottom = points[-4:]
        if right < left or bottom < top or (right - left + 1) * (bottom - top + 1) > MOST_PIXELS:
            return (
                f"A {drawn.type} of the class {drawn.label!r} goes from {left:g}, {top:g} to "
                f"{right:g}, {bottom:g}."
            )
    return ""


UNKNOWN = Drawn("", ())
"""In place of a label of which nobody knows how it was drawn."""
