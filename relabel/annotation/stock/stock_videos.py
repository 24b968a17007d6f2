"""The baseline of the frames of a video of a run of stock FiftyOne, which is a task for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ...labels import UNKNOWN
from ..dataset.frame_storage import stored_field
from ..dataset.videos import measure
from ..errors import UnknownRound
from ..record.baseline import SentFrame
from ..record.places import Place
from .sent_labels import drawn_by_stock, drawn_here, has_index, sent_ids, sent_labels
from .stock_tracks import TrackedLabel, shown_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import fiftyone as fo

    from ...labels import Drawn
    from ..dataset.storage import Labels
    from ..record.baseline import SentLabel
    from ..record.request import RoundField
    from .stock_runs import StockRun, StockTask

_SIZE_OF_NOTHING = (1, 1)
_OF_TRACKS = frozenset(("Detection", "Polyline", "Keypoint"))


@dataclass(frozen=True)
class _Frame:
    """A frame of a task.

    Args:
        number: its number in the task
        frame_number: its number in the video, from 1
        holder_id: the id of its document
        document: its document now, or None if it is gone
    """

    number: int
    frame_number: int
    holder_id: str
    document: Mapping[str, Any] | None

    def labels(self, place: Place, field: RoundField) -> Labels:
        """The labels of a field of it."""
        value = (self.document or {}).get(stored_field(place))
        return field.schema.label_kind.labels_of(value, str(place))


@dataclass(frozen=True)
class _Video:
    """A video of a run.

    Args:
        task_id: its task
        sample_id: its sample
        size: width and height in pixels
        frames: those of its frames that were sent
        certain: whether a frame that is older than the run's results is as it was sent
    """

    task_id: int
    sample_id: str
    size: tuple[int, int]
    frames: tuple[_Frame, ...]
    certain: bool


@dataclass(frozen=True)
class _SentPlace:
    """A field of a frame that was sent.

    Args:
        frame: the frame
        place: where its labels are
        ids: those that were sent
        by_stock: label id -> how stock draws it
        here: label id -> how it is now
    """

    frame: _Frame
    place: Place
    ids: Sequence[str]
    by_stock: Mapping[str, Drawn]
    here: Mapping[str, Drawn]

    def baseline(
        self,
        run: StockRun,
        shown: Mapping[tuple[int, str], Drawn | None],
        *,
        certain: bool,
    ) -> tuple[SentLabel, ...]:
        """Its labels as CVAT shows them.

        Args:
            run: the run
            shown: frame and id of the labels of tracks -> how CVAT shows them, None if not at all
            certain: see :class:`_Video`
        """
        in_cvat = {i: shown.get((self.frame.number, i), one) for i, one in self.by_stock.items()}
        visible = [i for i in self.ids if in_cvat.get(i, UNKNOWN) is not None]
        drawn = {label_id: one for label_id, one in in_cvat.items() if one is not None}
        changed_at = (self.frame.document or {}).get("last_modified_at")
        is_older = changed_at is not None and changed_at.replace(tzinfo=UTC) <= run.saved_at
        guessed = not (certain and is_older)
        return sent_labels(visible, drawn, self.here, run.shape_ids, guessed=guessed)


def _sent_span(
    dataset: fo.Dataset, run: StockRun, task: StockTask, sample: Mapping[str, Any] | None
) -> range:
    """Which frames of a video stock sent, counted from 0, in the order of their task.

    Raises:
        UnknownRound: if stock names videos by files that were moved since
    """
    names = ("frame_start", "frame_stop", "frame_step")
    start, stop, step = (_of_task(dataset, run, name, task.number, sample) for name in names)
    count = ((sample or {}).get("metadata") or {}).get("total_frame_count") or 0
    last = max([*task.files, count - 1])
    return range(start or 0, (last if stop is None else min(stop, last)) + 1, step or 1)


def video_frames(
    dataset: fo.Dataset,
    run: StockRun,
    fields: Mapping[str, RoundField],
    task: StockTask,
    *,
    certain: bool,
) -> Iterator[list[SentFrame]]:
    """The baseline of a video, a field at a time; see :func:`.stock_images.image_frames`.

    Raises:
        UnknownRound: if stock drew labels on other frames than theirs
    """
    if not task.files:
        return
    sample_id = next(iter(task.files.values())).sample_id
    sample = dataset._sample_collection.find_one(  # noqa: SLF001 - FiftyOne would load the frames
        {"_id": ObjectId(sample_id)}, {"filepath": 1, "metadata": 1}
    )
    span = _sent_span(dataset, run, task, sample)
    names = [stored_field(Place(sample_id, field.name, 1)) for field in fields.values()]
    frames = _read_frames(dataset, run, task, span, names)
    size = _size(sample) if sample else _SIZE_OF_NOTHING
    video = _Video(task.id, sample_id, size, frames, certain)
    for sent_as, field in fields.items():
        yield _field_frames(run, video, sent_as, field)


def _field_frames(
    run: StockRun, video: _Video, sent_as: str, field: RoundField
) -> list[SentFrame]:
    """The baseline of a field of a video."""
    schema, named = field.schema, run.label_ids.get(sent_as, {})
    in_tracks = schema.label_kind.label_class in _OF_TRACKS
    sent: list[_SentPlace] = []
    tracked: list[TrackedLabel] = []
    for frame in video.frames:
        place = Place(video.sample_id, field.name, frame.frame_number)
        labels = frame.labels(place, field)
        ids = sent_ids(named.get(frame.holder_id, ()), labels, video.size, schema)
        by_stock = drawn_by_stock(ids, labels, video.size, schema)
        here = drawn_here(ids, labels, video.size, schema)
        sent.append(_SentPlace(frame, place, ids, by_stock, here))
        tracked += _tracked(frame.number, labels, by_stock) if in_tracks else ()
    only_keyframes = bool(run.run.schema[sent_as].get("only_keyframes"))
    last = len(video.frames) - 1
    shown = {(label.frame, label.id): None for label in tracked} | shown_labels(
        tracked, last, only_keyframes=only_keyframes
    )
    return [
        SentFrame(
            task_id=video.task_id,
            frame=item.frame.number,
            place=item.place,
            size=video.size,
            labels=item.baseline(run, shown, certain=video.certain),
        )
        for item in sent
    ]


def _tracked(number: int, labels: Labels, by_stock: Mapping[str, Drawn]) -> Iterator[TrackedLabel]:
    """The labels of a frame that are parts of tracks."""
    for document in labels or ():
        drawn = by_stock.get(str(document["_id"]))
        if drawn is not None and has_index(document):
            keyframe = document.get("keyframe")
            shown = replace(drawn, index=document["index"], keyframe=keyframe)
            yield TrackedLabel(number, str(document["_id"]), shown, keyframe=bool(keyframe))


def _read_frames(
    dataset: fo.Dataset, run: StockRun, task: StockTask, span: range, names: list[str]
) -> tuple[_Frame, ...]:
    sample_id = ObjectId(next(iter(task.files.values())).sample_id)
    sent_as = {shown.frame_id: index for index, shown in task.files.items() if shown.frame_id}
    numbers = {"$in": [index + 1 for index in span]}
    query = [{"_sample_id": sample_id, "frame_number": numbers}, {"_id": {"$in": _ids(sent_as)}}]
    fields = ("frame_number", "last_modified_at", *names)
    documents = {}
    for found in dataset._frame_collection.find(  # noqa: SLF001 - FiftyOne would load the frames
        {"$or": query}, dict.fromkeys(fields, 1)
    ):
        index = found["frame_number"] - 1
        if sent_as.get(str(found["_id"]), index) != index:
            raise UnknownRound(
                f"The run {run.key!r} was sent as a view of some frames of videos, and stock "
                "FiftyOne drew their labels on other frames.",
                f"Delete it with dataset.delete_annotation_run({run.key!r}), and send whole "
                "videos.",
            )
        documents[index] = found
    return tuple(
        _Frame(
            number, index + 1, task.files[index].holder_id if index in task.files else "", found
        )
        for number, index in enumerate(span)
        for found in [documents.get(index)]
    )


def _ids(texts: Iterable[str]) -> list[ObjectId]:
    return [ObjectId(text) for text in texts]


def _of_task(
    dataset: fo.Dataset,
    run: StockRun,
    name: str,
    number: int,
    sample: Mapping[str, Any] | None,
) -> int | None:
    """What stock was asked for a task: one for all, one for each in turn, or one for each file."""
    value = run.run.config.get(name)
    if isinstance(value, list):
        value = value[number % len(value)]
    elif isinstance(value, dict):
        filepath = sample["filepath"] if sample else None
        if filepath not in value and sample and _some_were_moved(dataset, run, value):
            raise UnknownRound(
                f"The run {run.key!r} has a {name} for each file of a video, and {filepath} is "
                "none of them.",
                "Give the samples the filepath that they had when they were sent, or load it with "
                f"dataset.load_annotations({run.key!r}).",
            )
        value = value.get(filepath)
    return None if value is None else int(value)


def _some_were_moved(dataset: fo.Dataset, run: StockRun, paths: Iterable[str]) -> bool:
    """Whether samples of a run have other files than when they were sent."""
    query = {"_id": {"$in": _ids(run.samples)}}
    found = list(dataset._sample_collection.find(query, {"filepath": 1}))  # noqa: SLF001 - as above
    missing = set(paths) - {document["filepath"] for document in found}
    return len(missing) > len(run.samples) - len(found)


def _size(sample: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of a video: stock counts pixels by the metadata of its sample.

    Raises:
        UnreadableMedia: if nothing says what they are
    """
    metadata = sample.get("metadata") or {}
    if metadata.get("frame_width") and metadata.get("frame_height"):
        return metadata["frame_width"], metadata["frame_height"]
    width, height, _ = measure(Path(sample["filepath"]))
    return width, height
