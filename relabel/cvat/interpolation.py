"""Shapes between two keyframes of a track.

- boxes, ellipses, cuboids and single points move in a straight line from keyframe to keyframe, and
  turn the shorter way round, as CVAT computes it
- several points stay where the last keyframe has them, as in CVAT
- the points of polygons and polylines move in straight lines, each on its own. CVAT pairs points
  by their distance along the outline, so its editor may draw such a frame slightly otherwise;
  where two keyframes differ in their number of points, the earlier one counts until the later
- attributes are those of the last keyframe
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Shape

RIGID = frozenset(("rectangle", "ellipse", "cuboid"))
"""The types that move in a straight line as a whole."""

_OUTLINES = frozenset(("polygon", "polyline"))
_POINT = 2


def interpolate(left: Shape, right: Shape | None, frame: int) -> Shape:
    """A shape on a frame between two keyframes, as CVAT computes it.

    Args:
        left: the keyframe before it, or on it
        right: the keyframe after it, or None if there is none
        frame: the frame
    """
    here = replace(left, frame=frame, keyframe=frame == left.frame)
    if right is None or here.keyframe or left.outside or left.type != right.type:
        return here
    if left.type in _OUTLINES:
        here = replace(here, approximate=left.points != right.points)
    moving = left.type in RIGID or left.type in _OUTLINES or len(left.points) == _POINT
    if not moving or len(left.points) != len(right.points):
        return here
    share = (frame - left.frame) / (right.frame - left.frame)
    points = tuple(a + (b - a) * share for a, b in zip(left.points, right.points, strict=True))
    turn = (right.rotation - left.rotation + 180) % 360 - 180
    return replace(here, points=points, rotation=(left.rotation + turn * share + 360) % 360)
