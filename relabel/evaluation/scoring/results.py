"""The results of an evaluation as FiftyOne keeps them: who was matched to whom, and the curves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone.utils.eval.coco as fouec
import numpy as np
import orjson

from .marks import Kind
from .precision import RECALLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..matching.options import EvaluationOptions
    from .marks import Marked
    from .precision import Curves

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """The matches as FiftyOne keeps them: predictions, then the ground truth that was missed.

    Crowds and predictions on them are left out. The names are FiftyOne's.

    Args:
        ytrue: the class of the ground truth, or what stands for a missing one
        ypred: the class of the prediction, or what stands for a missing one
        ious: how far both overlap; NaN where one is missing
        confs: the confidence of the prediction; NaN where it is missing
        ytrue_ids: the ground truth, or None
        ypred_ids: the prediction, or None
    """

    ytrue: list[Any]
    ypred: list[Any]
    ious: Floats
    confs: Floats
    ytrue_ids: list[Any]
    ypred_ids: list[Any]

    def tuples(self) -> list[tuple[Any, ...]]:
        """As the constructor of FiftyOne's results takes them."""
        ious, confs = _or_none(self.ious), _or_none(self.confs)
        columns = (self.ytrue, self.ypred, ious, confs, self.ytrue_ids, self.ypred_ids)
        return list(zip(*columns, strict=True))


def pairs_of(found: Marked, truth: Marked, missing: str | None) -> Pairs:
    """The matches of predictions and ground truth.

    Args:
        found: the predictions
        truth: the ground truth
        missing: what stands for the class of a partner that is missing
    """
    marks, labels = found.marks, found.labels
    rows = np.flatnonzero(marks.kind != Kind.NEITHER)
    partners = marks.partner[rows]
    missed = np.flatnonzero((truth.marks.kind == Kind.FN) & (truth.marks.partner < 0))
    true_labels, true_ids = truth.labels.label, truth.labels.ids
    count = len(missed)
    return Pairs(
        ytrue=_partners(true_labels, partners, missing) + true_labels[missed].tolist(),
        ypred=labels.label[rows].tolist() + [missing] * count,
        ious=_with_nan(np.where(partners < 0, np.nan, marks.iou[rows]), count),
        confs=_with_nan(labels.confidence[rows], count),
        ytrue_ids=_partners(true_ids, partners, None) + true_ids[missed].tolist(),
        ypred_ids=labels.ids[rows].tolist() + [None] * count,
    )


def make_results(
    view: SampleCollection,
    eval_key: str,
    options: EvaluationOptions,
    *,
    method: fouec.COCOEvaluation,
    curves: Curves,
    classes: Sequence[str],
    sides: tuple[Marked, Marked],
) -> tuple[fouec.COCODetectionResults, bytes]:
    """The results as FiftyOne makes and writes them.

    Returns:
        the results, and what FiftyOne would write of them. The matches are only in the latter,
        unless there are metrics to compute from them: nobody else looks at them here
    """
    whole = bool(options.custom_metrics)
    results = fouec.COCODetectionResults(
        view,
        method.config,
        eval_key,
        pairs_of(*sides, None).tuples() if whole else [],
        curves.precision,
        RECALLS,
        list(options.iou_threshs),
        classes,
        recall_sweep=curves.recall,
        thresholds=curves.confidence,
        missing=options.missing,
        backend=method,
    )
    if whole:
        method.compute_custom_metrics(view, eval_key, results)
        return results, json.dumps(results.serialize()).encode()
    pairs = pairs_of(*sides, results.missing)
    document = results.serialize()
    document |= {
        "ytrue": pairs.ytrue,
        "ypred": pairs.ypred,
        "ious": pairs.ious,
        "confs": pairs.confs,
        "ytrue_ids": pairs.ytrue_ids,
        "ypred_ids": pairs.ypred_ids,
    }
    return results, _written(document, curves, pairs)


def _written(document: dict[str, Any], curves: Curves, pairs: Pairs) -> bytes:
    """JSON, with null for NaN. Only Python's own has words for what is infinite, which is rare."""
    if np.isinf(pairs.confs).any() or not np.isfinite(curves.confidence).all():
        document |= {"ious": _or_none(pairs.ious), "confs": _or_none(pairs.confs)}
        return json.dumps(document).encode()
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _partners(
    values: NDArray[np.object_], partners: NDArray[np.int64], missing: str | None
) -> list[Any]:
    found = np.full(len(partners), missing, dtype=object)
    there = np.flatnonzero(partners >= 0)
    found[there] = values[partners[there]]
    return list(found.tolist())


def _with_nan(values: Floats, count: int) -> Floats:
    """Values, and NaN several times behind them."""
    return np.concatenate((values, np.full(count, np.nan)))


def _or_none(values: Floats) -> list[float | None]:
    """Values, and None in place of NaN."""
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124
