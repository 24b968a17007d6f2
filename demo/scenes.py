"""Scenes of handwritten digits on photographs, each object's class and box known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from demo.clutter import add_clutter, ink_colour
from demo.scans import SPLITS, enlarge, load_photographs, load_scans, scan_indices
from demo.truth import ImageTruth, Label, label_id

if TYPE_CHECKING:
    from pathlib import Path

PixelBox = tuple[int, int, int, int]

MIN_CONTRAST = 0.18


@dataclass(frozen=True)
class SceneStyle:
    """How a scene looks; sizes in pixels."""

    width: int = 640
    height: int = 480
    digits: tuple[int, int] = (4, 11)
    digit_heights: tuple[int, int] = (26, 104)
    heap_share: float = 0.1


@dataclass(frozen=True)
class PlacedObject:
    """One object of a scene.

    Attributes:
        digit: 0 to 9.
        box: left, top, width, height in pixels.
        scans: indices of the scans it is made of; a heap has many.
        iscrowd: whether it is a heap of digits under one box.
    """

    digit: int
    box: PixelBox
    scans: tuple[int, ...]
    iscrowd: bool = False


@dataclass(frozen=True)
class Scene:
    """An image, uint8 RGB [height, width, 3], and what is in it."""

    image: np.ndarray
    objects: tuple[PlacedObject, ...]


def make_scene(
    rng: np.random.Generator, scans: np.ndarray, style: SceneStyle | None = None
) -> Scene:
    """Makes one scene.

    Args:
        rng: where all chance comes from; the same state gives the same scene.
        scans: indices of the scans that may be used.
        style: sizes and counts; the default is the dataset's.
    """
    style = style or SceneStyle()
    canvas = _background(rng, style)
    add_clutter(rng, canvas, count=int(rng.integers(1, 7)))
    objects: list[PlacedObject] = []
    if rng.random() < style.heap_share:
        objects.append(_add_heap(rng, canvas, scans))
    for _ in range(rng.integers(style.digits[0], style.digits[1] + 1)):
        placed = _add_digit(rng, canvas, scans, style, objects)
        if placed is not None:
            objects.append(placed)
    canvas += rng.normal(0, rng.uniform(0.01, 0.035), canvas.shape[:2])[..., None]
    image = (np.clip(canvas, 0, 1) * 255).round().astype(np.uint8)
    return Scene(image=image, objects=tuple(objects))


def write_scenes(directory: Path, seed: int, count: int) -> tuple[ImageTruth, ...]:
    """Writes scenes as JPEG files, the first half of the train side, the rest of the test side.

    Each scene has a generator of its own, so one of them can be made without the others.

    Args:
        directory: where the files go; made when missing.
        seed: the same seed gives the same files.
        count: how many scenes.

    Returns:
        The truth of each image, in the order of the file names.
    """
    directory.mkdir(parents=True, exist_ok=True)
    images = []
    for number in range(count):
        split = SPLITS[0] if number < (count + 1) // 2 else SPLITS[1]
        scene = make_scene(np.random.default_rng([seed, number]), scan_indices(split))
        file_name = f"digits-{seed}-{number:04d}.jpg"
        bgr = np.ascontiguousarray(scene.image[..., ::-1])
        cv2.imwrite(str(directory / file_name), bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
        images.append(_truth(scene, file_name, split))
    return tuple(images)


def _truth(scene: Scene, file_name: str, split: str) -> ImageTruth:
    height, width = scene.image.shape[:2]
    labels = (
        Label(
            id=label_id(file_name, number),
            label=str(placed.digit),
            bounding_box=relative_box(placed.box, width, height),
            iscrowd=placed.iscrowd,
        )
        for number, placed in enumerate(scene.objects)
    )
    return ImageTruth(file_name, split, width, height, tuple(labels))


def relative_box(box: PixelBox, width: int, height: int) -> tuple[float, float, float, float]:
    """A box in pixels as a share of the image, the way FiftyOne keeps it."""
    return (box[0] / width, box[1] / height, box[2] / width, box[3] / height)


def _background(rng: np.random.Generator, style: SceneStyle) -> np.ndarray:
    """A crop of a photograph, darkened and recoloured: float32 RGB in [0, 1]."""
    photograph = load_photographs()[rng.integers(len(load_photographs()))]
    height, width = photograph.shape[:2]
    crop_height = int(height * rng.uniform(0.45, 0.95))
    crop_width = min(width, int(crop_height * style.width / style.height))
    top = rng.integers(0, height - crop_height + 1)
    left = rng.integers(0, width - crop_width + 1)
    crop = photograph[top : top + crop_height, left : left + crop_width]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    canvas = cv2.resize(crop, (style.width, style.height), interpolation=cv2.INTER_CUBIC)
    canvas = canvas.astype(np.float32) / 255
    if rng.random() < 0.3:
        canvas = canvas[..., rng.permutation(3)]
    canvas = np.clip(canvas * rng.uniform(0.75, 1.15, 3), 0, 1) ** rng.uniform(0.8, 1.5)
    return (canvas * rng.uniform(0.3, 0.62)).astype(np.float32)


def _random_mask(rng: np.random.Generator, scan: int, heights: tuple[int, int]) -> np.ndarray:
    low, high = np.log(heights)
    return enlarge(
        load_scans()[0][scan],
        height=float(np.exp(rng.uniform(low, high))),
        angle=rng.normal(0, 5),
        shear=rng.normal(0, 0.08),
    )


def _paint(
    rng: np.random.Generator, canvas: np.ndarray, mask: np.ndarray, left: int, top: int
) -> None:
    """Paints a digit in a colour of its own, always somewhat lighter than what is beneath."""
    height, width = mask.shape
    region = canvas[top : top + height, left : left + width]
    colour = np.maximum(ink_colour(rng), region.mean(axis=(0, 1)) + MIN_CONTRAST)
    region += mask[..., None] * rng.uniform(0.8, 1) * (colour - region)


def _add_digit(
    rng: np.random.Generator,
    canvas: np.ndarray,
    scans: np.ndarray,
    style: SceneStyle,
    objects: list[PlacedObject],
) -> PlacedObject | None:
    """Paints one digit where it leaves the others legible; None if there is no room."""
    scan = int(rng.choice(scans))
    mask = _random_mask(rng, scan, style.digit_heights)
    height, width = mask.shape
    wants_overlap = rng.random() < 0.3
    for _ in range(40):
        left = int(rng.integers(0, style.width - width + 1))
        top = int(rng.integers(0, style.height - height + 1))
        box = (left, top, width, height)
        covered = max((_covered(box, other) for other in objects), default=0.0)
        if covered == 0 or (wants_overlap and covered < 0.35):
            _paint(rng, canvas, mask, left, top)
            return PlacedObject(int(load_scans()[1][scan]), box, (scan,))
    return None


def _covered(box: PixelBox, other: PlacedObject) -> float:
    """How much the two hide each other: shared area over the smaller area; a heap stays free."""
    left, top, width, height = other.box
    shared_width = min(box[0] + box[2], left + width) - max(box[0], left)
    shared_height = min(box[1] + box[3], top + height) - max(box[1], top)
    if shared_width <= 0 or shared_height <= 0:
        return 0.0
    if other.iscrowd:
        return 1.0
    return shared_width * shared_height / min(box[2] * box[3], width * height)


def _add_heap(rng: np.random.Generator, canvas: np.ndarray, scans: np.ndarray) -> PlacedObject:
    """Paints a dense heap of digits of one class and gives it one crowd box."""
    digit = int(rng.integers(10))
    same = scans[load_scans()[1][scans] == digit]
    chosen = rng.choice(same, size=min(len(same), int(rng.integers(14, 27))), replace=False)
    height, width = canvas.shape[:2]
    spread = rng.uniform(0.09, 0.16, 2) * (width, height)
    middle = rng.uniform(0.3, 0.7, 2) * (width, height)
    opacity = np.zeros((height, width), np.float32)
    for scan in chosen:
        mask = _random_mask(rng, int(scan), (28, 46))
        corner = middle + rng.uniform(-1, 1, 2) * spread - np.array(mask.shape[::-1]) / 2
        left, top = (int(value) for value in corner)
        _paint(rng, canvas, mask, left, top)
        region = opacity[top : top + mask.shape[0], left : left + mask.shape[1]]
        np.maximum(region, mask, out=region)
    box = cv2.boundingRect((opacity > 0.2).astype(np.uint8))
    return PlacedObject(digit, box, tuple(int(scan) for scan in chosen), iscrowd=True)
