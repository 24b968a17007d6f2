"""What a plan needs to know of many images, remembered until the dataset changes.

Looking costs a scan of the images and all their labels. A form asks again at every keystroke, and
what was typed mostly changes neither the images nor the fields.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from cachetools import TTLCache, cached
from pymongo import DESCENDING

from .facts import label_path, travelling_fields
from .groups import every_sample
from .starting import without_labels
from .videos import wanted_frames

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pymongo.collection import Collection

    from ...cvat import FrameSpan

_SECONDS = 120
_REMEMBERED = 8


@dataclass(frozen=True)
class Contents:
    """What is on some images.

    Args:
        bytes: the size of their files, where it is known
        unsized: how many have no metadata
        classes: field -> class -> how many labels annotators will see, those included that they
            start from; empty for a field that is not there yet
    """

    bytes: int
    unsized: int
    classes: dict[str, dict[str | None, int]]


def sample_ids(samples: fo.SampleCollection) -> tuple[str, ...]:
    """The samples of a view in its order; the images of patches, each once."""
    return _sample_ids(samples, version_of(samples))


def contents(
    dataset: fo.Dataset,
    ids: tuple[str, ...],
    fields: Mapping[str, str | None],
    span: FrameSpan | None = None,
) -> Contents:
    """What is on some images of a dataset.

    Args:
        dataset: the dataset
        ids: their samples
        fields: the label fields to count -> the field that the labels of each start from, if any
        span: of videos, which of their frames are looked at
    """
    return _contents(dataset, ids, tuple(fields.items()), span, version_of(dataset))


def version_of(samples: fo.SampleCollection) -> str:
    """What tells a collection from every other, and from itself after an edit. It is cheap."""
    datasets = {id(d): d for d in (samples._dataset, samples._root_dataset)}.values()  # noqa: SLF001
    # A stage that is made anew, of the same tag, has another id.
    stages = samples.view()._serialize(include_uuids=False)  # noqa: SLF001
    return json.dumps([[_version(dataset) for dataset in datasets], stages], default=str)


def _version(dataset: fo.Dataset) -> list[Any]:
    samples = dataset._sample_collection  # noqa: SLF001 - no public name
    frames = dataset._frame_collection  # noqa: SLF001 - None where there are no videos
    return [
        dataset._doc.id,  # noqa: SLF001 - the id has no public name
        *_state(samples),
        # An edit of a frame leaves its sample as it was.
        *((None, None) if frames is None else _state(frames)),
    ]


def _state(collection: Collection) -> tuple[Any, int]:
    """When it was written to last, and how large it is: an index entry is read, no document."""
    name = "last_modified_at"
    latest = collection.find_one({}, {"_id": False, name: True}, sort=[(name, DESCENDING)])
    return (latest or {}).get(name), collection.estimated_document_count()


@cached(TTLCache(_REMEMBERED, _SECONDS), key=lambda _, version: version, lock=threading.Lock())
def _sample_ids(samples: fo.SampleCollection, version: str) -> tuple[str, ...]:  # noqa: ARG001
    root = samples._dataset is not samples._root_dataset  # noqa: SLF001 - no public name
    return tuple(dict.fromkeys(samples.values("sample_id" if root else "id")))


@cached(
    TTLCache(_REMEMBERED, _SECONDS),
    key=lambda _, ids, fields, span, version: (ids, fields, span, version),
    lock=threading.Lock(),
)
def _contents(
    dataset: fo.Dataset,
    ids: tuple[str, ...],
    fields: tuple[tuple[str, str | None], ...],
    span: FrameSpan | None,
    version: str,  # noqa: ARG001
) -> Contents:
    view = every_sample(dataset)
    if len(ids) < view.count():
        view = view.select(ids)
    size = "metadata.size_bytes"
    total, sized = view.aggregate([fo.Sum(size), fo.Count(size)])
    if span is not None:
        view = wanted_frames(view, span)
    return Contents(
        bytes=int(total or 0),
        unsized=len(ids) - sized,
        classes={field: _with_starts(view, field, source) for field, source in fields},
    )


def _with_starts(
    view: fo.SampleCollection, field: str, source: str | None
) -> dict[str | None, int]:
    counts = Counter(_classes(view, field))
    if source is not None:
        counts.update(_classes(without_labels(view, field), source))
    return dict(counts)


def _classes(view: fo.SampleCollection, field: str) -> dict[str | None, int]:
    kind = travelling_fields(view._root_dataset).get(field)  # noqa: SLF001 - no public name
    if kind is None:
        return {}
    if kind.put_together:
        return {None: int(view.count(field))}
    counts: dict[str | None, int] = view.count_values(f"{label_path(field, kind)}.label")
    if kind.path is None:
        counts.pop(None, None)  # of samples whose field is empty
    return counts
