"""How sure it is that a score has changed: a paired bootstrap over images.

Images are drawn with replacement, the same for the score before and after, and the mean average
precision of both is computed anew; the middle 95 % of the differences are the interval (percentile
method, Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 16). Drawing
an image k times gives its labels a weight of k, so that all draws are computed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..scoring.precision import RECALLS
from ..scoring.scores import classes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ..matching.options import EvaluationOptions
    from ..matching.outcome import Outcome

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

CONFIDENCE = 0.95
_FEWEST, _MOST = 200, 1000
_WORK = 20_000_000
"""Predictions times draws; beyond, there are fewer draws."""
_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """Where a difference lies with a confidence of 95 %.

    Args:
        low: its lower end
        high: its upper end
    """

    low: float
    high: float


def draw_images(images: int, predictions: int, *, seed: int = 0) -> Integers:
    """Draws as many images as there are, with replacement, again and again.

    Args:
        images: how many images there are
        predictions: how many predictions they have; with very many there are fewer draws
        seed: decides which images are drawn

    Returns:
        how often each image was drawn, of shape ``(draws, images)``
    """
    draws = int(np.clip(_WORK // max(predictions, 1), _FEWEST, _MOST))
    generator = np.random.default_rng(seed)
    return generator.multinomial(images, np.full(images, 1 / images), size=draws)


def interval(differences: Floats | Integers) -> Interval | None:
    """Where the differences of all draws lie; None where none is known.

    Args:
        differences: of each draw the score after less the score before; NaN where one is unknown
    """
    known = differences[np.isfinite(differences)]
    if not known.size:
        return None
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, (tail, 1 - tail)).tolist()
    return Interval(low, high)


def weighted_by_class(
    outcome: Outcome, options: EvaluationOptions, weights: Integers
) -> dict[str, Floats]:
    """The average precision of each class, of images that count several times, or not at all.

    Args:
        outcome: who was matched to whom
        options: how
        weights: how often each image counts, of shape ``(draws, images)``

    Returns:
        class -> its average precision in each draw; NaN without ground truth
    """
    classes = classes_of(outcome, options)
    rows_of = zip(classes, _by_class(outcome, options, classes), strict=True)
    return {name: _average_precision(rows, weights) for name, rows in rows_of}


def weighted_map(by_class: Mapping[str, Floats], draws: int) -> Floats:
    """The mean average precision in each draw, of :func:`weighted_by_class`.

    Args:
        by_class: class -> its average precision in each draw
        draws: how many draws there are

    Returns:
        the mean over the classes that have ground truth; NaN where none has
    """
    table = np.array(list(by_class.values())).reshape(-1, draws)
    known = np.isfinite(table)
    total = known.sum(axis=0)
    sums = np.where(known, table, 0).sum(axis=0)
    mean: Floats = np.divide(sums, total, out=np.full(sums.shape, np.nan), where=total > 0)
    return mean


@dataclass(frozen=True)
class _ClassRows:
    """The predictions of a class, surest first, and the images of its ground truth."""

    image: NDArray[np.int64]
    right: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    truth_image: NDArray[np.int64]


def _by_class(
    outcome: Outcome, options: EvaluationOptions, classes: Sequence[str]
) -> Iterator[_ClassRows]:
    found, truth = outcome.found, outcome.truth
    order = np.lexsort((outcome.rank, found.image))
    order = order[outcome.rank[order] < options.max_preds]
    order = order[np.argsort(-found.confidence[order], kind="stable")]
    columns = outcome.truth_rows(outcome.partners)
    for name in classes:
        rows = order[found.label[order] == name]
        partners = columns[:, rows]
        matched = partners >= 0
        on_crowd = matched & truth.crowd[partners] if len(truth) else matched
        of_class = (truth.label == name) & ~truth.crowd
        yield _ClassRows(found.image[rows], matched & ~on_crowd, ~on_crowd, truth.image[of_class])


def _average_precision(rows: _ClassRows, weights: Integers) -> Floats:
    """Of each draw; NaN where the class has no ground truth."""
    draws = max(1, _AT_ONCE // max(rows.image.size, 1))
    parts = [
        _of_draws(rows, weights[start : start + draws]) for start in range(0, len(weights), draws)
    ]
    return np.concatenate(parts)


def _of_draws(rows: _ClassRows, weights: Integers) -> Floats:
    total = weights[:, rows.truth_image].sum(axis=1)
    drawn = weights[:, rows.image]
    precision = np.zeros(len(weights))
    for right, counted in zip(rows.right, rows.counted, strict=True):
        # Precision is largest right after a right prediction: no other has to be looked at.
        hits = np.flatnonzero(right)
        if not hits.size:
            continue
        reached = np.cumsum(drawn[:, hits], axis=1)
        seen = np.cumsum(drawn * counted, axis=1)[:, hits]
        exact = np.divide(reached, seen, out=np.zeros(reached.shape), where=seen > 0)
        exact = np.maximum.accumulate(exact[:, ::-1], axis=1)[:, ::-1]
        for draw in range(len(weights)):
            if total[draw]:
                at = np.searchsorted(reached[draw] / total[draw], RECALLS, side="left")
                precision[draw] += exact[draw, at[at < hits.size]].sum() / RECALLS.size
    mean: Floats = np.where(total > 0, precision / len(rows.right), np.nan)
    return mean
