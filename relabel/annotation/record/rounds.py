"""What Relabel remembers of a round, beside the FiftyOne run that the round is.

Five collections in FiftyOne's own database, keyed by the id of the run's document, so that
renaming a run keeps them. They are forgotten when the run is gone.

- ``relabel_rounds``: one small document for a round
- ``relabel_frames``: the baseline, one document for an image; while a round is being sent, also
  its plan (see :mod:`.planned`)
- ``relabel_undo``: what a pull overwrote, one document for an image
- ``relabel_late``: what a server may make of it when nobody waits any more (see :mod:`.late`)
- ``relabel_remarks``: what its annotators are still to be told (see :mod:`.remarks`)
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import DBRef, ObjectId

from ..errors import RoundBusy, UnknownRound
from .lease import dead_holder, this_process
from .packing import packed_items, unpacked_items
from .request import Request, RoundField, read_request, request_document
from .schema_documents import read_label, read_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import fiftyone as fo
    from pymongo.collection import Collection

    from ...cvat import LabelSpec
    from ...labels import LabelKind, LabelSchema

_LONGEST_HOLD = timedelta(minutes=15)  # a crashed process must not hold a round for ever


class RoundState(StrEnum):
    """Where a round stands on our side."""

    PUSHING = "pushing"
    OUT = "out"
    DISCARDING = "discarding"


class TaskStep(StrEnum):
    """How far a task of a round that is being sent has come. What follows may have begun.

    At ``SENDING`` all is there but large files, whose uploads go on where they stood.
    """

    PLANNED = "planned"
    CREATED = "created"
    SENDING = "sending"
    UPLOADED = "uploaded"
    DRAWN = "drawn"


@dataclass(frozen=True)
class SentTask:
    """A task of a round.

    Args:
        id: its id in CVAT, 0 before it has one
        name: its name
        images: how many images were sent to it
        jobs: the ids of its annotation jobs, in the order of their frames
        labels: its classes, with the ids that the server gave them
        step: how far it has come
        overlap: how many images two neighbouring jobs share
        honeypots: the frames that repeat an image of the pool under the guise of an ordinary one
        pool: how many of its images only the ground-truth job has; they do not come back
    """

    id: int
    name: str
    images: int
    jobs: tuple[int, ...] = ()
    labels: tuple[LabelSpec, ...] = ()
    step: TaskStep = TaskStep.DRAWN
    overlap: int = 0
    honeypots: tuple[int, ...] = ()
    pool: int = 0

    @property
    def last_frame(self) -> int:
        """The last frame of its annotation jobs."""
        return self.images - self.pool + len(self.honeypots) - 1


@dataclass(frozen=True)
class Pull:
    """A pull that happened.

    Args:
        number: 1, 2, ... within its round
        at: when, UTC
        jobs: the jobs that it took -> the version of each that was pulled before, or None
        writing: whether it did not come to its end
        labels: how many labels it changed
        images: how many samples annotators were done with
        followed: whether all was done that follows it, see :func:`note_followed`
    """

    number: int
    at: datetime
    jobs: dict[int, str | None]
    writing: bool = True
    labels: int = 0
    images: int = 0
    followed: bool = False


@dataclass(frozen=True)
class LeftOpen:
    """What a completed job has left open, of all pulls of one state of it.

    Args:
        version: that state
        frames: the frames that every pull has left open
    """

    version: str
    frames: tuple[int, ...]


@dataclass(frozen=True)
class Round:
    """A round.

    Args:
        id: the id of the FiftyOne run
        key: the run's name
        dataset_id: the dataset's id
        url: the address of the CVAT server
        fields: the label fields that it annotates
        state: where it stands
        created_at: when it was sent, UTC
        labels: how many labels were sent
        tasks: its tasks
        pulled: the jobs that were pulled -> the version of each that was pulled
        pulls: the pulls that can be undone, oldest first
        request: what was asked for, if it is known
        project_id: the project that its tasks are in, 0 before it is known, or if there is none
        unfollowed: how often labels were pulled or taken back since it was last noted that what
            follows that was done, see :func:`note_followed`
        left_open: the completed jobs that left something open, and are pulled again for it -> what
    """

    id: ObjectId
    key: str
    dataset_id: ObjectId
    url: str
    fields: tuple[RoundField, ...]
    state: RoundState
    created_at: datetime
    labels: int = 0
    tasks: tuple[SentTask, ...] = ()
    pulled: dict[int, str] = field(default_factory=dict)
    pulls: tuple[Pull, ...] = ()
    request: Request | None = None
    project_id: int = 0
    unfollowed: int = 0
    left_open: dict[int, LeftOpen] = field(default_factory=dict)

    @property
    def images(self) -> int:
        """How many images were sent."""
        return sum(task.images for task in self.tasks)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """Field -> its classes and attributes."""
        return {field.name: field.schema for field in self.fields}

    @property
    def kinds(self) -> dict[str, LabelKind]:
        """Field -> the kind of its labels."""
        return {field.name: field.schema.label_kind for field in self.fields}

    @property
    def torn(self) -> bool:
        """Whether a pull, or the undoing of one, is under way or was left half done."""
        return bool(self.pulls) and self.pulls[-1].writing

    @property
    def finished(self) -> bool:
        """Whether every job was pulled, so that its images are not out any more."""
        jobs = {job for task in self.tasks for job in task.jobs}
        return bool(jobs) and jobs <= self.pulled.keys()


def project_tracker(record: Round) -> str:
    """What a project carries in CVAT that a round has made."""
    return f"relabel:{record.id}"


def trackers(record: Round) -> list[str]:
    """What each task of a round carries in CVAT, so that it is found again."""
    return [f"relabel:{record.id}:{number}" for number in range(1, len(record.tasks) + 1)]


def save_round(record: Round) -> None:
    """Writes a round's record."""
    _rounds().update_one({"_id": record.id}, {"$set": _document(record)}, upsert=True)


