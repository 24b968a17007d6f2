"""Between the labels of samples and the shapes of a task: the one place that knows their kinds."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ..labels import boxes
from . import storage
from .diff import PulledShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo

    from ..cvat import Shape
    from ..labels import Drawn, LabelSchema
    from ..labels.schema import ServerNames
    from .media import RoundImage

_SHAPE_TYPE = "rectangle"


def draw_labels(
    documents: Iterable[Mapping[str, Any]] | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Drawn]:
    """The labels of one image as CVAT draws them.

    Args:
        documents: its labels as MongoDB holds them, or None for an empty field
        size: its width and height in pixels
        schema: the attributes that travel

    Returns:
        label id -> how CVAT draws it

    Raises:
        MalformedLabel: if one of them is not what its type says
    """
    return {
        str(document["_id"]): boxes.to_drawn(document, size, schema)
        for document in documents or ()
    }


def draw_images(
    dataset: fo.Dataset, field: str, images: Sequence[RoundImage], schema: LabelSchema
) -> list[dict[str, Drawn]]:
    """The labels of images as CVAT draws them, image by image."""
    documents = storage.read_labels(dataset, field, [image.sample_id for image in images])
    return [draw_labels(documents.get(image.sample_id), image.size, schema) for image in images]


def to_shapes(drawn: Iterable[Mapping[str, Drawn]], names: ServerNames) -> list[Shape]:
    """The shapes to send for the labels of a task's images, image by image."""
    return [
        names.shape(label, label_id, frame)
        for frame, labels in enumerate(drawn)
        for label_id, label in labels.items()
    ]


def read_shapes(
    shapes: Iterable[Shape], names: ServerNames, schema: LabelSchema
) -> tuple[dict[int, list[PulledShape]], int]:
    """Reads the shapes of a task.

    Returns:
        frame -> its shapes; and how many there are of kinds that the field cannot hold
    """
    by_frame: dict[int, list[PulledShape]] = defaultdict(list)
    others = 0
    for shape in shapes:
        if shape.type != _SHAPE_TYPE or shape.id is None:
            others += 1
            continue
        drawn, carried_id = names.read(shape, schema)
        by_frame[shape.frame].append(PulledShape(shape.id, carried_id, drawn))
    return by_frame, others
