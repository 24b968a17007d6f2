"""What a round would send, worked out before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import fiftyone as fo
import fiftyone.core.media as fom

from ..dataset.facts import label_fields, travelling_fields
from ..dataset.groups import check_media_field, chosen_samples
from ..dataset.starting import check_start
from ..dataset.survey import contents, sample_ids
from ..dataset.videos import FRAMES, check_frame_field, is_video, planned_frames
from ..errors import (
    EmptySelection,
    InvalidRoundName,
    RoundNameTaken,
    UnsupportedField,
    UnsupportedMedia,
)
from ..record.request import FILEPATH
from ..record.round import RoundState
from ..record.rounds import list_rounds, run_keys
from ..stock.adoption import adopt_stock_rounds
from .division import (
    check_division,
    check_video_division,
    describe_yardstick,
    jobs_of_task,
    task_sizes,
    yardstick_size,
)
from .effort import describe_minutes, label_seconds, total_minutes
from .elsewhere import Elsewhere, find_elsewhere, why_empty, without
from .intents import is_torn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...labels import LabelSchema
    from ..record.request import Request, RoundField

_LONGEST_KEY = 240  # CVAT takes 256, and tasks get a number
_LONGEST_ATTRIBUTE = 64


@dataclass(frozen=True)
class Plan:
    """What a round would send.

    Args:
        request: what was asked for
        sample_ids: the samples to send, in the order of the view
        labels: how many labels they have
        bytes: the size of their files, where it is known; 0 if CVAT finds them itself
        elsewhere: round -> what of the samples that were asked for is out in it; left out, unless
            it was asked for all the same
        unsized: how many samples have no metadata, so that their size is not counted
        resumes: whether a round of that name was interrupted, and would be gone on with
        seconds: how long one annotator takes for the labels
        frames: how many frames of each video would be sent, if they are videos; 0 where its
            metadata do not say
    """

    request: Request
    sample_ids: tuple[str, ...]
    labels: int
    bytes: int
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)
    unsized: int = 0
    resumes: bool = False
    seconds: float = 0.0
    frames: tuple[int, ...] = ()

    @property
    def images(self) -> int:
        """How many images would be sent."""
        return len(self.sample_ids)

    @property
    def tasks(self) -> int:
        """How many tasks there would be."""
        return len(self._task_sizes)

    @property
    def jobs(self) -> int:
        """Into how many jobs CVAT would cut them, replicas and ground-truth jobs included."""
        return sum(jobs_of_task(images, self.request) for images in self._task_sizes)

    @property
    def out_elsewhere(self) -> dict[str, int]:
        """Round -> how many of the samples that were asked for are out in it."""
        return {key: len(found.sample_ids) for key, found in self.elsewhere.items()}

    @property
    def minutes(self) -> float:
        """How long the annotators will take together, about."""
        pictures = sum(self._task_sizes)
        return total_minutes(self.seconds, pictures, self.yardstick, self.request)

    @property
    def yardstick(self) -> int:
        """How many of the images would measure the annotators."""
        return sum(yardstick_size(images, self.request) for images in self._task_sizes)

    @property
    def unread(self) -> int:
        """How many videos have to be read before it is known how many frames they have."""
        return self.frames.count(0)

    @property
    def _task_sizes(self) -> list[int]:
        return list(self.frames) or task_sizes(self.images, self.request)

    def __str__(self) -> str:
        media = "video" if self.frames else "image"
        size = f"{self.bytes / 1e6:.1f} MB"
        if self.request.media:
            size = "which CVAT finds itself"
        elif self.unsized:
            unknown = f"{self.unsized} of unknown size"
            size = f"{size} and {unknown}" if self.bytes else unknown
        text = (
            f"This sends {_number(self.images, media)} ({size}) with "
            f"{_number(self.labels, 'label')} as {_number(self.tasks, 'task')}."
        )
        if not self.unread:
            text = f"{text[:-1]}, {_number(self.jobs, 'job')}."
        if self.request.project:
            text = text[:-1] + f" in the project {self.request.project}."
        if self.yardstick:
            text += f" {describe_yardstick(self.yardstick, self.request)}"
        if self.unread:
            files = _number(self.unread, "file")
            text += f" The number of jobs and the time they need are known after reading {files}."
        else:
            text += f" Annotators need about {describe_minutes(self.minutes)}."
        if self.resumes:
            text += f' It goes on with the round "{self.request.key}", which was interrupted.'
        for key, found in self.elsewhere.items():
            text += f" {found.describe(key, sent=self.request.include_out)}"
        return text


def make_plan(samples: fo.SampleCollection, request: Request) -> Plan:
    """Works out what a round would send.

    Whole images are sent, with all their labels of the field, whatever labels or patches the view
    shows: an annotator who does not see a label draws it again.

    Args:
        samples: a dataset or view of images, or of patches of them
        request: what was asked for

    Raises:
        RoundError: the subclass that says what cannot be sent
    """
    dataset = samples._root_dataset  # noqa: SLF001 - no public name
    adopt_stock_rounds(dataset)
    rounds = list_rounds(dataset)
    resumes = any(r.key == request.key and r.state is not RoundState.OUT for r in rounds)
    if not resumes:
        check_key(dataset, request.key)
    for item in request.fields:
        check_field(dataset, item.name, item.schema.kind)
        check_start(dataset, item)
    if dataset.media_type not in {fom.IMAGE, fom.VIDEO, fom.GROUP}:
        raise UnsupportedMedia(
            f"The dataset holds {dataset.media_type}s.", "Only images and videos can be sent."
        )
    check_media_field(dataset, request.media_field)
    if is_video(dataset):
        request = with_tracks(request)
    check_fields(request.fields)
    asked = list(sample_ids(chosen_samples(samples, request.group_slices)))
    elsewhere = find_elsewhere(dataset, asked, request)
    chosen = asked if request.include_out else without(asked, elsewhere)
    if not chosen:
        raise EmptySelection(*why_empty(elsewhere))
    check_division(len(chosen), request)
    found = contents(
        dataset,
        tuple(chosen),
        {item.name: item.start_from for item in request.fields},
        request.span if is_video(dataset) else None,
    )
    for item in request.fields:
        if not item.schema.label_kind.put_together:
            check_classes(found.classes[item.name], item.schema)
    # Metadata are those of the file path; what CVAT finds itself does not travel.
    known = request.media is None and request.media_field == FILEPATH
    labels = [sum(found.classes[item.name].values()) for item in request.fields]
    frames: tuple[int, ...] = ()
    if is_video(dataset):
        frames = planned_frames(dataset.select(chosen, ordered=True), request.span)
    return Plan(
        request=request,
        sample_ids=tuple(chosen),
        labels=sum(labels),
        bytes=found.bytes if known else 0,
        elsewhere=elsewhere,
        unsized=found.unsized if known else 0 if request.media else len(chosen),
        resumes=resumes,
        seconds=sum(
            label_seconds(item, count, sum(frames) or len(chosen), request)
            for item, count in zip(request.fields, labels, strict=True)
        ),
        frames=frames,
    )


def with_tracks(request: Request) -> Request:
    """The request of a round of videos, whose labels are drawn as tracks.

    Raises:
        InvalidDivision: if it asks for what CVAT does not do with videos
    """
    check_video_division(request)
    fields = tuple(
        replace(item, schema=replace(item.schema, tracks=True)) for item in request.fields
    )
    return replace(request, fields=fields)


def check_key(dataset: fo.Dataset, key: str) -> None:
    """Holds that a round can have a name.

    Raises:
        InvalidRoundName: if FiftyOne or CVAT cannot keep it
        RoundNameTaken: if there is one of that name
    """
    if not key.isidentifier():
        raise InvalidRoundName(
            f"{key!r} cannot be the name of a round.",
            "Use letters, digits and underscores, and begin with a letter.",
        )
    if len(key) > _LONGEST_KEY:
        raise InvalidRoundName(
            f"The name of a round has at most {_LONGEST_KEY} letters, this one has {len(key)}.",
            "Choose a shorter one; tasks in CVAT are named after it.",
        )
    if key in run_keys(dataset).values() and not is_torn(dataset, key):
        raise RoundNameTaken(f"There is a round named {key!r} already.", "Choose another name.")


def check_field(dataset: fo.Dataset, name: str, kind: str | None = None) -> None:
    """Holds that the labels of a field can travel, or that it can be made.

    Args:
        dataset: the dataset
        name: the field
        kind: the kind of labels that are to travel, or None for any

    Raises:
        UnsupportedField: if not
    """
    fields = travelling_fields(dataset)
    if is_video(dataset):
        check_frame_field(name)
    if name in fields:
        if kind not in {None, fields[name].name}:
            raise UnsupportedField(
                f"{name!r} is a field of {fields[name].name}, not of {kind}.",
                "Take what travels from what the field has.",
            )
    elif dataset.has_field(name):
        raise UnsupportedField(
            f"{name!r} is no field of labels that can be sent.",
            f"Choose one of {', '.join(label_fields(dataset)) or 'none'}, or a new name.",
        )
    elif not name.removeprefix(FRAMES if is_video(dataset) else "").isidentifier():
        raise UnsupportedField(
            f"{name!r} cannot be the name of a new field.",
            "Use letters, digits and underscores, and begin with a letter.",
        )


def check_fields(fields: Sequence[RoundField]) -> None:
    """Holds that there is something to annotate in each field of a round, as CVAT can name it.

    Raises:
        UnsupportedField: if there is no field, one twice, or one without classes; or if CVAT does
            not keep the name of an attribute
    """
    names = [item.name for item in fields]
    if not names:
        raise UnsupportedField("There is no field to annotate.", "Choose a label field.")
    if len(set(names)) < len(names):
        raise UnsupportedField("A field is named twice.", "Name each once.")
    for item in fields:
        if not item.schema.classes:
            raise UnsupportedField(
                f"There are no classes to choose from for {item.name!r}.",
                "Name the classes that annotators may draw.",
            )
        for name in (attribute.name for attribute in item.schema.declared):
            if name != name.strip() or len(name) > _LONGEST_ATTRIBUTE:
                raise UnsupportedField(
                    f"CVAT does not keep the name of the attribute {name!r} of {item.name!r}.",
                    f"Leave it out: it has spaces around, or over {_LONGEST_ATTRIBUTE} letters.",
                )


def check_classes(present: Iterable[str | None], schema: LabelSchema) -> None:
    """Holds that annotators can choose every class that they will see.

    Raises:
        UnsupportedField: if a class is missing
    """
    missing = sorted(str(name) for name in set(present) - set(schema.classes))
    if missing:
        raise UnsupportedField(
            f"There are labels of the classes {', '.join(missing)} on these images.",
            "Add them to the classes for annotators.",
        )


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
