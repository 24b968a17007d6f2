"""The datasets that are sent: images that PNG cannot make small, with boxes on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

FIELD = "ground_truth"


def make_dataset(
    directory: Path, name: str, images: int, size: tuple[int, int], boxes: int
) -> str:
    """Writes images and makes a dataset of them.

    Args:
        directory: where the images will be
        name: the dataset's name
        images: how many
        size: their width and height in pixels
        boxes: how many there are on each

    Returns:
        the dataset's name
    """
    import fiftyone as fo

    rng = np.random.default_rng(0)
    directory.mkdir(parents=True)
    width, height = size
    samples = []
    for index in range(images):
        path = directory / f"{index:05d}.png"
        pixels = rng.integers(0, 5, (height, width, 3), dtype=np.uint8) + index % 200
        Image.fromarray(pixels.astype(np.uint8)).save(path, compress_level=1)
        corners = rng.uniform(0, 0.6, (boxes, 2))
        sizes = rng.uniform(0.05, 0.4, (boxes, 2))
        detections = [
            fo.Detection(label=str(number % 10), bounding_box=[*corner, *box])
            for number, (corner, box) in enumerate(zip(corners, sizes, strict=True))
        ]
        samples.append(
            fo.Sample(filepath=str(path), **{FIELD: fo.Detections(detections=detections)})
        )
    dataset = fo.Dataset(name, persistent=True, overwrite=True)
    dataset.add_samples(samples)
    dataset.compute_metadata()
    return dataset.name


def copy_dataset(name: str, side: str) -> str:
    """A copy of a dataset for one side, so that the other's edits are not in it."""
    import fiftyone as fo

    copy = f"{name}_{side}"
    if fo.dataset_exists(copy):
        fo.delete_dataset(copy)
    fo.load_dataset(name).clone(copy, persistent=True)
    return copy
