"""The score of some of the samples of an evaluation, without matching anything again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import EvaluationError
from .scoring.scores import classes_of, curves_of, marked, score_of
from .storing.kept import load_kept, run_ids

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from .scoring.scores import DetectionScore
    from .storing.kept import Kept


def require_kept(dataset: fo.Dataset, eval_key: str) -> Kept:
    """What Relabel keeps of an evaluation.

    Raises:
        EvaluationError: if there is none, or it was made by others
    """
    run_id = run_ids(dataset).get(eval_key)
    kept = load_kept(run_id) if run_id else None
    if kept is None:
        raise EvaluationError(
            f"Relabel has no evaluation '{eval_key}' of this dataset.",
            "Run Evaluate detections under this key.",
        )
    return kept


def score_subset(dataset: fo.Dataset, eval_key: str, view: SampleCollection) -> DetectionScore:
    """Scores an evaluation on some of its samples.

    Stock FiftyOne has the average precision of all samples only, whatever subset is chosen.

    Args:
        dataset: the dataset
        eval_key: the evaluation
        view: the samples; those that were not evaluated are left out

    Raises:
        EvaluationError: if there is no such evaluation
    """
    kept = require_kept(dataset, eval_key)
    wanted = set(view.values("id"))
    images = [number for number, one in enumerate(kept.outcome.sample_ids) if one in wanted]
    outcome = kept.outcome.take(np.array(images, dtype=np.int64))
    options = kept.comparison.options
    classes = classes_of(outcome, options)
    curves = curves_of(outcome, options, classes)
    one, other = marked(outcome, kept.comparison)
    marks = (one.marks, other.marks)
    return score_of(
        eval_key, outcome, options, curves=curves, marks=marks, classes=classes, matched=0
    )
