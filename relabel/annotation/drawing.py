"""Between the labels of samples and the shapes of a task."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from ..labels import MalformedLabel
from . import storage
from .diff import PulledShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import fiftyone as fo

    from ..cvat import Shape
    from ..labels import Drawn, LabelSchema
    from ..labels.schema import ServerNames
    from .media import RoundImage


@dataclass(frozen=True)
class PulledShapes:
    """The shapes of a task as a field can hold them.

    Args:
        by_frame: frame -> its shapes
        remarks: what was made into something else, and what the field cannot hold
    """

    by_frame: dict[int, list[PulledShape]]
    remarks: tuple[str, ...] = ()


def draw_labels(
    documents: Iterable[Mapping[str, Any]] | None, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Drawn]:
    """The labels of one image as CVAT draws them.

    Args:
        documents: its labels as MongoDB holds them, or None for an empty field
        size: its width and height in pixels
        schema: the attributes that travel

    Returns:
        label id -> how CVAT draws it; labels of which nothing can be drawn are not among it

    Raises:
        MalformedLabel: if one of them is not what its type says, or two have the same id
    """
    documents = list(documents or ())
    if storage.has_doubles(documents):
        raise _doubles(documents)
    to_drawn = schema.label_kind.to_drawn
    drawn = {str(doc["_id"]): to_drawn(doc, size, schema) for doc in documents}
    return {label_id: label for label_id, label in drawn.items() if label is not None}


def draw_images(
    dataset: fo.Dataset, field: str, images: Sequence[RoundImage], schema: LabelSchema
) -> list[dict[str, Drawn]]:
    """The labels of images as CVAT draws them, image by image."""
    ids = [image.sample_id for image in images]
    documents = storage.read_labels(dataset, field, ids, schema.label_kind)
    return [draw_labels(documents.get(image.sample_id), image.size, schema) for image in images]


def to_shapes(
    drawn: Iterable[Mapping[str, Drawn]],
    names: ServerNames,
    first: int = 0,
    groups: Iterator[int] | None = None,
) -> list[Shape]:
    """The shapes to send for the labels of a task's images, image by image.

    Args:
        drawn: the labels of each image
        names: the classes of the task
        first: the frame of the first of these images
        groups: numbers that no group of shapes has yet, by default from 1
    """
    free = groups or count(1)
    return [
        shape
        for frame, labels in enumerate(drawn, first)
        for label_id, label in labels.items()
        for shape in names.shapes(label, label_id, frame, next(free) if label.more else 0)
    ]


def shape_ids(put: Iterable[Shape], names: ServerNames, schema: LabelSchema) -> dict[str, int]:
    """The ids that shapes got: label id -> the server's id of its first part."""
    found: dict[str, int] = {}
    for shape in put:
        found.setdefault(names.read(shape, schema).label_id, shape.id or 0)
    return found


def read_shapes(shapes: Iterable[Shape], names: ServerNames, schema: LabelSchema) -> PulledShapes:
    """Reads the shapes of a task."""
    by_frame: dict[int, list[PulledShape]] = defaultdict(list)
    converted: Counter[str] = Counter()
    left: Counter[str] = Counter()
    unknown: set[str] = set()
    for shape in shapes:
        read = names.read(shape, schema)
        unknown |= read.unknown
        drawn = schema.label_kind.accept(read.drawn)
        if drawn is None or shape.id is None:
            left[shape.type] += 1
            continue
        if drawn.type != shape.type:
            converted[shape.type] += 1
        pulled = PulledShape(shape.id, read.label_id, drawn, read.part)
        by_frame[shape.frame].append(pulled)
    holder = f"a field of {schema.label_kind.field_class}"
    remarks = [
        *(f"{n} of type {name} became what {holder} can hold." for name, n in converted.items()),
        *(f"{n} of type {name} stay in CVAT only, not in {holder}." for name, n in left.items()),
        *(
            f"The attribute {name!r} was added in CVAT; it stays there."
            for name in sorted(unknown)
        ),
    ]
    return PulledShapes(dict(by_frame), tuple(remarks))


def _doubles(documents: Sequence[Mapping[str, Any]]) -> MalformedLabel:
    counts = Counter(str(document["_id"]) for document in documents)
    label_id, number = counts.most_common(1)[0]
    return MalformedLabel(
        f"{number} labels of one image have the id {label_id}.",
        "Replace all but one by their copy(), which has an id of its own.",
    )
