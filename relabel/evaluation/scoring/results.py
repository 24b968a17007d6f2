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


@dataclass(frozen=True)
class Pairs:
    """The matches as FiftyOne keeps them: predictions, then the ground truth that was missed.

    Crowds and predictions on them are left out. The names are FiftyOne's.

    Args:
        ytrue: the class of the ground truth, or None
        ypred: the class of the prediction, or None
        ious: how far both overlap, or None
        confs: the confidence of the prediction, or None
        ytrue_ids: the ground truth, or None
        ypred_ids: the prediction, or None
    """

    ytrue: list[Any]
    ypred: list[Any]
    ious: list[Any]
    confs: list[Any]
    ytrue_ids: list[Any]
    ypred_ids: list[Any]

    def tuples(self) -> list[tuple[Any, ...]]:
        """As the constructor of FiftyOne's results takes them."""
        columns = (self.ytrue, self.ypred, self.ious, self.confs, self.ytrue_ids, self.ypred_ids)
        return list(zip(*columns, strict=True))


def pairs_of(found: Marked, truth: Marked) -> Pairs:
    """The matches of predictions and ground truth."""
    marks, labels = found.marks, found.labels
    rows = np.flatnonzero(marks.kind != Kind.NEITHER)
    partners = marks.partner[rows]
    alone = partners < 0
    missed = np.flatnonzero((truth.marks.kind == Kind.FN) & (truth.marks.partner < 0))
    nothing = [None] * len(missed)
    true_labels, true_ids = truth.labels.label, truth.labels.ids
    return Pairs(
        ytrue=_partners(true_labels, partners, alone) + true_labels[missed].tolist(),
        ypred=labels.label[rows].tolist() + nothing,
        ious=_where(~alone, marks.iou[rows]) + nothing,
        confs=labels.confidence[rows].tolist() + nothing,
        ytrue_ids=_partners(true_ids, partners, alone) + true_ids[missed].tolist(),
        ypred_ids=labels.ids[rows].tolist() + nothing,
    )


def make_results(
    view: SampleCollection,
    eval_key: str,
    options: EvaluationOptions,
    *,
    method: fouec.COCOEvaluation,
    curves: Curves,
    classes: Sequence[str],
    pairs: Pairs,
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
        pairs.tuples() if whole else [],
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
    document = results.serialize()
    document |= {
        "ytrue": _named(pairs.ytrue, results.missing),
        "ypred": _named(pairs.ypred, results.missing),
        "ious": pairs.ious,
        "confs": pairs.confs,
        "ytrue_ids": pairs.ytrue_ids,
        "ypred_ids": pairs.ypred_ids,
    }
    return results, _written(document, curves, pairs)


def _written(document: dict[str, Any], curves: Curves, pairs: Pairs) -> bytes:
    """JSON. What is not finite, which only Python's own has words for, is rare."""
    numbers = np.array(pairs.confs, dtype=float)  # NaN where there is none
    finite = np.count_nonzero(np.isfinite(numbers)) == len(numbers) - pairs.confs.count(None)
    if finite and np.isfinite(curves.confidence).all():
        return orjson.dumps(document)
    return json.dumps(document).encode()


def _partners(
    values: NDArray[np.object_], partners: NDArray[np.int64], alone: NDArray[np.bool_]
) -> list[Any]:
    found = np.full(len(partners), None, dtype=object)
    found[~alone] = values[partners[~alone]]
    return list(found.tolist())


def _where(there: NDArray[np.bool_], values: NDArray[np.float64]) -> list[float | None]:
    """Values, and None where there is none."""
    found = np.full(len(values), None, dtype=object)
    found[there] = values[there]
    return list(found.tolist())


def _named(labels: list[Any], missing: str) -> list[Any]:
    return [missing if label is None else label for label in labels]
