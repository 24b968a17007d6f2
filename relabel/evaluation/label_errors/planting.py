"""Errors that are planted on purpose, to see how a model reacts to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..matching.matching import box_iou

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TRIES = 30
_FURTHEST = 0.45

Value = TypeVar("Value", bound=np.generic)


def others_drawn(own: NDArray[Value], generator: np.random.Generator) -> NDArray[Value]:
    """For each value another one, drawn as often as the values are there.

    Args:
        own: the values; if all are the same, none can be drawn and they stay
        generator: decides
    """
    others = own.copy()
    for _ in range(_TRIES):
        same = np.flatnonzero(others == own)
        others[same] = generator.choice(own, same.size) if same.size else own[same]
    return others


def moved_boxes(box: Floats, iou: tuple[float, float], generator: np.random.Generator) -> Floats:
    """Boxes with edges moved by up to .45 of their sides, until they overlap as asked.

    Args:
        box: left, top, width, height, of shape ``(n, 4)``
        iou: the least and the largest IoU with the former box
        generator: decides
    """
    moved = box.copy()
    todo = np.arange(len(box))
    for _ in range(_TRIES):
        shift = generator.uniform(-_FURTHEST, _FURTHEST, (todo.size, 4))
        size = box[todo, 2:]
        moved[todo, :2] = box[todo, :2] + shift[:, :2] * size
        moved[todo, 2:] = size * (1 - shift[:, :2] + shift[:, 2:])
        overlap = box_iou(moved[todo], box[todo], np.zeros(todo.size, dtype=bool))
        todo = todo[(overlap < iou[0]) | (overlap > iou[1])]
    return moved