def add_round(record: Round) -> None:
    """Writes a round's record, unless there is one."""
    _rounds().update_one({"_id": record.id}, {"$setOnInsert": _document(record)}, upsert=True)


def known_rounds(dataset: fo.Dataset) -> set[ObjectId]:
    """The ids of the runs of a dataset that have a record."""
    found = _rounds().find({"_id": {"$in": list(run_keys(dataset))}}, {"_id": 1})
    return {document["_id"] for document in found}


def _document(record: Round) -> dict[str, Any]:
    document = asdict(replace(record, tasks=()))
    document["_id"] = document.pop("id")
    document["tasks"] = list(map(_task_document, record.tasks))
    document["pulled"] = _pairs(record.pulled)
    document["left_open"] = [[job, *astuple(left)] for job, left in record.left_open.items()]
    document["pulls"] = [{**asdict(pull), "jobs": _pairs(pull.jobs)} for pull in record.pulls]
    document["request"] = request_document(record.request) if record.request else None
    return document


def _task_document(task: SentTask) -> dict[str, Any]:
    document = asdict(task)
    return {**document, "labels": packed_items(document["labels"])}


def note_followed(record: Round, pulls: Iterable[int] = ()) -> None:
    """Notes that all was done that follows the pulls of a round, as evaluating again.

    Of the round not if there were more pulls since it was read.

    Args:
        record: the round
        pulls: the numbers of the pulls that were followed
    """
    seen = {"_id": record.id, "unfollowed": record.unfollowed}
    _rounds().update_one(seen, {"$set": {"unfollowed": 0}})
    _rounds().update_one(
        {"_id": record.id},
        {"$set": {"pulls.$[one].followed": True}},
        array_filters=[{"one.number": {"$in": list(pulls)}}],
    )


def save_task(round_id: ObjectId, number: int, task: SentTask) -> None:
    """Writes how far one task of a round has come, and holds the round for longer.

    Args:
        round_id: the round
        number: which of its tasks, from 0
        task: what to write
    """
    held = datetime.now(UTC) + _LONGEST_HOLD
    _rounds().update_one(
        {"_id": round_id},
        {"$set": {f"tasks.{number}": _task_document(task), "held_until": held}},
    )


def save_classes(round_id: ObjectId, number: int, task: SentTask) -> None:
    """Writes the classes of one task of a round; see :func:`save_task`."""
    labels = _task_document(task)["labels"]
    _rounds().update_one({"_id": round_id}, {"$set": {f"tasks.{number}.labels": labels}})


@contextmanager
def holding(record: Round) -> Iterator[None]:
    """Keeps everybody else from sending, pulling or undoing a round meanwhile.

    A process that died holds nothing: at once where we can see that it is gone, else after some
    minutes.

    Raises:
        RoundBusy: if somebody else holds it
    """
    now = datetime.now(UTC)
    holder = (_rounds().find_one({"_id": record.id}, {"held_by": 1}) or {}).get("held_by")
    free: list[dict[str, Any]] = [{"held_until": None}, {"held_until": {"$lt": now}}]
    if dead_holder(holder):
        free.append({"held_by": holder})
    taken = _rounds().update_one(
        {"_id": record.id, "$or": free},
        {"$set": {"held_until": now + _LONGEST_HOLD, "held_by": this_process()}},
    )
    if not taken.matched_count:
        raise RoundBusy(
            f"Somebody else is working on the round {record.key!r} at this moment.",
            "Try again in a minute.",
        )
    try:
        yield
    finally:
        _rounds().update_one(
            {"_id": record.id, "held_by": this_process()},
            {"$set": {"held_until": None, "held_by": None}},
        )


