"""Makes rounds of the annotation runs that stock FiftyOne made.

Stock records which labels it sent, and not how they were. So the baseline is worked out when a run
is seen first: every label that was sent, as stock draws it (see
:mod:`relabel.labels.stock_drawing`), beside the label as FiftyOne has it. What a sample's or a
frame's ``last_modified_at`` shows to be edited since, or cannot show not to be, is marked as a
guess: where CVAT has it otherwise than it is here, nobody knows who changed it, and that is a
conflict.

Nothing is asked of the server, and nothing of the dataset or the run is written.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

import fiftyone.core.media as fom
import fiftyone.core.odm as foo
from bson import ObjectId

from ...errors import RelabelError
from ..dataset.facts import field_facts, hidden_attributes, label_fields
from ..dataset.videos import FRAMES
from ..dataset.whole_values import value_class
from ..errors import FieldGone, UnknownRound
from ..record.baseline import add_frames
from ..record.request import RoundField
from ..record.round import Round, RoundState, SentTask
from ..record.rounds import add_round, known_rounds, load_round
from .left_runs import LeftRun, left_run, problem_of
from .renamed_fields import field_names, fields_with, follow_fields
from .stock_images import image_frames
from .stock_runs import read_run, unknown_runs
from .stock_schema import SCALAR, TEXT, read_schema, read_values
from .stock_videos import video_frames

if TYPE_CHECKING:
    import fiftyone as fo

    from .stock_runs import RunDocument, StockRun


def adopt_stock_rounds(dataset: fo.Dataset) -> list[LeftRun]:
    """Makes rounds of the runs of a dataset that stock FiftyOne made, those that are not yet.

    Two processes may do it at once.

    Returns:
        the runs that cannot be rounds; they are left as they are
    """
    left = []
    for run in unknown_runs(dataset, known_rounds(dataset)):
        try:
            _adopt(dataset, run)
        except RelabelError as error:
            left.append(left_run(run, error))
    return left


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
        for run in unknown_runs(dataset, known_rounds(dataset)):
            if run.key == key:
                _adopt(dataset, run)
        record = load_round(dataset, key)
    return follow_fields(dataset, record)


def _adopt(dataset: fo.Dataset, document: RunDocument) -> None:
    problem = problem_of(document)
    if problem:
        raise problem
    run = read_run(document)
    if not run.tasks:
        raise UnknownRound(
            f"Stock FiftyOne has deleted the tasks of the run {run.key!r}; nothing is left of it.",
            f"Delete it with dataset.delete_annotation_run({run.key!r}).",
        )
    _check_media(dataset, run)
    fields = {name: _field(dataset, run, name) for name in document.schema}
    make_frames = video_frames if run.is_of_videos else image_frames
    certain = _knows_who_edits(dataset, run)
    labels, tasks = 0, []
    for task, name in zip(run.tasks, _task_names(dataset, run), strict=True):
        images = 0
        for frames in make_frames(dataset, run, fields, task, certain=certain):
            labels += sum(len(frame.labels) for frame in frames)
            images = max((frame.frame + 1 for frame in frames), default=images)
            add_frames(run.id, frames)
        tasks.append(SentTask(id=task.id, name=name, images=images, jobs=task.jobs))
    add_round(
        Round(
            id=run.id,
            key=run.key,
            dataset_id=dataset._doc.id,  # noqa: SLF001 - the id has no public name
            url=document.url,
            fields=tuple(fields.values()),
            state=RoundState.OUT,
            created_at=document.sent_at,
            labels=labels,
            tasks=tuple(tasks),
        )
    )


def _check_media(dataset: fo.Dataset, run: StockRun) -> None:
    """Holds that a run is of images or videos.

    Raises:
        UnknownRound: if not
    """
    ids = list(map(ObjectId, run.samples))
    solid = {"_id": {"$in": ids}, "_media_type": {"$in": [fom.THREE_D, fom.POINT_CLOUD]}}
    if dataset._sample_collection.find_one(solid, {"_id": 1}):  # noqa: SLF001 - loads no samples
        raise UnknownRound(
            f"The run {run.key!r} is of 3D scenes, which Relabel does not draw.",
            f"Load it with dataset.load_annotations({run.key!r}).",
        )


def _field(dataset: fo.Dataset, run: StockRun, name: str) -> RoundField:
    """A field of a run, as it is called now.

    Raises:
        FieldGone: if it is gone, and nothing could tell where its values are
    """
    info, config = run.run.schema[name], run.run.config
    present = field_names(dataset)
    tracks = name.startswith(FRAMES)
    if info["type"] == SCALAR:
        if name not in present and info.get("existing_field"):
            raise FieldGone(
                f"The field {name!r} of the round {run.key!r} is no more in the dataset.",
                f"If you renamed it, name it {name!r} again.",
            )
        return RoundField(name, read_values(name, info, value_class(dataset, name) or TEXT))
    if name not in present:
        kind = read_schema(info, config, (), ()).kind
        found = fields_with(dataset, kind, run.labels_by_sample(name))
        name = found[0] if len(found) == 1 else name
    if name not in label_fields(dataset):
        return RoundField(name, replace(read_schema(info, config, (), ()), tracks=tracks))
    facts = field_facts(dataset, name)
    hidden = {*facts.left_out, *hidden_attributes(dataset)}
    schema = read_schema(info, config, facts.attributes, hidden)
    return RoundField(name, replace(schema, tracks=tracks))


def _task_names(dataset: fo.Dataset, run: StockRun) -> list[str]:
    """What the tasks are called, as stock names them."""
    name = run.run.config.get("task_name") or f"FiftyOne_{dataset.name.replace(' ', '_')}"
    if len(run.tasks) == 1:
        return [name]
    return [f"{name}_{task.number + 1}" for task in run.tasks]


def _knows_who_edits(dataset: fo.Dataset, run: StockRun) -> bool:
    """Whether a sample that is older than the results of a run is certainly as it was sent.

    Of a clone that is not known: its samples are as old as itself. Nor is it of a run that was
    loaded into another field: its results are younger than what was sent.
    """
    created_at = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"created_at": 1},
    )["created_at"]
    return run.run.sent_at > created_at.replace(tzinfo=UTC) and not run.was_loaded_elsewhere
