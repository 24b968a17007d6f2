"""Applies a model to samples: batched, written in bulk, one bad image costs one image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...compute.inference.recipes import loaded
from ..errors import LabelsAtRisk
from .checkpoints import Checkpoint, count_labels
from .parts import predict_batches
from .ray_parts import predict_batches_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ...compute.cluster.ray_cluster import Cluster
    from ...compute.inference.images import Progress, Unreadable
    from ...compute.inference.recipes import Recipe


@dataclass(frozen=True)
class Prediction:
    """What applying a model did.

    Args:
        field: the field that holds the predictions
        predicted: how many samples got predictions
        labels: how many labels they got in all
        skipped: how many samples had predictions already and were left alone
        resumed: how many of those predicted an earlier run had done that was stopped
        unreadable: the images that could not be read
    """

    field: str
    predicted: int
    labels: int
    skipped: int
    resumed: int
    unreadable: tuple[Unreadable, ...]


def apply_model(
    view: SampleCollection,
    model: Model | Recipe,
    label_field: str,
    *,
    confidence: float = 0.0,
    batch_size: int | None = None,
    new_only: bool = False,
    cluster: Cluster | None = None,
    made_by: object | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] | None = None,
) -> Prediction:
    """Applies a model to the images of a view.

    The field is written at the end, all at once: a run that was stopped, whatever stopped it,
    leaves it as it was.

    Args:
        view: the samples, of a dataset or view of images
        model: an image model of FiftyOne, or how it is loaded
        label_field: where the predictions go; made if missing, what it holds is replaced
        confidence: labels below this are dropped; labels without one are kept
        batch_size: how many images go through the model together; fewer when memory runs out. By
            default 8, and on a GPU as many as make it fastest, found by trying
        new_only: leaves alone the samples whose field is filled already
        cluster: where the model works, which its nodes load; by default here
        made_by: a JSON value that names the model, with whatever decides what it predicts. Then
            the next run of the same goes on with what a run that was stopped has done
        progress: called with how many samples are done and how many there are; may raise, which
            stops it
        before_writing: called once before the field is written; may raise, which stops it

    Returns:
        what was done

    Raises:
        LabelsAtRisk: if the field holds labels without a confidence, which no model made
        PredictionsLost: if another run of the same wrote what this one had predicted
    """
    _require_predictions(view, label_field)
    targets, total, skipped = _targets(view, label_field, new_only=new_only)
    unreadable: list[Unreadable] = []
    predict = (
        partial(predict_batches_on, cluster, model=model)
        if cluster
        else partial(predict_batches, model=loaded(model))
    )
    with Checkpoint(made_by and [made_by, confidence]) as checkpoint:
        labels = checkpoint.resume(targets)
        resumed = len(labels)
        for batch in predict(view=targets, batch_size=batch_size, leave_out=frozenset(labels)):
            unreadable.extend(batch.unreadable)
            for sample_id, label in zip(batch.sample_ids, batch.labels, strict=True):
                kept = _confident(label, confidence)
                checkpoint.add(sample_id, kept)
                labels[sample_id] = count_labels(kept)
            if progress:
                progress(len(labels) + len(unreadable), total)
        checkpoint.flush()
        if before_writing:
            before_writing()
        checkpoint.write(view._dataset, label_field, labels)  # noqa: SLF001
        checkpoint.discard(labels)
    return Prediction(
        field=label_field,
        predicted=len(labels),
        labels=sum(labels.values()),
        skipped=skipped,
        resumed=resumed,
        unreadable=tuple(unreadable),
    )


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
