"""What matching the labels of images found: arrays that can be cut and joined image by image.

Nothing in it depends on other images, so that images that stayed the same keep what was found, and
what is computed from the whole is the same, bit for bit, as if all had been matched again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from bson import decode_all

from .masks import MASK_LEAVES, SIZE_FIELDS, pixel_overlap, placed_masks, polygon_overlap
from .matching import match
from .reading import DIGEST_BYTES, LEAVES, digests
from .tables import Detections, concatenate, table_of
from .validity import NO_MASK, UNKNOWN_CLASS, InvalidLabel, invalid_labels, is_valid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .matching import Overlap
    from .options import Comparison, EvaluationOptions

    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]
    Documents = Sequence[Mapping[str, Any]]

ALONE = -1
# Up to which share of all images an outcome is put together of runs of them, which is quicker.
_MOST_RUNS = 0.1

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Outcome:
    """Labels of images, and who was matched to whom.

    A partner is told by its place among the valid ground truth of its image.

    Args:
        sample_ids: the samples, which number the images
        digest: what tells whether an image's labels are still the same, of shape ``(images,)``
        predicted: whether each image was shown to the model, of shape ``(images,)``
        found: the predictions, those that can be evaluated
        truth: the ground truth, as far as it can be evaluated
        partners: the partner of each prediction within its class, or -1, of shape
            ``(thresholds, predictions)``
        rank: the place of each prediction in its class of its image by confidence, from 0
        chosen: the partner of each prediction by the run's own rule
        chosen_iou: how far both overlap; 0 where there is none
        invalid: the labels that cannot be evaluated, image after image
        invalid_image: the image of each of them
    """

    sample_ids: tuple[str, ...]
    digest: NDArray[np.void]
    predicted: Booleans
    found: Detections
    truth: Detections
    partners: NDArray[np.int32]
    rank: NDArray[np.int32]
    chosen: NDArray[np.int32]
    chosen_iou: NDArray[np.float64]
    invalid: tuple[InvalidLabel, ...]
    invalid_image: Integers

    def __len__(self) -> int:
        return len(self.sample_ids)

    def truth_rows(self, partners: NDArray[np.int32]) -> Integers:
        """The rows of the ground truth of partners, of the shape of these, or -1."""
        borders = np.searchsorted(self.truth.image, np.arange(len(self) + 1))
        first = borders[self.found.image]
        return np.where(partners >= 0, partners + first, np.int64(ALONE))

    def part(self, images: slice) -> Outcome:
        """Some of the images that follow each other; quicker than :meth:`take`."""
        first, last = images.start, images.stop
        of_found, of_truth, of_invalid = (
            slice(*np.searchsorted(image_of, (first, last)).tolist())
            for image_of in (self.found.image, self.truth.image, self.invalid_image)
        )
        return Outcome(
            sample_ids=self.sample_ids[images],
            digest=self.digest[images],
            predicted=self.predicted[images],
            found=self.found.part(of_found, first),
            truth=self.truth.part(of_truth, first),
            partners=self.partners[:, of_found],
            rank=self.rank[of_found],
            chosen=self.chosen[of_found],
            chosen_iou=self.chosen_iou[of_found],
            invalid=self.invalid[of_invalid],
            invalid_image=self.invalid_image[of_invalid] - first,
        )

    def take(self, images: Integers) -> Outcome:
        """Some of the images, in the order in which they are named."""
        of_found, image_of_found = _rows_of(images, self.found.image, len(self))
        of_truth, image_of_truth = _rows_of(images, self.truth.image, len(self))
        of_invalid, image_of_invalid = _rows_of(images, self.invalid_image, len(self))
        return Outcome(
            sample_ids=tuple(self.sample_ids[image] for image in images.tolist()),
            digest=self.digest[images],
            predicted=self.predicted[images],
            found=replace(self.found.take(of_found), image=image_of_found),
            truth=replace(self.truth.take(of_truth), image=image_of_truth),
            partners=self.partners[:, of_found],
            rank=self.rank[of_found],
            chosen=self.chosen[of_found],
            chosen_iou=self.chosen_iou[of_found],
            invalid=tuple(self.invalid[row] for row in of_invalid.tolist()),
            invalid_image=image_of_invalid,
        )


@dataclass(frozen=True)
class Pieces:
    """An outcome in pieces, of which some images are left out and others are in another order.

    Args:
        of: the pieces, one or more
        places: the images, by their numbers in all pieces one behind the other
    """

    of: tuple[Outcome, ...]
    places: Integers

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def sample_ids(self) -> tuple[str, ...]:
        """The samples, which number the images."""
        ids = [one for piece in self.of for one in piece.sample_ids]
        return tuple(ids[place] for place in self.places.tolist())

    @cached_property
    def outcome(self) -> Outcome:
        """The whole."""
        firsts = np.cumsum([0, *(len(piece) for piece in self.of)])
        piece = np.searchsorted(firsts, self.places, side="right") - 1
        goes_on = (np.diff(self.places) == 1) & (np.diff(piece) == 0)
        starts = np.flatnonzero(np.concatenate(([True], ~goes_on)))[: len(self)]
        if len(starts) > _MOST_RUNS * len(self):
            return joined(self.of).take(self.places)
        begins = (self.places - firsts[piece]).tolist()
        parts = [
            self.of[piece[start]].part(slice(begins[start], begins[start] + stop - start))
            for start, stop in pairwise([*starts.tolist(), len(self)])
        ]
        return joined(parts or [self.of[0].take(_NONE)])

    def since_first(self) -> tuple[Outcome, Integers]:
        """What the first piece does not hold.

        Returns:
            its images in their order here, and the number of each image of the whole in the first
            piece, or -1
        """
        first, *others = self.of
        new = self.places >= len(first)
        rest = joined(others).take(self.places[new] - len(first)) if others else first.take(_NONE)
        return rest, np.where(new, -1, self.places)


def leaves_of(options: EvaluationOptions) -> tuple[str, ...]:
    """The attributes of labels that an evaluation looks at."""
    return (*LEAVES, options.iscrowd, *(MASK_LEAVES if options.use_masks else ()))


def fields_of(options: EvaluationOptions) -> tuple[str, ...]:
    """The fields of samples that an evaluation looks at, besides labels."""
    return SIZE_FIELDS if options.use_masks else ()


def match_images(raw: Sequence[bytes], comparison: Comparison) -> Outcome:
    """Matches the labels of some images.

    Args:
        raw: their samples, with :func:`leaves_of` and :func:`fields_of`
        comparison: what to match, and how
    """
    options = comparison.options
    documents = decode_all(b"".join(raw))
    sample_ids = tuple(str(document["_id"]) for document in documents)
    predicted = np.fromiter(
        (document.get(comparison.predictions) is not None for document in documents),
        bool,
        len(documents),
    )
    sides = [
        _Side.read(documents, field, options, ranked=field == comparison.predictions)
        for field in comparison.fields
    ]
    invalid, invalid_image = by_image(
        sample_ids, [bad for side in sides for bad in side.invalid(sample_ids)]
    )
    one, other = (side.valid(predicted) for side in sides)
    overlap = _overlap(one, other, options)
    found, truth = one.labels, other.labels
    within = match(found, truth, options.thresholds, classwise=True, overlap=overlap)
    chosen = (
        within
        if options.classwise
        else match(found, truth, [options.iou], classwise=False, overlap=overlap)
    )
    first = np.searchsorted(truth.image, found.image)
    return Outcome(
        sample_ids=sample_ids,
        digest=digests(raw),
        predicted=predicted,
        found=found,
        truth=truth,
        partners=_within_image(within.truth_of[:-1], first),
        rank=within.rank.astype(np.int32),
        chosen=_within_image(chosen.truth_of[-1], first),
        chosen_iou=chosen.iou_of[-1],
        invalid=invalid,
        invalid_image=invalid_image,
    )


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """The images of several outcomes, one behind the other."""
    counts = [len(outcome) for outcome in outcomes]
    first = np.cumsum([0, *counts[:-1]])
    return Outcome(
        sample_ids=tuple(one for outcome in outcomes for one in outcome.sample_ids),
        found=concatenate([outcome.found for outcome in outcomes], counts),
        truth=concatenate([outcome.truth for outcome in outcomes], counts),
        invalid=tuple(bad for outcome in outcomes for bad in outcome.invalid),
        invalid_image=np.concatenate(
            [outcome.invalid_image + start for outcome, start in zip(outcomes, first, strict=True)]
        ),
        **{
            name: np.concatenate([getattr(outcome, name) for outcome in outcomes], axis=-1)
            for name in ARRAYS
        },
    )


ARRAYS = ("digest", "predicted", "partners", "rank", "chosen", "chosen_iou")
"""The arrays of an outcome; images or predictions are their last axis."""


def empty(options: EvaluationOptions) -> Outcome:
    """The outcome of no images."""
    nothing = table_of([], "")
    return Outcome(
        sample_ids=(),
        digest=np.empty(0, dtype=f"V{DIGEST_BYTES}"),
        predicted=np.empty(0, dtype=bool),
        found=nothing,
        truth=nothing,
        partners=np.empty((len(options.iou_threshs), 0), dtype=np.int32),
        rank=np.empty(0, dtype=np.int32),
        chosen=np.empty(0, dtype=np.int32),
        chosen_iou=np.empty(0),
        invalid=(),
        invalid_image=np.empty(0, dtype=np.int64),
    )


def by_image(
    sample_ids: Sequence[str], invalid: Sequence[InvalidLabel]
) -> tuple[tuple[InvalidLabel, ...], Integers]:
    """Labels that cannot be evaluated, image after image, and the image of each."""
    number = {sample_id: image for image, sample_id in enumerate(sample_ids)} if invalid else {}
    images = np.array([number[bad.sample_id] for bad in invalid], dtype=np.int64)
    order = np.argsort(images, kind="stable")
    return tuple(invalid[place] for place in order.tolist()), images[order]


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are equal, bit for bit."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in ARRAYS]
    for table, theirs in ((one.found, other.found), (one.truth, other.truth)):
        pairs += [(getattr(table, f.name), getattr(theirs, f.name)) for f in fields(table)]
    alike = all(
        np.array_equal(np.asarray(a), np.asarray(b), equal_nan=_floats(a)) for a, b in pairs
    )
    return alike and (one.sample_ids, one.invalid) == (other.sample_ids, other.invalid)


def _floats(values: Any) -> bool:
    return getattr(values, "dtype", None) == np.float64


@dataclass(frozen=True)
class _Side:
    """The labels of one field, and which of them cannot be evaluated."""

    field: str
    labels: Detections
    masks: Sequence[Any]
    documents: Documents
    ranked: bool
    without_mask: Booleans
    unknown: Booleans

    @classmethod
    def read(
        cls, documents: Documents, field: str, options: EvaluationOptions, *, ranked: bool
    ) -> _Side:
        labels = table_of(documents, field, crowd=options.iscrowd)
        masks, own = placed_masks(documents, field) if options.use_masks else ([], [])
        missing = [mask is None for mask in masks] or [False] * len(labels)
        known = set(options.classes or ())
        unknown = [bool(known) and name not in known for name in labels.label]
        return cls(
            field, labels, masks, own, ranked, np.array(missing, bool), np.array(unknown, bool)
        )

    def invalid(self, sample_ids: Sequence[str]) -> list[InvalidLabel]:
        labels = self.labels
        bad = list(invalid_labels(labels, self.field, sample_ids, ranked=self.ranked))
        fine = is_valid(labels, ranked=self.ranked)
        for rows, reason in ((self.without_mask, NO_MASK), (self.unknown, UNKNOWN_CLASS)):
            bad += [
                InvalidLabel(sample_ids[labels.image[row]], labels.ids[row], self.field, reason)
                for row in np.flatnonzero(rows & fine).tolist()
            ]
            fine &= ~rows
        return bad

    def valid(self, predicted: Booleans) -> _Side:
        """Without the labels that cannot be evaluated, and without images without predictions."""
        kept = is_valid(self.labels, ranked=self.ranked) & ~self.without_mask & ~self.unknown
        kept &= predicted[self.labels.image]
        rows = np.flatnonzero(kept)
        chosen = rows.tolist() if self.masks else []
        return replace(
            self,
            labels=self.labels.take(rows),
            masks=[self.masks[row] for row in chosen],
            documents=[self.documents[row] for row in chosen],
        )


def _overlap(found: _Side, truth: _Side, options: EvaluationOptions) -> Overlap | None:
    crowd = truth.labels.crowd
    if not options.use_masks:
        return None
    if options.tolerance is None:
        return pixel_overlap(found.masks, truth.masks, crowd)
    return polygon_overlap(
        found.documents,
        truth.documents,
        crowd,
        tolerance=options.tolerance,
        error_level=options.error_level,
    )


def _within_image(truth_of: NDArray[np.integer[Any]], first: Integers) -> NDArray[np.int32]:
    return np.where(truth_of >= 0, truth_of - first, ALONE).astype(np.int32)


def _rows_of(images: Integers, image_of: Integers, count: int) -> tuple[Integers, Integers]:
    """The rows of some images, and the new number of the image of each."""
    borders = np.searchsorted(image_of, np.arange(count + 1))
    start, size = borders[images], borders[images + 1] - borders[images]
    number = np.repeat(np.arange(images.size), size)
    offset = np.arange(number.size) - np.repeat(np.cumsum(size) - size, size)
    return start[number] + offset, number
