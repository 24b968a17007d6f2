"""What a model predicts of a few images at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone.core.models import SamplesMixin

from ...compute.inference.batches import fitting
from ...compute.inference.images import read_files
from ..errors import NotADetector, NotALabel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ...compute.inference.batches import Fitting
    from ...compute.inference.images import Unreadable

USUAL_BATCH = 8


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
    batch_size: int | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[Predicted]:
    """Applies a model batch by batch, in the order of the view.

    Args:
        view: the samples
        model: an image model
        batch_size: how many images go through it together; fewer when memory runs out. None for
            `USUAL_BATCH`, which on a GPU grows as long as that makes it faster
        leave_out: samples of which nothing is wanted

    Raises:
        NotADetector: if the model needs more than images
        NotALabel: if it returns something else than a label
    """
    predict = fitting(model, model.predict_all, batch_size, USUAL_BATCH)
    return predict_files(files_of(view, leave_out), model, predict, batch_size or USUAL_BATCH)


def files_of(view: SampleCollection, leave_out: Collection[str]) -> list[tuple[str, str]]:
    """The ids of samples with the paths of their images, but for some."""
    ids, paths = view.values(["id", "filepath"])
    return [found for found in zip(ids, paths, strict=True) if found[0] not in leave_out]


def predict_files(
    files: Iterable[tuple[str, str]], model: Model, predict: Fitting, batch_size: int
) -> Iterator[Predicted]:
    """The same of samples' ids with the paths of their images.

    Args:
        files: these
        model: the model, which is entered
        predict: what applies it
        batch_size: how many images are read together at least

    Raises:
        NotADetector: if the model needs more than images
        NotALabel: if it returns something else than a label
    """
    require_image_model(model)
    with model:
        for batch in read_files(files, lambda: max(batch_size, predict.at_most)):
            labels = map(_one_label, chain.from_iterable(predict(batch.images)))
            yield Predicted(batch.sample_ids, tuple(labels), batch.unreadable)


def require_image_model(model: Model) -> None:
    """Checks that a model needs no more than images.

    Raises:
        NotADetector: if it does
    """
    if model.media_type != "image":
        raise NotADetector(
            f"The model takes a {model.media_type}, not an image.", "Choose a model of images."
        )
    if isinstance(model, SamplesMixin):
        raise NotADetector(
            "The model needs more than the image, e.g. labels to start from.",
            "Apply it in Python: dataset.apply_model(model, ...).",
        )


def _one_label(said: Any) -> Any:
    """What goes into the field: of several things that a model says, the detections."""
    things = list(said.values()) if isinstance(said, dict) else []
    detections = [one for one in things if isinstance(one, fo.Detections)]
    found = detections[0] if len(detections) == 1 else said
    if found is None or isinstance(found, fo.Label):
        return found
    raise NotALabel(
        f"The model returns {type(found).__name__} for an image, not a label of FiftyOne's.",
        "Choose a model that predicts one label, or one set of labels, for each image.",
    )
