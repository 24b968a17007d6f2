"""What a model predicts of a few images at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from fiftyone import Label

from ..compute.batches import Shrinking, most_at_once
from ..compute.images import read_files
from .errors import NotALabel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ..compute.images import Unreadable


@dataclass(frozen=True)
class Predicted:
    """The predictions of some samples.

    Args:
        sample_ids: the samples whose images could be read
        labels: what the model says of each
        unreadable: the other images
    """

    sample_ids: tuple[str, ...]
    labels: tuple[Any, ...]
    unreadable: tuple[Unreadable, ...]

    def __len__(self) -> int:
        return len(self.sample_ids) + len(self.unreadable)


def predict_batches(
    view: SampleCollection,
    model: Model,
    *,
    batch_size: int = 8,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[Predicted]:
    """Applies a model batch by batch, in the order of the view.

    Args:
        view: the samples
        model: an image model
        batch_size: how many images go through it together; fewer when memory runs out
        leave_out: samples of which nothing is wanted
    """
    predict = Shrinking(model.predict_all, most_at_once(model, batch_size))
    return predict_files(files_of(view, leave_out), model, predict, batch_size)


def files_of(view: SampleCollection, leave_out: Collection[str]) -> list[tuple[str, str]]:
    """The ids of samples with the paths of their images, but for some."""
    ids, paths = view.values(["id", "filepath"])
    return [found for found in zip(ids, paths, strict=True) if found[0] not in leave_out]


def predict_files(
    files: Iterable[tuple[str, str]], model: Model, predict: Shrinking, batch_size: int
) -> Iterator[Predicted]:
    """The same of samples' ids with the paths of their images.

    Args:
        files: these
        model: the model, which is entered
        predict: what applies it
        batch_size: how many images are read together

    Raises:
        NotALabel: if the model returns something else
    """
    with model:
        for batch in read_files(files, batch_size):
            labels = map(_require_label, chain.from_iterable(predict(batch.images)))
            yield Predicted(batch.sample_ids, tuple(labels), batch.unreadable)


def _require_label(found: Any) -> Any:
    if found is None or isinstance(found, Label):
        return found
    raise NotALabel(
        f"The model returns {type(found).__name__} for an image, not a label of FiftyOne's.",
        "Choose a model that predicts one label, or one set of labels, for each image.",
    )
