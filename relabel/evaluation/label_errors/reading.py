"""Reads labels and predictions of samples; what cannot be judged is reported and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..fields import require_predictions
from ..matching.options import CROWD
from ..matching.tables import read_detections
from ..matching.validity import invalid_labels, is_valid, require_confidences
from .scene import AttributeValues, Scene, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..matching.tables import Detections
    from ..matching.validity import InvalidLabel


@dataclass(frozen=True)
class Read:
    """Labels and predictions of some samples.

    Args:
        sample_ids: the samples, which number the images
        scene: their labels and predictions
        invalid: labels and predictions that were left out
        unpredicted: the samples that have no predictions, not even none; their labels are left out
    """

    sample_ids: Sequence[str]
    scene: Scene
    invalid: tuple[InvalidLabel, ...]
    unpredicted: tuple[str, ...]


def read_scene(
    view: SampleCollection,
    predictions: str,
    ground_truth: str,
    attributes: Sequence[str] = (),
    *,
    crowd: str = CROWD,
) -> Read:
    """Reads labels and predictions.

    Args:
        view: the samples
        predictions: the field of the predictions, each with a confidence
        ground_truth: the field of the labels
        attributes: attributes that both fields have
        crowd: the attribute that says that a label stands for a crowd

    Raises:
        EvaluationError: if no sample has predictions, or no prediction has a confidence
    """
    sample_ids, (found, truth) = read_detections(view, [predictions, ground_truth], crowd=crowd)
    seen = set(view.exists(predictions).values("id"))
    unpredicted = tuple(one for one in sample_ids if one not in seen)
    require_predictions(len(sample_ids), len(unpredicted), predictions)
    unranked = int(np.count_nonzero(np.isnan(found.confidence)))
    require_confidences(len(found) - unranked, unranked, predictions)
    invalid = (
        *invalid_labels(found, predictions, sample_ids, ranked=True),
        *invalid_labels(truth, ground_truth, sample_ids),
    )
    # Where the model has not looked, it does not speak against a label.
    predicted = np.array([one in seen for one in sample_ids], dtype=bool)
    usable, usable_truth = is_valid(found, ranked=True), is_valid(truth) & predicted[truth.image]
    values = [
        AttributeValues(
            name,
            _flat(view, f"{ground_truth}.detections.{name}", truth)[usable_truth],
            _flat(view, f"{predictions}.detections.{name}", found)[usable],
        )
        for name in attributes
    ]
    scene = look(truth.only(usable_truth), found.only(usable), values, crowd=crowd)
    return Read(sample_ids, scene, invalid, unpredicted)


def _flat(view: SampleCollection, path: str, labels: Detections) -> NDArray[np.object_]:
    """The values of an attribute in the order of the labels."""
    counts = np.bincount(labels.image, minlength=0)
    values = np.full(len(labels), None, dtype=object)
    begin = 0
    of_images = view.values(path, _raw=True)
    for count, of_image in zip(counts.tolist(), of_images, strict=False):
        if of_image:
            values[begin : begin + count] = of_image
        begin += count
    return values
