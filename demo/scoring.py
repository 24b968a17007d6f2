"""How many of the errors that were put in have been found, and how many have been mended."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.label_errors import DOUBLED, SPURIOUS, LabelError
from demo.truth import Box, Label, iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HIT_IOU = 0.5
SAME_BOX_IOU = 0.9
STILL_DOUBLED_IOU = 0.6


@dataclass(frozen=True)
class Suspect:
    """Something somebody thinks is a label error: a label, or a place where one should be.

    Attributes:
        file_name: base name of the image.
        bounding_box: left, top, width, height, relative to the image.
        label_id: the suspected label, if there is one.
    """

    file_name: str
    bounding_box: Box
    label_id: str | None = None


@dataclass(frozen=True)
class Score:
    """How well the errors were hit.

    Attributes:
        hit: how many of the errors.
        total: how many errors there are.
        hit_by_kind: the same, kind by kind.
        total_by_kind: the same, kind by kind.
        right: how many of the suspects lie on an error; None where no suspects were given.
        suspects: how many suspects there were; None where none were given.
    """

    hit: int
    total: int
    hit_by_kind: dict[str, int]
    total_by_kind: dict[str, int]
    right: int | None = None
    suspects: int | None = None

    @property
    def recall(self) -> float:
        """Share of the errors that were hit, in [0, 1]; 1 when there are none."""
        return self.hit / self.total if self.total else 1.0

    @property
    def precision(self) -> float | None:
        """Share of the suspects that are errors; None without suspects."""
        return self.right / self.suspects if self.suspects else None


def score_found(suspects: Iterable[Suspect], errors: Iterable[LabelError]) -> Score:
    """Counts the errors among the suspects.

    A suspect hits an error of its image when it names the wrong label, or when its box overlaps
    the true or the wrong box with an IoU of at least `HIT_IOU`.
    """
    errors = tuple(errors)
    by_image = defaultdict(list)
    for error in errors:
        by_image[error.file_name].append(error)
    hit, right, count = set(), 0, 0
    for suspect in suspects:
        struck = [error for error in by_image[suspect.file_name] if _hits(suspect, error)]
        hit.update((error.file_name, error.label_id) for error in struck)
        right += bool(struck)
        count += 1
    found = [error for error in errors if (error.file_name, error.label_id) in hit]
    return Score(**_counts(found, errors), right=right, suspects=count)


def score_fixed(labels: Mapping[str, Iterable[Label]], errors: Iterable[LabelError]) -> Score:
    """Counts the errors that are mended, whatever ids the labels have by now.

    Args:
        labels: the labels as they are now, by base name of the image. Images that are not in it
            count as not mended.
        errors: the record.
    """
    errors = tuple(errors)
    fixed = [
        error
        for error in errors
        if error.file_name in labels and is_fixed(error, tuple(labels[error.file_name]))
    ]
    return Score(**_counts(fixed, errors))


def is_fixed(error: LabelError, labels: tuple[Label, ...]) -> bool:
    """Whether an error is gone from the labels of its image."""
    if error.kind == SPURIOUS:
        return not _alike(error.label, labels, HIT_IOU)
    if error.kind == DOUBLED:
        return len(_alike(error.label, labels, STILL_DOUBLED_IOU)) <= 1
    there = any(
        one.iscrowd == error.truth.iscrowd for one in _alike(error.truth, labels, SAME_BOX_IOU)
    )
    return there and not _still_wrong(error, labels)


def _still_wrong(error: LabelError, labels: tuple[Label, ...]) -> bool:
    """Whether the wrong label is still there beside the right one."""
    if error.label is None:
        return False
    return any(
        one.iscrowd == error.label.iscrowd for one in _alike(error.label, labels, SAME_BOX_IOU)
    )


def _alike(label: Label, labels: tuple[Label, ...], least_iou: float) -> list[Label]:
    return [
        one
        for one in labels
        if one.label == label.label and iou(one.bounding_box, label.bounding_box) >= least_iou
    ]


def _hits(suspect: Suspect, error: LabelError) -> bool:
    if suspect.label_id is not None and suspect.label_id == error.label_id:
        return True
    boxes = (one.bounding_box for one in (error.truth, error.label) if one is not None)
    return any(iou(suspect.bounding_box, box) >= HIT_IOU for box in boxes)


def _counts(hit: list[LabelError], errors: tuple[LabelError, ...]) -> dict:
    return {
        "hit": len(hit),
        "total": len(errors),
        "hit_by_kind": dict(Counter(error.kind for error in hit)),
        "total_by_kind": dict(Counter(error.kind for error in errors)),
    }
