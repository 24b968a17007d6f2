"""Makes rounds of the annotation runs that stock FiftyOne made.

Stock records which labels it sent, and not how they were. So the baseline is worked out when a run
is seen first: every label that was sent, as stock draws it (see
:mod:`relabel.labels.stock_drawing`), beside the label as FiftyOne has it. What a sample's
``last_modified_at`` shows to be edited since, or cannot show not to be, is marked as a guess:
where CVAT has it otherwise than it is here, nobody knows who changed it, and that is a conflict.

Nothing is asked of the server, and nothing of the dataset or the run is written.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import ObjectId
from PIL import Image, UnidentifiedImageError

from ...errors import RelabelError
from ...labels import UNKNOWN, MalformedLabel
from ...labels.stock_drawing import draw_as_stock
from ..dataset import storage
from ..dataset.facts import field_facts, hidden_attributes, label_fields
from ..errors import FieldGone, UnknownRound, UnreadableMedia
from ..record.baseline import SentFrame, SentLabel, add_frames
from ..record.places import Place
from ..record.request import RoundField
from ..record.rounds import Round, RoundState, SentTask, add_round, known_rounds, load_round
from .renamed_fields import field_names, fields_with, follow_fields
from .stock_runs import new_runs
from .stock_schema import SCALAR, can_travel, read_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    import fiftyone as fo

    from ...labels import LabelSchema
    from .stock_runs import StockRun, StockTask

logger = logging.getLogger(__name__)

_FRAMES_AT_ONCE = 500
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
    labels: Mapping[str, storage.Labels]


def adopt_stock_rounds(dataset: fo.Dataset) -> None:
    """Makes rounds of the runs of a dataset that stock FiftyOne made, those that are not yet.

    Runs that cannot be rounds are left as they are. Two processes may do it at once.
    """
    for run in new_runs(dataset, known_rounds(dataset)):
        try:
            _adopt(dataset, run)
        except RelabelError as error:
            logger.info("The run %s of stock FiftyOne cannot be a round: %s", run.key, error)


def find_round(dataset: fo.Dataset, key: str) -> Round:
    """A round of a dataset, with its fields as they are called now.

    A run of stock FiftyOne is made a round.

    Raises:
        UnknownRound: if there is none of that name, or it cannot be a round; the message says why
        FieldGone: if a field is gone
        RoundError: if something else is missing that the round needs
    """
    try:
        record = load_round(dataset, key)
    except UnknownRound:
        for run in new_runs(dataset, known_rounds(dataset)):
            if run.key == key:
                _adopt(dataset, run)
        record = load_round(dataset, key)
    return follow_fields(dataset, record)


def _adopt(dataset: fo.Dataset, run: StockRun) -> None:
    if not all(map(can_travel, run.fields.values())):
        kinds = ", ".join(f"{name!r} ({info['type']})" for name, info in run.fields.items())
        raise UnknownRound(
            f"Stock FiftyOne sent {kinds} in the run {run.key!r}, which cannot be pulled here.",
            f"Load it with dataset.load_annotations({run.key!r}).",
        )
    fields = tuple(_field(dataset, run, name) for name in run.fields)
    labels = 0
    for task in run.tasks:
        for frames in _frames(dataset, run, fields, task):
            labels += sum(len(frame.labels) for frame in frames)
            add_frames(run.id, frames)
    add_round(
        Round(
            id=run.id,
            key=run.key,
            dataset_id=dataset._doc.id,  # noqa: SLF001 - the id has no public name
            url=run.url,
            fields=fields,
            state=RoundState.OUT,
            created_at=run.sent_at,
            labels=labels,
            tasks=_tasks(dataset, run),
        )
    )


def _field(dataset: fo.Dataset, run: StockRun, name: str) -> RoundField:
    """A field of a run, as it is called now.

    Raises:
        FieldGone: if it is gone, and nothing could tell where its values are
    """
    info = run.fields[name]
    if info["type"] == SCALAR:
        if name not in field_names(dataset):
            raise FieldGone(
                f"The field {name!r} of the round {run.key!r} is no more in the dataset.",
                f"If you renamed it, name it {name!r} again.",
            )
        return RoundField(name, field_facts(dataset, name).to_schema())
    if name not in field_names(dataset):
        kind = read_schema(info, run.config, (), ()).kind
        found = fields_with(dataset, kind, run.label_ids.get(name, {}))
        name = found[0] if len(found) == 1 else name
    if name not in label_fields(dataset):
        return RoundField(name, read_schema(info, run.config, (), ()))
    facts = field_facts(dataset, name)
    hidden = {*facts.left_out, *hidden_attributes(dataset)}
    return RoundField(name, read_schema(info, run.config, facts.attributes, hidden))


def _tasks(dataset: fo.Dataset, run: StockRun) -> tuple[SentTask, ...]:
    """The tasks, named as stock names them."""
    name = run.config.get("task_name") or f"FiftyOne_{dataset.name.replace(' ', '_')}"
    several = len(run.tasks) > 1
    return tuple(
        SentTask(
            id=task.id,
            name=f"{name}_{number}" if several else name,
            images=len(task.samples),
            jobs=task.jobs,
        )
        for number, task in enumerate(run.tasks, 1)
    )


def _frames(
    dataset: fo.Dataset, run: StockRun, fields: Sequence[RoundField], task: StockTask
) -> Iterator[list[SentFrame]]:
    """The baseline of a task, some images at a time."""
    is_certain = _knows_who_edits(dataset, run)
    for start in range(0, len(task.samples), _FRAMES_AT_ONCE):
        chunk = task.samples[start : start + _FRAMES_AT_ONCE]
        samples = _read_samples(dataset, fields, chunk)
        yield [
            SentFrame(
                task_id=task.id,
                frame=number,
                place=Place(sample_id, field.name),
                size=samples[sample_id].size if sample_id in samples else _SIZE_OF_NOTHING,
                labels=_labels(
                    run,
                    field,
                    run.label_ids.get(sent_as, {}).get(sample_id, ()),
                    samples.get(sample_id),
                    certain=is_certain,
                ),
            )
            for number, sample_id in enumerate(chunk, start)
            for sent_as, field in zip(run.fields, fields, strict=True)
        ]


def _knows_who_edits(dataset: fo.Dataset, run: StockRun) -> bool:
    """Whether a sample that is older than the results of a run is certainly as it was sent.

    Of a clone that is not known: its samples are as old as itself. Nor is it of a run that was
    loaded into another field: its results are younger than what was sent.
    """
    created_at = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"created_at": 1},
    )["created_at"]
    return run.sent_at > created_at.replace(tzinfo=UTC) and not run.was_loaded_elsewhere


def _labels(
    run: StockRun,
    field: RoundField,
    label_ids: Collection[str],
    sample: _Sample | None,
    *,
    certain: bool,
) -> tuple[SentLabel, ...]:
    """The labels of one field of an image that were sent; none if its sample is gone."""
    if sample is None:
        return ()
    known = storage.by_id(sample.labels[field.name])
    guessed = not certain or sample.modified_at > run.saved_at
    if field.schema.label_kind.put_together and label_ids:
        label_ids = _offered(known, sample.size, field.schema)
    return tuple(
        _label(label_id, known.get(label_id), sample.size, field.schema, guessed=guessed)._replace(
            shape_id=run.shape_ids.get(label_id, 0)
        )
        for label_id in label_ids
    )


def _offered(
    known: Mapping[str, Mapping[str, Any]], size: tuple[int, int], schema: LabelSchema
) -> list[str]:
    """The labels of a value that stock sent: not the background, nor classes without a name."""
    drawn = {
        label_id: schema.label_kind.to_drawn(document, size, schema)
        for label_id, document in known.items()
    }
    return [label_id for label_id, one in drawn.items() if one and one.label in schema.classes]


def _label(
    label_id: str,
    document: Mapping[str, Any] | None,
    size: tuple[int, int],
    schema: LabelSchema,
    *,
    guessed: bool,
) -> SentLabel:
    """A label of the baseline; ``document`` is None for one that was deleted here."""
    if document is None:
        return SentLabel(label_id, 0, UNKNOWN, guessed=True)
    try:
        here = schema.label_kind.to_drawn(document, size, schema)
        drawn = draw_as_stock(document, size, schema)
    except MalformedLabel:  # a pull will say so of this image, and leave it out
        return SentLabel(label_id, 0, UNKNOWN, guessed=True)
    if drawn is None:
        return SentLabel(label_id, 0, here or UNKNOWN, guessed=True)
    return SentLabel(label_id, 0, drawn, here if here != drawn else None, guessed)


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
