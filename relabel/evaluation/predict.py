"""Applies a model to samples: batched, written in bulk, one bad image costs one image."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ..compute.recipes import loaded
from .errors import LabelsAtRisk
from .predicting import predict_batches
from .ray_predicting import predict_batches_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ..compute.images import Progress, Unreadable
    from ..compute.ray_cluster import Cluster
    from ..compute.recipes import Recipe

_WRITE_EVERY = 256


@dataclass(frozen=True)
class Prediction:
    """What applying a model did.

    Args:
        field: the field that holds the predictions
        predicted: how many samples got predictions
        labels: how many labels they got in all
        skipped: how many samples had predictions already and were left alone
        unreadable: the images that could not be read
        cancelled: whether it was stopped before the end; what was done is kept
    """

    field: str
    predicted: int
    labels: int
    skipped: int
    unreadable: tuple[Unreadable, ...]
    cancelled: bool


@dataclass
class _Tally:
    predicted: int = 0
    labels: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


def apply_model(
    view: SampleCollection,
    model: Model | Recipe,
    label_field: str,
    *,
    confidence: float = 0.0,
    batch_size: int = 8,
    new_only: bool = False,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Prediction:
    """Applies a model to the images of a view.

    Args:
        view: the samples, of a dataset or view of images
        model: an image model of FiftyOne, or how it is loaded
        label_field: where the predictions go; made if missing, what it holds is replaced
        confidence: labels below this are dropped; labels without one are kept
        batch_size: how many images go through the model together
        new_only: leaves alone the samples whose field is filled already
        cluster: where the model works, which its nodes load; by default here
        progress: called with how many samples are done and how many there are
        cancelled: asked after each batch; True stops, and keeps what was done

    Returns:
        what was done

    Raises:
        LabelsAtRisk: if the field holds labels without a confidence, which no model made
    """
    _require_predictions(view, label_field)
    targets, total, skipped = _targets(view, label_field, new_only=new_only)
    tally = _Tally()
    done, stopped = 0, False
    predict = (
        partial(predict_batches_on, cluster, model=model)
        if cluster
        else partial(predict_batches, model=loaded(model))
    )
    with _Writer(view._dataset, label_field) as writer:  # noqa: SLF001
        for batch in predict(view=targets, batch_size=batch_size):
            done += len(batch)
            tally.unreadable.extend(batch.unreadable)
            for sample_id, label in zip(batch.sample_ids, batch.labels, strict=True):
                kept = _confident(label, confidence)
                writer.add(sample_id, kept)
                tally.predicted += 1
                tally.labels += _count(kept)
            if progress:
                progress(done, total)
            if cancelled and cancelled():
                stopped = done < total
                break
    return Prediction(
        field=label_field,
        predicted=tally.predicted,
        labels=tally.labels,
        skipped=skipped,
        unreadable=tuple(tally.unreadable),
        cancelled=stopped,
    )


class _Writer:
    """Gathers labels and writes them some hundreds at a time, and the rest on leaving."""

    def __init__(self, dataset: fo.Dataset, label_field: str) -> None:
        self._dataset = dataset
        self._field = label_field
        self._labels: dict[str, Any] = {}

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, sample_id: str, label: Any) -> None:
        self._labels[sample_id] = label
        if len(self._labels) >= _WRITE_EVERY:
            self._flush()

    def _flush(self) -> None:
        if self._labels:
            self._dataset.set_values(self._field, self._labels, key_field="id", dynamic=True)
            self._labels = {}


def _require_predictions(view: SampleCollection, label_field: str) -> None:
    """Holds that only what a model made is replaced: labels by hand cost months."""
    if not view.has_field(f"{label_field}.detections"):
        return
    labels = view.count(f"{label_field}.detections")
    by_hand = labels - view.count(f"{label_field}.detections.confidence")
    if by_hand:
        raise LabelsAtRisk(
            f"{by_hand:,} labels in {label_field!r} have no confidence: no model made them.",
            "Write the predictions to another field.",
        )


def _targets(
    view: SampleCollection, label_field: str, *, new_only: bool
) -> tuple[SampleCollection, int, int]:
    """The samples to predict for, how many they are, and how many are left alone."""
    total = view.count()
    if not (new_only and view.has_field(label_field)):
        return view, total, 0
    remaining = view.exists(label_field, False)  # noqa: FBT003
    count = remaining.count()
    return remaining, count, total - count


def _confident(label: Any, confidence: float) -> Any:
    if isinstance(label, fo.Detections) and confidence > 0:
        label.detections = [
            found
            for found in label.detections
            if found.confidence is None or found.confidence >= confidence
        ]
    return label


def _count(label: Any) -> int:
    if isinstance(label, fo.Detections):
        return len(label.detections)
    return int(label is not None)
