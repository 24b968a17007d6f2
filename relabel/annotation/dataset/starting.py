"""Labels of one field from which those of another start, such as a model's predictions.

Annotators see them as shapes, and FiftyOne's new field stays as it is until a pull. What is then
still in CVAT becomes a label with an id of its own: a copy of its source, with the confidence, the
tags and the attributes of that, and with what annotators changed on top. What brain runs and
evaluations left on the source is not copied: it is not true of the copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fiftyone import ViewField

from ..errors import UnsupportedField
from ..record.baseline import Start
from . import storage
from .facts import label_path, left_by_runs, travelling_fields
from .videos import FRAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo
    from bson import ObjectId

    from ..record.request import RoundField
    from .media import RoundImage


def check_start(dataset: fo.Dataset, field: RoundField) -> None:
    """Holds that labels of a field can start from those that it names.

    Raises:
        UnsupportedField: if that is no other field of the same kind
    """
    source = field.start_from
    if source is None:
        return
    kind = travelling_fields(dataset).get(source)
    if source == field.name or kind is None or kind.name != field.schema.kind:
        raise UnsupportedField(
            f"The labels of {field.name!r} cannot start from {source!r}.",
            f"Choose another field of {field.schema.kind} to start from.",
        )


def without_labels(samples: fo.SampleCollection, field: str) -> fo.SampleCollection:
    """The samples, or the frames, that have no label in a field, which may not exist yet."""
    kind = travelling_fields(samples._root_dataset).get(field)  # noqa: SLF001 - no public name
    if kind is None:
        return samples
    if field.startswith(FRAMES):
        value = ViewField(label_path(field, kind).removeprefix(FRAMES))
        return samples.match_frames(value.length() == 0 if kind.path else ~value.exists())
    if kind.path is None:
        return samples.exists(field, bool=False)
    return samples.match(ViewField(label_path(field, kind)).length() == 0)


def find_starts(
    dataset: fo.Dataset, round_id: ObjectId, field: RoundField, images: Sequence[RoundImage]
) -> list[dict[str, Start]]:
    """What labels of a field start from, on the images where it has none.

    Args:
        dataset: the dataset
        round_id: the round
        field: the field
        images: the images

    Returns:
        image by image, the id of a new label -> what it starts from; in one round it is always the
        same id, whichever job a label is drawn in
    """
    if field.start_from is None:
        return [{} for _ in images]
    kind = field.schema.label_kind
    own = [image.place(field.name) for image in images]
    sources = [image.place(field.start_from) for image in images]
    kinds = {field.name: kind, field.start_from: kind}
    found = storage.read_labels(dataset, [*own, *sources], kinds)
    hidden = left_by_runs(dataset)
    return [
        {
            str(copy["_id"]): Start(source_id, copy)
            for source_id, copy in kind.copies(
                [] if found.get(place) else found.get(source) or [], hidden, f"{round_id}/{place}"
            )
        }
        for place, source in zip(own, sources, strict=True)
    ]
