"""The truth of the demo's images: what is really there, and how it is kept on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CLASSES = tuple(str(digit) for digit in range(10))

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Label:
    """One labelled object of one image.

    Attributes:
        id: 24 hexadecimal digits, stable from run to run: the id of the FiftyOne label.
        label: the class, "0" to "9".
        bounding_box: left, top, width, height, relative to the image, in [0, 1].
        iscrowd: whether the box holds a heap of objects, as in COCO.
    """

    id: str
    label: str
    bounding_box: Box
    iscrowd: bool = False


@dataclass(frozen=True)
class ImageTruth:
    """What is really to be seen in one image."""

    file_name: str
    split: str
    width: int
    height: int
    objects: tuple[Label, ...]


@dataclass(frozen=True)
class Truth:
    """The truth of a whole set of images, and the recipe it was made from."""

    recipe: dict[str, int]
    images: tuple[ImageTruth, ...]


def label_id(file_name: str, name: object) -> str:
    """A stable label id: 24 hexadecimal digits made from the image and a name within it."""
    return hashlib.sha256(f"{file_name}/{name}".encode()).hexdigest()[:24]


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes given as left, top, width, height."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def label_from_json(data: dict) -> Label:
    """Reads one label back from its JSON form."""
    return Label(
        id=data["id"],
        label=data["label"],
        bounding_box=tuple(data["bounding_box"]),
        iscrowd=data["iscrowd"],
    )


def write_truth(path: Path, truth: Truth) -> None:
    """Writes the truth as JSON; floats come back exactly."""
    path.write_text(json.dumps(asdict(truth), indent=1), encoding="utf-8")


def read_truth(path: Path) -> Truth:
    """Reads what `write_truth` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    images = (
        ImageTruth(**{**image, "objects": tuple(map(label_from_json, image["objects"]))})
        for image in data["images"]
    )
    return Truth(recipe=data["recipe"], images=tuple(images))


def labels_by_image(images: Iterable[ImageTruth]) -> dict[str, tuple[Label, ...]]:
    """The true labels of every image, by file name."""
    return {image.file_name: image.objects for image in images}
