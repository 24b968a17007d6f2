"""What an outcome is worth: curves, averages, counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..matching.matching import Matches
from .marks import Kind, Marked, marks_of
from .precision import precision_recall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..matching.options import Comparison, EvaluationOptions
    from ..matching.outcome import Outcome
    from ..matching.validity import InvalidLabel
    from .marks import Marks
    from .precision import Curves


@dataclass(frozen=True)
class DetectionScore:
    """How well predictions fit the ground truth.

    Args:
        eval_key: the name of the evaluation run
        map: COCO's mean average precision over all thresholds, in [0, 1]; None without ground
            truth
        ap50: the same at IoU .50, if that is a threshold
        ap75: the same at IoU .75, if that is a threshold
        mar: the mean average recall over all thresholds
        by_class: class -> its average precision; None for one without ground truth
        samples: how many samples were evaluated
        matched: of how many samples the labels were matched, since they have changed
        true_positives: predictions matched at the run's IoU
        false_positives: predictions that matched nothing
        false_negatives: ground truth that nothing matched
        invalid: labels that could not be evaluated
        unpredicted: samples that have no predictions, not even none; they are left out
    """

    eval_key: str
    map: float | None
    ap50: float | None
    ap75: float | None
    mar: float | None
    by_class: dict[str, float | None]
    samples: int
    matched: int
    true_positives: int
    false_positives: int
    false_negatives: int
    invalid: tuple[InvalidLabel, ...]
    unpredicted: tuple[str, ...]


def classes_of(outcome: Outcome, options: EvaluationOptions) -> list[str]:
    """The classes that are scored."""
    if options.classes:
        return list(options.classes)
    names = {*outcome.found.label.tolist(), *outcome.truth.label.tolist()}
    return sorted(map(str, names))


def curves_of(outcome: Outcome, options: EvaluationOptions, classes: Sequence[str]) -> Curves:
    """Precision over recall of each class."""
    # Which one was found matters only where some are crowds.
    crowded = outcome.truth.crowd.any()
    rows = outcome.truth_rows(outcome.partners) if crowded else outcome.partners
    matches = Matches(rows, np.empty(0), outcome.rank)
    return precision_recall(outcome.found, outcome.truth, matches, classes, most=options.max_preds)


def marked(outcome: Outcome, comparison: Comparison) -> tuple[Marked, Marked]:
    """What is written on the labels of the two fields."""
    of_found, of_truth = marks_of(
        outcome.found,
        outcome.truth,
        outcome.truth_rows(outcome.chosen),
        outcome.chosen_iou,
    )
    return (
        Marked(comparison.predictions, outcome.found, of_found, (Kind.TP, Kind.FP)),
        Marked(comparison.ground_truth, outcome.truth, of_truth, (Kind.FN,)),
    )


def score_of(
    eval_key: str,
    outcome: Outcome,
    options: EvaluationOptions,
    *,
    curves: Curves,
    marks: tuple[Marks, Marks],
    classes: Sequence[str],
    matched: int,
) -> DetectionScore:
    """Sums an outcome up."""
    of_found, of_truth = marks
    by_class = dict(zip(classes, curves.of_classes(), strict=True))
    return DetectionScore(
        eval_key=eval_key,
        map=curves.average(),
        ap50=_at(curves, options, 0.5),
        ap75=_at(curves, options, 0.75),
        mar=curves.average_recall(),
        by_class=by_class,
        samples=int(np.count_nonzero(outcome.predicted)),
        matched=matched,
        true_positives=of_found.count(Kind.TP),
        false_positives=of_found.count(Kind.FP),
        false_negatives=of_truth.count(Kind.FN),
        invalid=outcome.invalid,
        unpredicted=tuple(
            sample_id
            for sample_id, seen in zip(outcome.sample_ids, outcome.predicted, strict=True)
            if not seen
        ),
    )


def _at(curves: Curves, options: EvaluationOptions, iou: float) -> float | None:
    levels = [level for level, limit in enumerate(options.iou_threshs) if abs(limit - iou) < 1e-9]
    return curves.average(levels[0]) if levels else None
