"""Real handwritten digits and photographs, as they come with scikit-learn."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

SPLITS = ("train", "test")
TRAIN_SHARE = 0.6
# The sides never change with the seed of a dataset: a detector trained once on the train side
# has seen no scan of any dataset's test side.
SPLIT_SEED = 1797


@cache
def load_scans() -> tuple[np.ndarray, np.ndarray]:
    """All scans, float32 [1797, 8, 8] in [0, 1], and their digits, int64 [1797]."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target


@cache
def scan_indices(split: str) -> np.ndarray:
    """The scans of one side, sorted; every class is split in the same proportion.

    Raises:
        ValueError: if `split` is not "train" or "test".
    """
    if split not in SPLITS:
        raise ValueError(f"No split '{split}': choose one of {', '.join(SPLITS)}")
    _, digits = load_scans()
    rng = np.random.default_rng(SPLIT_SEED)
    chosen = []
    for digit in range(10):
        indices = rng.permutation(np.flatnonzero(digits == digit))
        border = round(TRAIN_SHARE * len(indices))
        chosen.append(indices[:border] if split == "train" else indices[border:])
    return np.sort(np.concatenate(chosen))


@cache
def load_photographs() -> tuple[np.ndarray, ...]:
    """The photographs, uint8 RGB."""
    from sklearn.datasets import load_sample_images

    return tuple(load_sample_images().images)


def enlarge(scan: np.ndarray, height: float, angle: float, shear: float) -> np.ndarray:
    """Enlarges a scan to a smooth mask, turned and slanted.

    Args:
        scan: float [8, 8] in [0, 1].
        height: height of the ink in pixels before turning.
        angle: counter-clockwise, in degrees.
        shear: horizontal shift per unit of height.

    Returns:
        The opacity of the ink, float32 in [0, 1], cropped to what is visible.
    """
    rows = np.flatnonzero(scan.max(axis=1) > 0.25)
    factor = height / (rows[-1] - rows[0] + 1)
    side = int(np.ceil(factor * 15))
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    linear = factor * np.array([[cosine, sine], [-sine, cosine]]) @ np.array([[1, shear], [0, 1]])
    centre = np.array([side / 2, side / 2]) - linear @ np.array([3.5, 3.5])
    grey = cv2.warpAffine(
        scan, np.column_stack([linear, centre]), (side, side), flags=cv2.INTER_CUBIC
    )
    ramp = np.clip((grey - 0.36) / 0.28, 0, 1)
    opacity = ramp * ramp * (3 - 2 * ramp)
    left, top, width, height = visible_box(opacity)
    return opacity[top : top + height, left : left + width]


def visible_box(opacity: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, width, height in pixels of what can be seen of a mask."""
    return cv2.boundingRect((opacity > 0.2).astype(np.uint8))
