"""Applies a model to samples: batched, written in bulk, one bad image costs one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.utils.image as foui

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

Progress = Callable[[int, int], None]
_READERS = 4
_WRITE_EVERY = 256


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read.

    Args:
        sample_id: whose image
        filepath: where it should be
        reason: what the reader said
    """

    sample_id: str
    filepath: str
    reason: str


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
    model: Model,
    label_field: str,
    *,
    confidence: float = 0.0,
    batch_size: int = 8,
    new_only: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Prediction:
    """Applies a model to the images of a view.

    Args:
        view: the samples, of a dataset or view of images
        model: the model; an image model of FiftyOne
        label_field: where the predictions go; made if missing, what it holds is replaced
        confidence: labels below this are dropped; labels without one are kept
        batch_size: how many images go through the model together
        new_only: leaves alone the samples whose field is filled already
        progress: called with how many samples are done and how many there are
        cancelled: asked after each batch; True stops, and keeps what was done

    Returns:
        what was done
    """
    targets, skipped = _targets(view, label_field, new_only=new_only)
    writer = _Writer(view._dataset, label_field)  # noqa: SLF001
    tally = _Tally()
    done, stopped = 0, False
    with model, writer:
        for batch in _read_ahead(targets, max(1, batch_size)):
            done += len(batch)
            readable = _sort_out(batch, tally)
            predictions = model.predict_all([image for _, image in readable]) if readable else []
            for (sample_id, _), label in zip(readable, predictions, strict=True):
                kept = _confident(label, confidence)
                writer.add(sample_id, kept)
                tally.predicted += 1
                tally.labels += _count(kept)
            if progress:
                progress(done, len(targets))
            if cancelled and cancelled():
                stopped = done < len(targets)
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


_Target = tuple[str, str]
_Read = tuple[str, str, Future[Any]]


def _targets(
    view: SampleCollection, label_field: str, *, new_only: bool
) -> tuple[list[_Target], int]:
    total = view.count()
    if new_only and view.has_field(label_field):
        view = view.exists(label_field, False)  # noqa: FBT003
    ids, paths = view.values(["id", "filepath"])
    return list(zip(ids, paths, strict=True)), total - len(ids)


def _read_ahead(targets: Sequence[_Target], batch_size: int) -> Iterator[list[_Read]]:
    """Yields batches of images; the next batch is being read while one is worked on."""
    remaining = iter(targets)
    with ThreadPoolExecutor(_READERS) as readers:

        def next_batch() -> list[_Read]:
            chunk = islice(remaining, batch_size)
            return [(key, path, readers.submit(foui.read, path)) for key, path in chunk]

        batch = next_batch()
        while batch:
            following = next_batch()
            yield batch
            batch = following


def _sort_out(batch: Sequence[_Read], tally: _Tally) -> list[tuple[str, Any]]:
    """Returns what could be read, and notes what could not."""
    readable = []
    for sample_id, path, image in batch:
        error = image.exception()
        if error is None:
            readable.append((sample_id, image.result()))
        else:
            tally.unreadable.append(Unreadable(sample_id, path, str(error)))
    return readable


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
