"""What a user asks to be sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ...cvat import FrameSpan
from .references import MediaReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...labels import LabelSchema

FILEPATH = "filepath"
"""The media field that every sample has."""

_KEPT_ELSEWHERE = ("key", "fields")


@dataclass(frozen=True)
class RoundField:
    """A label field that a round annotates.

    Args:
        name: the field; one that does not exist yet is made when labels come
        schema: its classes and attributes for annotators
        start_from: a field of the same kind whose labels annotators find on the images where this
            one has none, such as a model's predictions; what they leave there becomes a label of
            this field at a pull, and nothing before
    """

    name: str
    schema: LabelSchema
    start_from: str | None = None


class Validation(StrEnum):
    """How CVAT measures the annotators."""

    GROUND_TRUTH = "ground_truth"
    HONEYPOTS = "honeypots"


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    People are named by their user names in CVAT.

    Args:
        key: the round's name, a valid Python identifier
        fields: the label fields to annotate, all of them on the same images
        images_per_job: the size of a job, or None for one job
        assignees: who get the jobs in turn; the replicas of jobs, where there are any, so that
            nobody gets two replicas of one job
        include_out: whether images that are out in another round of this field are sent as well
        image_quality: of the copies that CVAT shows, in percent
        images_per_task: the size of a task, or None for one task
        weights: how many shares of the jobs each assignee gets, beside ``assignees``; empty for
            equal shares
        task_assignees: who get the tasks in turn; they see and manage all jobs of theirs
        reviewers: who get the ground-truth jobs in turn, and later the jobs that
            :func:`send_to_review` moves to the validation stage
        project: the project that the tasks are in: its name, and it is made if there is none, or
            ``#12`` for the one with that id; empty for none
        extend_project: whether classes and attributes that an existing project lacks are added
            to it
        overlap: how many images two neighbouring jobs share; the earlier job decides about them
        validation: one of :class:`Validation`, or empty. A ground-truth job holds some of the
            images a second time. Honeypots are taken out of the jobs, and repeated in them under
            the guise of ordinary images. What is drawn on either is a yardstick, not a result
        validation_share: the share of each task's images that are the yardstick
        honeypots_per_job: how many honeypots each job has, beside its own images
        consensus_replicas: how many people annotate each job, none knowing of the others; 0 for
            ordinary jobs. What is pulled is what CVAT merges of it
        media: where CVAT finds the images itself, or None to send them
        media_field: the field with the paths of the images, one of the dataset's media fields
        group_slices: of samples in groups, the slices that are sent; empty for the active one
        seconds_per_image: how long annotators take to open an image and look it over, or None for
            the rule of thumb in :mod:`.effort`
        seconds_per_label: how long they take for one label, or None for what :mod:`.effort` says
            of its kind
        start_frame: the first frame of each video that is sent, counted from 1
        stop_frame: no frame after this one is sent, or None for all there are
        frame_step: every how many frames of a video one is sent
    """

    key: str
    fields: tuple[RoundField, ...]
    images_per_job: int | None = None
    assignees: tuple[str, ...] = ()
    include_out: bool = False
    image_quality: int = 75
    images_per_task: int | None = None
    weights: tuple[int, ...] = ()
    task_assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    project: str = ""
    extend_project: bool = False
    overlap: int = 0
    validation: str = ""
    validation_share: float = 0.1
    honeypots_per_job: int = 1
    consensus_replicas: int = 0
    media: MediaReference | None = None
    media_field: str = FILEPATH
    group_slices: tuple[str, ...] = ()
    seconds_per_image: float | None = None
    seconds_per_label: float | None = None
    start_frame: int = 1
    stop_frame: int | None = None
    frame_step: int = 1

    @property
    def span(self) -> FrameSpan:
        """Which frames of each video are sent."""
        stop = None if self.stop_frame is None else self.stop_frame - 1
        return FrameSpan(self.start_frame - 1, stop, self.frame_step)

    @property
    def people(self) -> frozenset[str]:
        """The names of all persons of the round."""
        return frozenset((*self.assignees, *self.task_assignees, *self.reviewers))


def request_document(request: Request) -> dict[str, Any]:
    """A request as MongoDB holds it, beside what a round's record says already."""
    return {name: value for name, value in asdict(request).items() if name not in _KEPT_ELSEWHERE}


def read_request(
    document: Mapping[str, Any], key: str, round_fields: tuple[RoundField, ...]
) -> Request:
    """The reverse of :func:`request_document`; options that it does not know are left out."""
    known = {item.name for item in fields(Request)} - set(_KEPT_ELSEWHERE)
    options = {name: _frozen(value) for name, value in document.items() if name in known}
    if options.get("media"):
        options["media"] = MediaReference(**options["media"])
    return Request(key, round_fields, **options)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
