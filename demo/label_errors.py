"""Wrong labels, put into a copy of the truth and recorded apart from it."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from demo.truth import CLASSES, Box, ImageTruth, Label, iou, label_from_json, label_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

WRONG_CLASS = "wrong class"
SHIFTED = "shifted box"
MISSING = "missing"
DOUBLED = "doubled"
SPURIOUS = "spurious"
WRONG_ISCROWD = "wrong iscrowd"

KIND_SHARES = {
    WRONG_CLASS: 0.3,
    MISSING: 0.22,
    SHIFTED: 0.2,
    DOUBLED: 0.1,
    SPURIOUS: 0.1,
    WRONG_ISCROWD: 0.08,
}
SHIFTED_IOU = (0.3, 0.6)
DOUBLED_IOU = (0.7, 0.9)


@dataclass(frozen=True)
class LabelError:
    """One error that was put in.

    Attributes:
        file_name: the image.
        kind: one of the keys of `KIND_SHARES`.
        label_id: id of the wrong label; of a missing label the id it would have.
        truth: what should be there; None for doubled and spurious labels, which should not be.
        label: what is there instead; None for missing labels.
    """

    file_name: str
    kind: str
    label_id: str
    truth: Label | None
    label: Label | None


def inject_errors(
    images: Iterable[ImageTruth], share: float, seed: int
) -> tuple[dict[str, tuple[Label, ...]], tuple[LabelError, ...]]:
    """Makes a copy of the truth with errors; no true label gets more than one.

    Args:
        images: the truth.
        share: number of errors over the number of true labels, in [0, 1].
        seed: the same seed puts in the same errors.

    Returns:
        The labels of every image by file name, and the record of the errors.

    Raises:
        ValueError: if `share` is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The share of wrong labels is {share}, it must lie in [0, 1]")
    images = tuple(images)
    rng = np.random.default_rng([seed, 1])
    objects = [(image, label) for image in images for label in image.objects]
    kinds = _kinds(rng, round(share * len(objects)))
    errors = []
    for kind, number in zip(kinds, rng.permutation(len(objects)), strict=False):
        image, label = objects[number]
        fitting = WRONG_ISCROWD if label.iscrowd else kind
        errors.append(_make_error(rng, fitting, image, label))
    return apply_errors(images, errors), tuple(errors)


def apply_errors(
    images: Iterable[ImageTruth], errors: Iterable[LabelError]
) -> dict[str, tuple[Label, ...]]:
    """The labels of every image with the recorded errors in them, by file name."""
    by_image = defaultdict(list)
    for error in errors:
        by_image[error.file_name].append(error)
    return {
        image.file_name: _with_errors(image.objects, by_image[image.file_name]) for image in images
    }


def undo_errors(
    labels: Mapping[str, tuple[Label, ...]], errors: Iterable[LabelError]
) -> dict[str, tuple[Label, ...]]:
    """Takes the recorded errors back out, by label id.

    A label that was missing goes to the end of its image; everything else keeps its place.
    """
    restored = dict(labels)
    for error in errors:
        current = restored[error.file_name]
        if error.label is None:
            restored[error.file_name] = (*current, error.truth)
        else:
            mended = (error.truth if one.id == error.label_id else one for one in current)
            restored[error.file_name] = tuple(one for one in mended if one is not None)
    return restored


def write_errors(path: Path, errors: Iterable[LabelError]) -> None:
    """Writes the record as JSON; floats come back exactly."""
    data = [asdict(error) for error in errors]
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def read_errors(path: Path) -> tuple[LabelError, ...]:
    """Reads what `write_errors` wrote."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return tuple(LabelError(**{**error, **_labels_of(error)}) for error in data)


def _labels_of(error: dict) -> dict[str, Label | None]:
    return {
        side: label_from_json(error[side]) if error[side] else None for side in ("truth", "label")
    }


def _kinds(rng: np.random.Generator, count: int) -> list[str]:
    """As many kinds as asked for, in their shares, in random order."""
    borders = np.cumsum(list(KIND_SHARES.values())) / sum(KIND_SHARES.values())
    places = (np.arange(count) + 0.5) / max(count, 1)
    names = list(KIND_SHARES)
    kinds = [names[int(np.searchsorted(borders, place))] for place in places]
    return [kinds[number] for number in rng.permutation(count)]


def _make_error(
    rng: np.random.Generator, kind: str, image: ImageTruth, label: Label
) -> LabelError:
    """One error of a kind on one label, or, for a spurious one, somewhere in its image."""
    if kind == MISSING:
        return LabelError(image.file_name, kind, label.id, truth=label, label=None)
    if kind == SPURIOUS:
        return _added(kind, image, label, _free_box(rng, image, label.bounding_box))
    if kind == DOUBLED:
        box = _moved_box(rng, label.bounding_box, DOUBLED_IOU)
        return _added(kind, image, label, box)
    if kind == WRONG_CLASS:
        others = [name for name in CLASSES if name != label.label]
        wrong = replace(label, label=others[rng.integers(len(others))])
    elif kind == SHIFTED:
        wrong = replace(label, bounding_box=_moved_box(rng, label.bounding_box, SHIFTED_IOU))
    else:
        wrong = replace(label, iscrowd=not label.iscrowd)
    return LabelError(image.file_name, kind, label.id, truth=label, label=wrong)


def _added(kind: str, image: ImageTruth, label: Label, box: Box) -> LabelError:
    added = replace(label, id=label_id(image.file_name, f"{kind} of {label.id}"), bounding_box=box)
    return LabelError(image.file_name, kind, added.id, truth=None, label=added)


def _moved_box(rng: np.random.Generator, box: Box, bounds: tuple[float, float]) -> Box:
    """A box near another one, their IoU within bounds, wholly inside the image."""
    left, top, width, height = box
    while True:
        scale = np.exp(rng.uniform(-0.35, 0.35, 2))
        wide, high = min(1.0, width * scale[0]), min(1.0, height * scale[1])
        shift = rng.uniform(-0.7, 0.7, 2)
        moved = (
            float(np.clip(left + shift[0] * width, 0, 1 - wide)),
            float(np.clip(top + shift[1] * height, 0, 1 - high)),
            float(wide),
            float(high),
        )
        if bounds[0] <= iou(box, moved) <= bounds[1]:
            return moved


def _free_box(rng: np.random.Generator, image: ImageTruth, like: Box, tries: int = 200) -> Box:
    """A box of some size where nothing is; where all is full, the least covered one tried."""
    best, least = like, 2.0
    for _ in range(tries):
        scale = np.exp(rng.uniform(-0.2, 0.2, 2))
        width, height = min(0.9, like[2] * scale[0]), min(0.9, like[3] * scale[1])
        box = (
            float(rng.uniform(0, 1 - width)),
            float(rng.uniform(0, 1 - height)),
            float(width),
            float(height),
        )
        covered = max(iou(box, other.bounding_box) for other in image.objects)
        if covered < least:
            best, least = box, covered
        if least == 0:
            break
    return best


def _with_errors(labels: tuple[Label, ...], errors: Iterable[LabelError]) -> tuple[Label, ...]:
    """Replaces, takes away and adds; an added label goes to the end."""
    instead = {error.label_id: error.label for error in errors if error.truth is not None}
    kept = (instead.get(label.id, label) for label in labels)
    added = (error.label for error in errors if error.truth is None)
    return tuple(label for label in (*kept, *added) if label is not None)
