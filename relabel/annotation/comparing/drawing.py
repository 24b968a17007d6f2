"""Between the labels of samples and the shapes of a task."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from ...labels import MalformedLabel, UnknownClass
from ...labels.drawn import problem_of
from ...labels.tracks import with_indices
from ..dataset import storage
from .pulled_shape import PulledShape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import Shape
    from ...labels import Drawn, LabelSchema
    from ...labels.server_names import ServerNames
    from ..dataset.media import RoundImage
    from ..record.baseline import SentFrame, Start
    from ..record.request import RoundField
    from .naming import TaskNames


@dataclass(frozen=True)
class PulledShapes:
    """The shapes of a task as a field can hold them.

    Args:
        by_frame: frame and field -> the shapes there
        remarks: what was made into something else, and what no field can hold
        unreadable: frame -> why a shape on it cannot be read
    """

    by_frame: dict[tuple[int, str], list[PulledShape]]
    remarks: tuple[str, ...] = ()
    unreadable: Mapping[int, str] = dataclasses.field(default_factory=dict)

    def at(self, frame: SentFrame) -> Sequence[PulledShape]:
        """The shapes of a field of an image."""
        return self.by_frame.get((frame.frame, frame.place.field), ())


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
    to_drawn = schema.label_kind.to_drawn
    drawn = {str(doc["_id"]): to_drawn(doc, size, schema) for doc in documents}
    if len(drawn) < len(documents):
        raise _doubles(documents)
    there = {label_id: label for label_id, label in drawn.items() if label is not None}
    return with_indices(there, documents) if schema.tracks else there


def draw_images(
    dataset: fo.Dataset,
    field: RoundField,
    images: Sequence[RoundImage],
    starts: Sequence[Mapping[str, Start]],
) -> list[dict[str, Drawn]]:
    """The labels of a field of images as CVAT draws them.

    Args:
        dataset: the dataset
        field: the field
        images: the images
        starts: image by image what labels start from that are not in the field yet

    Returns:
        image by image, label id -> how CVAT draws it
    """
    schema = field.schema
    places = [image.place(field.name) for image in images]
    documents = storage.read_labels(dataset, places, {field.name: schema.label_kind})
    return [
        draw_labels(
            [*(documents.get(place) or ()), *(start.document for start in of_image.values())],
            image.size,
            schema,
        )
        for place, image, of_image in zip(places, images, starts, strict=True)
    ]


def check_offered(drawn: Iterable[Mapping[str, Drawn]], field: RoundField) -> None:
    """Holds that annotators can choose the class of every label that they will see.

    Raises:
        UnknownClass: if not
    """
    present = {label.label for labels in drawn for label in labels.values()}
    missing = present - set(field.schema.classes)
    if missing:
        raise UnknownClass(
            f"{field.name!r} has labels of the classes {', '.join(sorted(missing))}.",
            "Add them to the classes for annotators.",
        )


def to_shapes(
    drawn: Iterable[Mapping[str, Drawn]],
    names: ServerNames,
    frames: Iterable[int],
    groups: Iterator[int] | None = None,
) -> list[Shape]:
    """The shapes to send for the labels of a task's images, image by image.

    Args:
        drawn: the labels of each image
        names: the classes of the task
        frames: the frame of each image
        groups: numbers that no group of shapes has yet, by default from 1
    """
    free = groups or count(1)
    return [
        shape
        for frame, labels in zip(frames, drawn, strict=True)
        for label_id, label in labels.items()
        for shape in names.shapes(label, label_id, frame, next(free) if label.more else 0)
    ]


def shape_ids(
    put: Iterable[Shape], names: TaskNames, values: Mapping[tuple[int, str], str]
) -> dict[str, int]:
    """The ids that shapes got: label id -> the server's id of its first part.

    Ids grow in the order in which shapes were sent; answers may list them in another.

    Args:
        put: the shapes as the server has stored them
        names: the classes of the task
        values: frame and field -> the id of the label, of fields whose shapes carry none
    """
    found: dict[str, int] = {}
    for shape in put:
        (field,) = names.fields_for(shape)
        read, shape_id = names.of_field(field.name).read(shape, field.schema), shape.id or 0
        label_id = read.label_id or values.get((shape.frame, field.name), "")
        found[label_id] = min(shape_id, found.get(label_id, shape_id))
    return found


def read_shapes(shapes: Iterable[Shape], names: TaskNames) -> PulledShapes:
    """Reads the shapes of a task.

    A shape whose class was added in CVAT goes to the first field that can hold it. Whatever else
    is on its frame, a shape that cannot be read makes it unreadable: without it, a label of that
    frame would look removed.
    """
    by_frame: dict[tuple[int, str], list[PulledShape]] = defaultdict(list)
    converted: Counter[tuple[str, str]] = Counter()
    left: Counter[tuple[str, str]] = Counter()
    approximate: Counter[str] = Counter()
    unknown: set[str] = set()
    unreadable: dict[int, str] = {}
    for shape in shapes:
        fields = names.fields_for(shape)
        for field in fields:
            read = names.of_field(field.name).read(shape, field.schema)
            if problem := problem_of(read.drawn):
                unreadable[shape.frame] = f"{problem} Correct or delete it in CVAT."
                break
            drawn = field.schema.label_kind.accept(read.drawn)
            if drawn is None or shape.id is None or not field.schema.takes(drawn.label):
                continue
            unknown |= read.unknown
            if drawn.type != shape.type:
                converted[shape.type, field.schema.label_kind.field_class] += 1
            if field.schema.tracks and shape.of_track:
                drawn = replace(drawn, keyframe=shape.keyframe)
            pulled = PulledShape(shape.id, read.label_id, drawn, read.part)
            by_frame[shape.frame, field.name].append(pulled)
            if shape.approximate:
                approximate[shape.type] += 1
            break
        else:
            left[shape.type, fields[0].schema.label_kind.field_class] += 1
    remarks = _remarks(converted, left, approximate, unknown)
    return PulledShapes(dict(by_frame), remarks, unreadable)


def _remarks(
    converted: Mapping[tuple[str, str], int],
    left: Mapping[tuple[str, str], int],
    approximate: Mapping[str, int],
    unknown: Iterable[str],
) -> tuple[str, ...]:
    return (
        *(
            f"{n} of type {name} became what a field of {holder} can hold."
            for (name, holder), n in converted.items()
        ),
        *(
            f"{n} of type {name} stay in CVAT only, not in a field of {holder}."
            for (name, holder), n in left.items()
        ),
        *(
            f"{n} of type {name} lie between two keyframes, where CVAT may draw them slightly "
            "otherwise. Make a keyframe of each that has to be exact."
            for name, n in approximate.items()
        ),
        *(
            f"The attribute {name!r} is none of the round's; it stays in CVAT."
            for name in sorted(unknown)
        ),
    )


def _doubles(documents: Sequence[Mapping[str, Any]]) -> MalformedLabel:
    counts = Counter(str(document["_id"]) for document in documents)
    label_id, number = counts.most_common(1)[0]
    return MalformedLabel(
        f"{number} labels of one image have the id {label_id}.",
        "Replace all but one by their copy(), which has an id of its own.",
    )
