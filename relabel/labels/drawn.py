"""What of a label an annotator can see and change."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

_NEAR = 1e-9


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


@dataclass(frozen=True)
class Drawn:
    """A label as it stands in CVAT, with names in place of the server's ids.

    Two of them are equal if and only if an annotator would see no difference, to the last bit.

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
        return (self.type, self.parts, self.rotation) == (other.type, other.parts, other.rotation)

    def is_nearly(self, other: Drawn) -> bool:
        """Whether both are the same but for the rounding errors of converting coordinates."""
        if self == other:
            return True
        alike = (self.label, self.type, self.rotation, self.attributes, self.index) == (
            other.label,
            other.type,
            other.rotation,
            other.attributes,
            other.index,
        )
        return (
            alike
            and list(map(len, self.parts)) == list(map(len, other.parts))
            and all(
                math.isclose(a, b, rel_tol=_NEAR, abs_tol=_NEAR)
                for mine, theirs in zip(self.parts, other.parts, strict=True)
                for a, b in zip(mine, theirs, strict=True)
            )
        )


UNKNOWN = Drawn("", ())
"""In place of a label of which nobody knows how it was drawn."""
