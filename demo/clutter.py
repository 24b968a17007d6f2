"""What stands in a detector's way: strokes and shapes that are no digits."""

from __future__ import annotations

import cv2
import numpy as np


def ink_colour(rng: np.random.Generator) -> np.ndarray:
    """A light colour, from a dim grey to a bright tint: float32 RGB in [0, 1]."""
    return (rng.uniform(0.55, 1.0) * rng.uniform(0.72, 1.0, 3)).astype(np.float32)


def add_clutter(rng: np.random.Generator, canvas: np.ndarray, count: int) -> None:
    """Paints shapes onto a canvas, float32 RGB in [0, 1], in place."""
    for _ in range(count):
        shape = _SHAPES[rng.integers(len(_SHAPES))]
        mask = np.zeros(canvas.shape[:2], np.uint8)
        shape(rng, mask)
        left, top, width, height = cv2.boundingRect(mask)
        opacity = mask[top : top + height, left : left + width, None].astype(np.float32) / 255
        region = canvas[top : top + height, left : left + width]
        region += opacity * rng.uniform(0.4, 0.9) * (ink_colour(rng) - region)


def _point(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    return rng.uniform(0, 1, 2) * mask.shape[::-1]


def _long_line(rng: np.random.Generator, mask: np.ndarray) -> None:
    """A line too long to be a one."""
    start = _point(rng, mask)
    angle = rng.uniform(0, 2 * np.pi)
    stop = start + rng.uniform(150, 420) * np.array([np.cos(angle), np.sin(angle)])
    _draw(mask, [start, stop], thickness=int(rng.integers(1, 5)))


def _zigzag(rng: np.random.Generator, mask: np.ndarray) -> None:
    steps = rng.uniform(-45, 45, (int(rng.integers(4, 8)), 2)).cumsum(axis=0)
    _draw(mask, _point(rng, mask) + steps, thickness=int(rng.integers(2, 7)))


def _polygon(rng: np.random.Generator, mask: np.ndarray) -> None:
    corners = int(rng.integers(3, 6))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(15, 45)
    points = _point(rng, mask) + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    _draw(mask, [*points, points[0]], thickness=int(rng.integers(2, 6)))


def _arc(rng: np.random.Generator, mask: np.ndarray) -> None:
    centre = tuple(int(value) for value in _point(rng, mask))
    axes = tuple(int(value) for value in rng.integers(10, 50, 2))
    start = rng.uniform(0, 360)
    stop = start + rng.uniform(60, 200)
    thickness = int(rng.integers(2, 8))
    cv2.ellipse(mask, centre, axes, 0, start, stop, 255, thickness, cv2.LINE_AA)


def _blob(rng: np.random.Generator, mask: np.ndarray) -> None:
    centre = tuple(int(value) for value in _point(rng, mask))
    axes = tuple(int(value) for value in rng.integers(4, 22, 2))
    cv2.ellipse(mask, centre, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)


def _draw(mask: np.ndarray, points: object, thickness: int) -> None:
    path = np.asarray(points).round().astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(
        mask, [path], isClosed=False, color=255, thickness=thickness, lineType=cv2.LINE_AA
    )


_SHAPES = (_long_line, _zigzag, _polygon, _arc, _blob)