def list_rounds(dataset: fo.Dataset) -> list[Round]:
    """The rounds of a dataset that Relabel made, oldest first."""
    keys = run_keys(dataset)
    documents = _rounds().find({"_id": {"$in": list(keys)}}).sort("created_at", 1)
    return [_read_round(document, keys[document["_id"]]) for document in documents]


def load_round(dataset: fo.Dataset, key: str) -> Round:
    """One round of a dataset.

    Raises:
        UnknownRound: if there is none of that name
    """
    for run_id, run_key in run_keys(dataset).items():
        if run_key == key:
            document = _rounds().find_one({"_id": run_id})
            if document is None:
                raise UnknownRound(
                    f"The annotation run {key!r} was not made by Relabel.",
                    f"Load it with dataset.load_annotations({key!r}).",
                )
            return _read_round(document, key)
    raise UnknownRound(f"There is no round named {key!r}.", "Refresh the panel.")


def forget_round(round_id: ObjectId) -> None:
    """Deletes all that is remembered of a round."""
    database = foo.get_db_conn()
    for name in ("relabel_frames", "relabel_undo", "relabel_remarks"):
        database[name].delete_many({"round_id": round_id})
    _rounds().delete_one({"_id": round_id})


def forget_orphans() -> None:
    """Deletes what is remembered of rounds whose run is gone."""
    runs = foo.get_db_conn()["runs"]
    for document in _rounds().find({}, {"_id": 1}):
        if runs.find_one({"_id": document["_id"]}, {"_id": 1}) is None:
            forget_round(document["_id"])


def run_keys(dataset: fo.Dataset) -> dict[ObjectId, str]:
    """The annotation runs of a dataset, read afresh: another process may have made one."""
    document = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"annotation_runs": 1},
    )
    runs = (document or {}).get("annotation_runs") or {}
    return {ref.id if isinstance(ref, DBRef) else ref: key for key, ref in runs.items()}


def _read_round(document: Mapping[str, Any], key: str) -> Round:
    round_fields = tuple(
        RoundField(item["name"], read_schema(item["schema"]), item.get("start_from"))
        for item in document["fields"]
    )
    request = document.get("request")
    return Round(
        id=document["_id"],
        key=key,
        dataset_id=document["dataset_id"],
        url=document["url"],
        fields=round_fields,
        state=RoundState(document["state"]),
        created_at=_utc(document["created_at"]),
        labels=document["labels"],
        tasks=tuple(_read_task(task) for task in document["tasks"]),
        pulled=dict(document["pulled"]),
        pulls=tuple(map(_read_pull, document["pulls"])),
        request=read_request(request, key, round_fields) if request else None,
        project_id=document.get("project_id", 0),
        unfollowed=document.get("unfollowed", 0),
        left_open={
            job: LeftOpen(version, tuple(frames))
            for job, version, frames in document.get("left_open", ())
        },
    )


def _read_pull(document: Mapping[str, Any]) -> Pull:
    return Pull(
        number=document["number"],
        at=_utc(document["at"]),
        jobs=dict(document["jobs"]),
        writing=document["writing"],
        labels=document.get("labels", 0),
        images=document.get("images", 0),
        followed=document.get("followed", True),  # of those before, nobody knows what they cost
    )


def _read_task(document: Mapping[str, Any]) -> SentTask:
    return SentTask(
        id=document["id"],
        name=document["name"],
        images=document["images"],
        jobs=tuple(document["jobs"]),
        labels=tuple(map(read_label, unpacked_items(document["labels"]))),
        step=TaskStep(document.get("step", TaskStep.DRAWN)),
        overlap=document.get("overlap", 0),
        honeypots=tuple(document.get("honeypots", ())),
        pool=document.get("pool", 0),
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _pairs(mapping: Mapping[int, Any]) -> list[list[Any]]:
    """A mapping with numbers as keys, which MongoDB does not take as it is."""
    return [[key, value] for key, value in mapping.items()]


def _rounds() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_rounds"]
