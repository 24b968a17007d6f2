"""What a round is, and how it is written down."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .packing import packed_items, unpacked_items
from .request import Request, RoundField, read_request, request_document
from .schema_documents import read_label, read_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bson import ObjectId

    from ...cvat import LabelSpec
    from ...labels import LabelKind, LabelSchema


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
        sent: until its small files are all there, how many certainly are, the first ones
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
    sent: int = 0

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
    """

    number: int
    at: datetime
    jobs: dict[int, str | None]
    writing: bool = True


@dataclass(frozen=True)
class Unlisted:
    """What a pull cost that nothing has followed yet, see :mod:`.following`.

    Args:
        id: tells it from every other pull
        number: its number in its round, 0 if there is nothing of it to undo
        jobs: the jobs that it took
        labels: how many labels it changed
        images: how many samples annotators were newly done with
    """

    id: str
    number: int
    jobs: tuple[int, ...]
    labels: int
    images: int


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
        unfollowed: how often something was pulled or taken back since it was last noted that what
            follows that was done, see :mod:`.following`
        left_open: the completed jobs that left something open, and are pulled again for it -> what
        unlisted: the pulls that nothing has followed yet, oldest first
        operation: the delegated operation that has sent it, if one has
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
    unlisted: tuple[Unlisted, ...] = ()
    operation: str | None = None

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


def round_document(record: Round) -> dict[str, Any]:
    """A round as a document of MongoDB."""
    document = asdict(replace(record, tasks=()))
    document["_id"] = document.pop("id")
    document["tasks"] = list(map(task_document, record.tasks))
    document["pulled"] = _pairs(record.pulled)
    document["left_open"] = [[job, *astuple(left)] for job, left in record.left_open.items()]
    document["pulls"] = [{**asdict(pull), "jobs": _pairs(pull.jobs)} for pull in record.pulls]
    document["request"] = request_document(record.request) if record.request else None
    return document


def task_document(task: SentTask) -> dict[str, Any]:
    """A task as part of the document of its round."""
    document = asdict(task)
    return {**document, "labels": packed_items(document["labels"])}


def read_round(document: Mapping[str, Any], key: str) -> Round:
    """A round out of its document.

    Args:
        document: what :func:`round_document` made
        key: the name of its run, which the document does not have
    """
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
        unlisted=tuple(
            Unlisted(**{**item, "jobs": tuple(item["jobs"])})
            for item in document.get("unlisted", ())
        ),
        operation=document.get("operation"),
    )


def _read_pull(document: Mapping[str, Any]) -> Pull:
    return Pull(
        number=document["number"],
        at=_utc(document["at"]),
        jobs=dict(document["jobs"]),
        writing=document["writing"],
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
        sent=document.get("sent", 0),
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _pairs(mapping: Mapping[int, Any]) -> list[list[Any]]:
    """A mapping with numbers as keys, which MongoDB does not take as it is."""
    return [[key, value] for key, value in mapping.items()]
