"""The baseline of the images of a run of stock FiftyOne."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from PIL import Image, UnidentifiedImageError

from ..errors import UnreadableMedia
from ..record.baseline import SentFrame
from ..record.places import Place
from .sent_labels import drawn_by_stock, drawn_here, sent_ids, sent_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import fiftyone as fo

    from ..dataset.storage import Labels
    from ..record.baseline import SentLabel
    from ..record.request import RoundField
    from .stock_runs import StockRun, StockTask

_AT_ONCE = 500
_SIZE_OF_NOTHING = (1, 1)


@dataclass(frozen=True)
class _Sample:
    """A sample of a run.

    Args:
        size: width and height of its image in pixels
        modified_at: when it was last modified, UTC
        labels: field -> its labels as MongoDB holds them
    """

    size: tuple[int, int]
    modified_at: datetime
    labels: Mapping[str, Labels]


def image_frames(
    dataset: fo.Dataset,
    run: StockRun,
    fields: Mapping[str, RoundField],
    task: StockTask,
    *,
    certain: bool,
) -> Iterator[list[SentFrame]]:
    """The baseline of a task, some images at a time.

    Args:
        dataset: the dataset
        run: the run
        fields: the fields as they were called -> as they are called now
        task: a task of the run
        certain: whether a sample that is older than the run's results is as it was sent

    Raises:
        UnreadableMedia: if nothing says how large an image is
        MalformedLabel: if the value of a field cannot be read
    """
    files = [shown.sample_id for shown in task.files.values()]
    for start in range(0, len(files), _AT_ONCE):
        chunk = files[start : start + _AT_ONCE]
        samples = _read_samples(dataset, list(fields.values()), chunk)
        yield [
            SentFrame(
                task_id=task.id,
                frame=number,
                place=Place(sample_id, field.name),
                size=samples[sample_id].size if sample_id in samples else _SIZE_OF_NOTHING,
                labels=_labels(
                    run, field, sent_as, sample_id, samples.get(sample_id), certain=certain
                ),
            )
            for number, sample_id in enumerate(chunk, start)
            for sent_as, field in fields.items()
        ]


def _labels(
    run: StockRun,
    field: RoundField,
    sent_as: str,
    sample_id: str,
    sample: _Sample | None,
    *,
    certain: bool,
) -> tuple[SentLabel, ...]:
    """The labels of one field of an image that were sent; none if its sample is gone."""
    if sample is None:
        return ()
    schema, labels = field.schema, sample.labels[field.name]
    named = run.label_ids.get(sent_as, {}).get(sample_id, ())
    ids = sent_ids(named, labels, sample.size, schema)
    return sent_labels(
        ids,
        drawn_by_stock(ids, labels, sample.size, schema),
        drawn_here(ids, labels, sample.size, schema),
        run.shape_ids,
        guessed=not certain or sample.modified_at > run.saved_at,
    )


def _read_samples(
    dataset: fo.Dataset, fields: Sequence[RoundField], sample_ids: Sequence[str]
) -> dict[str, _Sample]:
    """The samples that are still there."""
    kinds = {field.name: field.schema.label_kind for field in fields}
    found = dataset._sample_collection.find(  # noqa: SLF001 - FiftyOne would load the samples
        {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}},
        {"last_modified_at": 1, "metadata": 1, "filepath": 1, **dict.fromkeys(kinds, 1)},
    )
    return {
        str(document["_id"]): _Sample(
            size=_size(document),
            modified_at=document["last_modified_at"].replace(tzinfo=UTC),
            labels={
                name: kind.labels_of(document.get(name), str(Place(str(document["_id"]), name)))
                for name, kind in kinds.items()
            },
        )
        for document in found
    }


def _size(document: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of an image: stock counts pixels by the metadata of its sample.

    Raises:
        UnreadableMedia: if nothing says what they are
    """
    metadata = document.get("metadata") or {}
    if metadata.get("width") and metadata.get("height"):
        return metadata["width"], metadata["height"]
    try:
        with Image.open(document["filepath"]) as image:
            return image.size
    except (OSError, UnidentifiedImageError) as error:
        raise UnreadableMedia(
            f"The size of {document['filepath']} is not known.",
            "Restore the file, or call dataset.compute_metadata() where it is.",
        ) from error
