"""How a model says what it detected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.inference.image_model import PIXELS
from ..errors import NotADetector
from .image_detector import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BOXES = ("xyxy", "yxyx", "xywh", "center_xywh")
BOX_FORMATS = (*BOXES, *(f"rel_{name}" for name in BOXES))
"""Keras's names of how a box is written: in pixels of the model's input, or relative to it."""

USUAL_NAMES = (
    ("boxes", "bounding_boxes", "detection_boxes"),
    ("scores", "confidence", "confidences", "detection_scores"),
    ("classes", "labels", "class_ids", "detection_classes"),
)
_COUNT = "num_detections"
_COLUMNS = 6


@dataclass(frozen=True)
class OutputFormat:
    """How a model says what it found.

    It returns a dictionary, or a list in the order boxes, scores, classes, or one tensor
    ``[B, N, 6]`` with four columns of a box, its score and its class. Boxes are ``[B, N, 4]``,
    scores and classes ``[B, N]``; scores ``[B, N, C]`` of all classes need no classes.
    ``num_detections`` ``[B]``, if there is one, says how many rows count. What a score below zero
    has is padding. Copies of a detection are the model's to suppress.

    Args:
        boxes: how a box is written, one of :data:`BOX_FORMATS`
        names: the outputs with boxes, scores and classes, if they have other names than usual
        first_class: the id of the first name in a file of class names that says no ids
        pixels: the range in which the model expects the pixels, one of :data:`PIXELS`

    Raises:
        NotADetector: if there is no such format
    """

    boxes: str = "xyxy"
    names: tuple[str, ...] = ()
    first_class: int = 0
    pixels: str = "0 to 255"

    def __post_init__(self) -> None:
        for value, known in ((self.boxes, BOX_FORMATS), (self.pixels, PIXELS)):
            if value not in known:
                raise NotADetector(f"'{value}' is not known.", f"Use one of: {', '.join(known)}.")
        if len(self.names) not in (0, 2, 3):
            raise NotADetector(
                f"{len(self.names)} outputs are named.",
                "Name those with the boxes, the scores and the classes, or none.",
            )


def found_in(
    outputs: Mapping[str, NDArray[Any]] | Sequence[NDArray[Any]],
    output: OutputFormat,
    size: tuple[int, int],
) -> list[Found]:
    """Reads what a model returned.

    Args:
        outputs: what it returned, by name or in order
        output: how it says what it found
        size: height and width of its input

    Returns:
        what it found in each image

    Raises:
        NotADetector: if it says it in another way
    """
    boxes, scores, classes, counts = _tensors(outputs, output)
    if scores.ndim == 3:
        if classes is None:
            classes = scores.argmax(axis=2)
        scores = scores.max(axis=2)
    if classes is None or boxes.shape != (*scores.shape, 4) or classes.shape != scores.shape:
        shapes = [None if one is None else one.shape for one in (boxes, scores, classes)]
        raise NotADetector(
            "Boxes, scores and classes of the model do not fit together: "
            f"{', '.join(map(str, shapes))}.",
            "State which of its outputs they are.",
        )
    corners = _corners(boxes.astype(np.float64), output.boxes, size)
    found = []
    for row, count in enumerate(counts):
        kept = np.flatnonzero(scores[row, :count] >= 0)
        found.append(Found(corners[row, kept], scores[row, kept], classes[row, kept]))
    return found


def _corners(
    boxes: NDArray[np.float64], written: str, size: tuple[int, int]
) -> NDArray[np.float64]:
    """Left, top, right, bottom, relative to the image."""
    kind = written.removeprefix("rel_")
    if kind == "yxyx":
        boxes = boxes[..., [1, 0, 3, 2]]
    elif kind != "xyxy":
        start, extent = boxes[..., :2], boxes[..., 2:]
        if kind == "center_xywh":
            start = start - extent / 2
        boxes = np.concatenate([start, start + extent], axis=-1)
    height, width = size
    return boxes if written.startswith("rel_") else boxes / [width, height, width, height]


def _tensors(
    outputs: Mapping[str, NDArray[Any]] | Sequence[NDArray[Any]], output: OutputFormat
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, list[int | None]]:
    """Boxes, scores, classes if there are any, and how many rows count of each image."""
    if not isinstance(outputs, Mapping):
        return _in_order(list(outputs))
    wanted = [(name,) for name in output.names] or USUAL_NAMES
    chosen = [next((outputs[name] for name in names if name in outputs), None) for names in wanted]
    boxes, scores, classes = [*chosen, None][:3]
    if boxes is None or scores is None or (len(output.names) == 3 and classes is None):
        raise NotADetector(
            f"The model has no outputs {', '.join(output.names) or 'boxes and scores'}; it has "
            f"{', '.join(sorted(outputs))}.",
            "Name those with the boxes, the scores and the classes.",
        )
    return boxes, scores, classes, _rows(boxes, outputs.get(_COUNT))


def _in_order(
    tensors: list[NDArray[Any]],
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, list[int | None]]:
    if len(tensors) == 1 and tensors[0].ndim == 3 and tensors[0].shape[2] == _COLUMNS:
        table = tensors[0]
        tensors = [table[..., :4], table[..., 4], table[..., 5]]
    if len(tensors) not in (2, 3, 4):
        raise NotADetector(
            f"The model returns {len(tensors)} tensors: "
            f"{', '.join(str(one.shape) for one in tensors)}.",
            "It is to return boxes, scores and classes, or one tensor of six columns.",
        )
    boxes, scores = tensors[:2]
    classes, counts = [*tensors[2:], None, None][:2]
    return boxes, scores, classes, _rows(boxes, counts)


def _rows(boxes: NDArray[Any], counts: NDArray[Any] | None) -> list[int | None]:
    return [None] * len(boxes) if counts is None else np.ravel(counts).astype(int).tolist()
