"""Videos for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path


def write_video(path: Path, frames: int, size: tuple[int, int] = (64, 48)) -> Path:
    """Writes a video whose frames get brighter.

    Args:
        path: where; the name ends with ``.mp4``
        frames: how many
        size: width and height in pixels
    """
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, size)
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 255 * number // frames, np.uint8))
    writer.release()
    return path
