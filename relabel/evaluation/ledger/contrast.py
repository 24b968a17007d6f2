"""What two outcomes of one evaluation differ in, and the samples that are behind each figure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.scores import classes_of, curves_of
from .bootstrap import draw_images, interval, weighted_by_class, weighted_map
from .entries import Change, Found
from .error_kinds import errors_by_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ..matching.options import EvaluationOptions
    from ..matching.outcome import Outcome
    from ..matching.tables import Detections
    from .bootstrap import Interval

    Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Contrast:
    """What two outcomes differ in; the fields are those of :class:`.entries.Entry`."""

    before: Found
    after: Found
    difference: Interval | None
    mended: tuple[int, ...]
    by_class: Mapping[str, Change]
    by_error: Mapping[str, Change]


def contrast(
    before: Outcome, after: Outcome, changed: Sequence[str], options: EvaluationOptions
) -> Contrast:
    """Sums up two outcomes of one evaluation, and what they differ in.

    Args:
        before: who was matched to whom
        after: the same of later labels
        changed: the samples whose labels differ
        options: how both were matched
    """
    old, new = _Side.of(before, options), _Side.of(after, options)
    behind = _behind(old, new, changed)
    intervals = _intervals(old, new, options)
    classes = dict.fromkeys(classes_of(before, options) + classes_of(after, options))
    return Contrast(
        before=old.found(options),
        after=new.found(options),
        difference=intervals.whole,
        mended=behind.mended,
        by_class={
            name: Change(intervals.of_class.get(name), tuple(behind.of_class.get(name, ())))
            for name in classes
        },
        by_error={
            kind: Change(intervals.of_error.get(kind), tuple(behind.of_error.get(kind, ())))
            for kind in new.errors
        },
    )


@dataclass(frozen=True)
class _Side:
    """One of two outcomes.

    Args:
        outcome: who was matched to whom
        errors: type of error -> how many there are in each image
        place: sample -> the number of its image
    """

    outcome: Outcome
    errors: Mapping[str, Integers]
    place: Mapping[str, int]

    @classmethod
    def of(cls, outcome: Outcome, options: EvaluationOptions) -> _Side:
        errors = {str(kind): n for kind, n in errors_by_image(outcome, options).items()}
        place = {sample_id: image for image, sample_id in enumerate(outcome.sample_ids)}
        return cls(outcome, errors, place)

    def errors_in(self, sample_id: str, kind: str) -> int:
        """How many errors of a type a sample has; none where it was not evaluated."""
        image = self.place.get(sample_id)
        return 0 if image is None else int(self.errors[kind][image])

    def found(self, options: EvaluationOptions) -> Found:
        classes = classes_of(self.outcome, options)
        curves = curves_of(self.outcome, options, classes)
        limits = options.iou_threshs
        halves = [level for level, limit in enumerate(limits) if abs(limit - 0.5) < 1e-9]
        return Found(
            map=curves.average(),
            ap50=curves.average(halves[0]) if halves else None,
            by_class=dict(zip(classes, curves.of_classes(), strict=True)),
            errors={kind: int(counts.sum()) for kind, counts in self.errors.items()},
        )


@dataclass(frozen=True)
class _Intervals:
    """Of the mean average precision, of each class, and of the number of errors of each type."""

    whole: Interval | None
    of_class: Mapping[str, Interval | None]
    of_error: Mapping[str, Interval | None]


def _intervals(before: _Side, after: _Side, options: EvaluationOptions) -> _Intervals:
    both = [
        (before.place[one], image) for one, image in after.place.items() if one in before.place
    ]
    if not both:
        return _Intervals(None, {}, {})
    old_images, new_images = np.array(both, dtype=np.int64).T
    weights = draw_images(len(both), len(after.outcome.found))
    draws = len(weights)
    old = weighted_by_class(before.outcome.take(old_images), options, weights)
    new = weighted_by_class(after.outcome.take(new_images), options, weights)
    return _Intervals(
        whole=interval(weighted_map(new, draws) - weighted_map(old, draws)),
        of_class={name: interval(new[name] - old[name]) for name in new if name in old},
        of_error={
            kind: interval(weights @ (counts[new_images] - before.errors[kind][old_images]))
            for kind, counts in after.errors.items()
        },
    )


@dataclass(frozen=True)
class _Behind:
    """The changed samples behind each figure, by their place among the changed samples."""

    mended: tuple[int, ...]
    of_class: Mapping[str, Sequence[int]]
    of_error: Mapping[str, Sequence[int]]


def _behind(before: _Side, after: _Side, changed: Sequence[str]) -> _Behind:
    mended: list[int] = []
    of_class: dict[str, list[int]] = defaultdict(list)
    of_error: dict[str, list[int]] = defaultdict(list)
    pairs = zip(_labels(before, changed), _labels(after, changed), strict=True)
    for place, (old, new) in enumerate(pairs):
        found, truth = _differing(old.found, new.found), _differing(old.truth, new.truth)
        if not found and not truth:  # masks differ, which are not kept
            truth = {*old.classes, *new.classes}
        if truth:
            mended.append(place)
        for name in sorted(found | truth):
            of_class[name].append(place)
    for kind in after.errors:
        for place, sample_id in enumerate(changed):
            if before.errors_in(sample_id, kind) != after.errors_in(sample_id, kind):
                of_error[kind].append(place)
    return _Behind(tuple(mended), of_class, of_error)


@dataclass(frozen=True)
class _Labels:
    """The labels of an image: class -> what they are like, and how many of each."""

    found: Mapping[str, Counter[bytes]]
    truth: Mapping[str, Counter[bytes]]

    @property
    def classes(self) -> set[str]:
        return {*self.found, *self.truth}


def _labels(side: _Side, sample_ids: Sequence[str]) -> list[_Labels]:
    """The labels of some samples; none of one that the evaluation did not have."""
    known = [sample_id for sample_id in sample_ids if sample_id in side.place]
    part = side.outcome.take(np.array([side.place[one] for one in known], dtype=np.int64))
    sides = [_by_class(table, len(part)) for table in (part.found, part.truth)]
    labels = {one: _Labels(*pair) for one, *pair in zip(known, *sides, strict=True)}
    return [labels.get(sample_id, _Labels({}, {})) for sample_id in sample_ids]


def _by_class(table: Detections, images: int) -> list[dict[str, Counter[bytes]]]:
    found: list[dict[str, Counter[bytes]]] = [defaultdict(Counter) for _ in range(images)]
    rows = np.column_stack([table.box, table.confidence, table.crowd]).astype(np.float64)
    for image, name, row in zip(table.image.tolist(), table.label, rows, strict=True):
        found[image][name][row.tobytes()] += 1
    return found


def _differing(old: Mapping[str, Counter[bytes]], new: Mapping[str, Counter[bytes]]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}
