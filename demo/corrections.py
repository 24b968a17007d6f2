"""What a careful person would change in the annotations of one image. No network in here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from demo.truth import Box, ImageTruth, Label, iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A box this far off in pixels, or less, is left as it is.
TOLERANCE = 1.0
# With less overlap a shape is not taken for an object.
LEAST_IOU = 0.2
DOUBLED_IOU = 0.5
CROWD_ATTRIBUTE = "iscrowd"

Shape = dict[str, Any]


@dataclass(frozen=True)
class Vocabulary:
    """The labels of a job: CVAT's description of each, by its name."""

    labels: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, labels: Iterable[dict[str, Any]]) -> Vocabulary:
        """From the results of `GET /api/labels`."""
        return cls({label["name"]: label for label in labels})

    def name(self, label_id: int) -> str | None:
        """The name of a label, None if the job has no such label."""
        return next((name for name, one in self.labels.items() if one["id"] == label_id), None)

    def values(self, shape: Shape) -> dict[str, str]:
        """The attributes of a shape by name."""
        specs = self.labels[self.name(shape["label_id"])]["attributes"]
        names = {spec["id"]: spec["name"] for spec in specs}
        return {
            names[one["spec_id"]]: one["value"]
            for one in shape.get("attributes", ())
            if one["spec_id"] in names
        }

    def attributes(self, name: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Attributes as a label of this name takes them; those not given get their default."""
        return [
            {"spec_id": spec["id"], "value": values.get(spec["name"], spec["default_value"])}
            for spec in self.labels[name]["attributes"]
        ]

    def can_be_crowd(self, name: str) -> bool:
        """Whether a label has the attribute that says so."""
        return any(spec["name"] == CROWD_ATTRIBUTE for spec in self.labels[name]["attributes"])


@dataclass
class Edits:
    """What to do with the annotations, and how often each thing was done.

    Attributes:
        create: shapes without ids.
        update: whole shapes with their ids.
        delete: whole shapes with their ids.
        counts: by kind: moved, reclassified, crowd, added, doubled, spurious, untouched, and
            impossible, where the job has no such label.
    """

    create: list[Shape] = field(default_factory=list)
    update: list[Shape] = field(default_factory=list)
    delete: list[Shape] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def plan_edits(
    image: ImageTruth, frame: int, shapes: Iterable[Shape], vocabulary: Vocabulary, edits: Edits
) -> None:
    """Adds to `edits` the fewest edits that turn the shapes of a frame into the truth.

    Only rectangles whose label is a class of the truth or could be one (the name is a digit) are
    looked at; everything else on the frame stays as it is.
    """
    ours = [shape for shape in shapes if _is_ours(shape, vocabulary)]
    pairs = _pair(image, ours, vocabulary)
    for truth, shape in pairs:
        if shape is None:
            _add(image, truth, frame, vocabulary, edits)
        else:
            _mend(image, truth, shape, vocabulary, edits)
    taken = {shape["id"] for _, shape in pairs if shape is not None}
    for shape in ours:
        if shape["id"] not in taken:
            edits.delete.append(shape)
            edits.counts["doubled" if _covers_one(image, shape) else "spurious"] += 1


def pixel_points(image: ImageTruth, box: Box) -> list[float]:
    """A relative box as CVAT's rectangle: left, top, right, bottom in pixels."""
    left, top, width, height = box
    return [
        left * image.width,
        top * image.height,
        (left + width) * image.width,
        (top + height) * image.height,
    ]


def _is_ours(shape: Shape, vocabulary: Vocabulary) -> bool:
    name = vocabulary.name(shape["label_id"])
    return shape["type"] == "rectangle" and name is not None and name.isdigit()


def _relative_box(image: ImageTruth, shape: Shape) -> Box:
    left, top, right, bottom = shape["points"]
    return (
        left / image.width,
        top / image.height,
        (right - left) / image.width,
        (bottom - top) / image.height,
    )


def _pair(
    image: ImageTruth, shapes: list[Shape], vocabulary: Vocabulary
) -> list[tuple[Label, Shape | None]]:
    """The best one-to-one pairing of objects and shapes: by overlap, then class, then crowd."""
    if not shapes or not image.objects:
        return [(truth, None) for truth in image.objects]
    fit = np.zeros((len(image.objects), len(shapes)))
    for row, truth in enumerate(image.objects):
        for column, shape in enumerate(shapes):
            overlap = iou(truth.bounding_box, _relative_box(image, shape))
            if overlap >= LEAST_IOU:
                same_class = vocabulary.name(shape["label_id"]) == truth.label
                same_crowd = _is_crowd(shape, vocabulary) == truth.iscrowd
                fit[row, column] = overlap + 0.5 * same_class + 0.1 * same_crowd
    rows, columns = linear_sum_assignment(fit, maximize=True)
    chosen = {
        row: shapes[column]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if fit[row, column] > 0
    }
    return [(truth, chosen.get(row)) for row, truth in enumerate(image.objects)]


def _is_crowd(shape: Shape, vocabulary: Vocabulary) -> bool:
    return vocabulary.values(shape).get(CROWD_ATTRIBUTE, "false").lower() == "true"


def _mend(
    image: ImageTruth, truth: Label, shape: Shape, vocabulary: Vocabulary, edits: Edits
) -> None:
    """Changes of a shape only what is wrong with it."""
    mended = dict(shape)
    points = pixel_points(image, truth.bounding_box)
    done = []
    if np.abs(np.subtract(points, shape["points"])).max() > TOLERANCE:
        mended["points"] = points
        done.append("moved")
    name = vocabulary.name(shape["label_id"])
    if name != truth.label:
        if truth.label in vocabulary.labels:
            name = truth.label
            done.append("reclassified")
        else:
            edits.counts["impossible"] += 1
    values = vocabulary.values(shape)
    if vocabulary.can_be_crowd(name) and _is_crowd(shape, vocabulary) != truth.iscrowd:
        values[CROWD_ATTRIBUTE] = _word(truth)
        done.append("crowd")
    mended["label_id"] = vocabulary.labels[name]["id"]
    if {"reclassified", "crowd"} & set(done):
        mended["attributes"] = vocabulary.attributes(name, values)
    if done:
        edits.update.append(mended)
    edits.counts.update(done or ["untouched"])


def _add(
    image: ImageTruth, truth: Label, frame: int, vocabulary: Vocabulary, edits: Edits
) -> None:
    if truth.label not in vocabulary.labels:
        edits.counts["impossible"] += 1
        return
    edits.create.append(
        {
            "type": "rectangle",
            "frame": frame,
            "label_id": vocabulary.labels[truth.label]["id"],
            "points": pixel_points(image, truth.bounding_box),
            "attributes": vocabulary.attributes(truth.label, {CROWD_ATTRIBUTE: _word(truth)}),
        }
    )
    edits.counts["added"] += 1


def _word(truth: Label) -> str:
    """A checkbox as it goes over the wire."""
    return "true" if truth.iscrowd else "false"


def _covers_one(image: ImageTruth, shape: Shape) -> bool:
    box = _relative_box(image, shape)
    return any(iou(box, truth.bounding_box) >= DOUBLED_IOU for truth in image.objects)
