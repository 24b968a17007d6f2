"""The baseline: what both sides had when they last agreed, a document for a field of an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone.core.odm as foo
from bson import encode
from pymongo import ReplaceOne, UpdateOne

from ...labels import Drawn
from ..errors import TooLargeToKeep
from .batches import write_in_batches
from .packing import packed, unpacked
from .places import Place, place_document, read_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bson import ObjectId
    from pymongo.collection import Collection

    from .round import Round

_FRAMES_PER_WRITE = 500
_BYTES_OF_LABEL, _BYTES_OF_ATTRIBUTE = 500, 4500  # at most, names and all


LARGEST_DOCUMENT = 2**24 - 2**8
"""The bytes of a document of MongoDB, with room for the id that it adds."""


@dataclass(frozen=True)
class Start:
    """The label of another field that a label starts from.

    Args:
        source_id: its id
        document: a copy of it with the id of the label that starts from it
    """

    source_id: str
    document: dict[str, Any]


class SentLabel(NamedTuple):
    """A label of the baseline.

    Args:
        id: its id in FiftyOne
        shape_id: its id in CVAT
        drawn: the label in CVAT when both sides last agreed
        here: the label in FiftyOne at that moment, where it was drawn otherwise by more than a
            rounding error: by whole pixels in a round of stock FiftyOne, as the text of a value
        guessed: whether it was edited in FiftyOne perhaps, after it was sent and before anything
            was recorded of it
        start: what it starts from, if it is in CVAT only and comes to FiftyOne with a pull
    """

    id: str
    shape_id: int
    drawn: Drawn
    here: Drawn | None = None
    guessed: bool = False
    start: Start | None = None

    @property
    def drawn_here(self) -> Drawn | None:
        """The label in FiftyOne when both sides last agreed; None if it was not there."""
        return None if self.start else self.here or self.drawn


@dataclass(frozen=True)
class SentFrame:
    """One field of an image of the baseline.

    Args:
        task_id: the task that the image is in
        frame: its number there
        place: where the labels are in FiftyOne
        size: width and height in pixels
        labels: what was on it when both sides last agreed
        id: of its document, once it has one
    """

    task_id: int
    frame: int
    place: Place
    size: tuple[int, int]
    labels: tuple[SentLabel, ...]
    id: ObjectId | None = field(default=None, compare=False)

    @property
    def sample_id(self) -> str:
        """Its sample in FiftyOne."""
        return self.place.sample_id


def save_frames(round_id: ObjectId, frames: Iterable[SentFrame]) -> None:
    """Adds images to the baseline."""
    ensure_indexes()
    collection = _frames()
    batch: list[dict[str, Any]] = []
    for frame in frames:
        batch.append(frame_document(round_id, frame))
        if len(batch) == _FRAMES_PER_WRITE:
            collection.insert_many(batch)
            batch = []
    if batch:
        collection.insert_many(batch)


def add_frames(round_id: ObjectId, frames: Iterable[SentFrame]) -> None:
    """Adds those images to the baseline that are not in it yet."""
    ensure_indexes()
    writes = [
        UpdateOne(
            _key(round_id, frame), {"$setOnInsert": frame_document(round_id, frame)}, upsert=True
        )
        for frame in frames
    ]
    if writes:
        _frames().bulk_write(writes, ordered=False)


def ensure_indexes() -> None:
    """Makes what finds the images of a round."""
    key = ("round_id", "task_id", "frame", "field")
    _frames().create_index([(name, 1) for name in key], unique=True)
    _frames().create_index([("sample_id", 1)])


def forget_frames(round_id: ObjectId, task_id: int) -> None:
    """Deletes the images of a task from the baseline."""
    _frames().delete_many({"round_id": round_id, "task_id": task_id})


def load_frames(
    round_id: ObjectId, task_id: int, spans: Iterable[tuple[int, int]]
) -> Iterator[SentFrame]:
    """The baseline of some frames of a task.

    Args:
        round_id: the round
        task_id: the task
        spans: first and last frame of each stretch of frames
    """
    conditions = [{"frame": {"$gte": first, "$lte": last}} for first, last in spans]
    if conditions:
        query = {"round_id": round_id, "task_id": task_id, "$or": conditions}
        yield from map(read_frame, _frames().find(query).sort("frame", 1))


def load_some_frames(round_id: ObjectId, field: str, count: int) -> list[SentFrame]:
    """The baseline of some images that have labels of a field, not only what these start from."""
    query = {"round_id": round_id, "field": field, "labels": {"$elemMatch": {"start": None}}}
    return list(map(read_frame, _frames().find(query).limit(count)))


def load_numbered(round_id: ObjectId, numbers: Iterable[tuple[int, int]]) -> Iterator[SentFrame]:
    """The baseline of single frames, each named by its task and its number there."""
    conditions = [{"task_id": task_id, "frame": frame} for task_id, frame in numbers]
    if conditions:
        query = {"round_id": round_id, "$or": conditions}
        yield from map(read_frame, _frames().find(query))


def samples_of_round(round_id: ObjectId) -> list[str]:
    """The ids of the samples of a round, also of one that is still being sent."""
    grouped = [{"$match": {"round_id": round_id}}, {"$group": {"_id": "$sample_id"}}]
    return [found["_id"] for found in _frames().aggregate(grouped)]


def samples_by_frame(round_id: ObjectId, task_id: int, frames: range) -> Iterator[tuple[int, str]]:
    """The frames of a stretch of a task, each with its sample."""
    query = {
        "round_id": round_id,
        "task_id": task_id,
        "frame": {"$gte": frames.start, "$lt": frames.stop},
    }
    for found in _frames().find(query, {"frame": 1, "sample_id": 1}):
        yield found["frame"], found["sample_id"]


@dataclass(frozen=True)
class FrameSize:
    """On which frame an image is, and how large it is.

    Args:
        task_id: its task
        frame: its number there
        size: width and height in pixels
    """

    task_id: int
    frame: int
    size: tuple[int, int]


def frames_of_samples(
    round_id: ObjectId, sample_ids: Iterable[str]
) -> Iterator[tuple[str, FrameSize]]:
    """The samples that a round has, of some, each with its frame."""
    query = {"round_id": round_id, "sample_id": {"$in": list(sample_ids)}}
    shown = {"sample_id": 1, "task_id": 1, "frame": 1, "size": 1}
    for found in _frames().find(query, shown):
        width, height = found["size"]
        yield found["sample_id"], FrameSize(found["task_id"], found["frame"], (width, height))


def replace_frames(round_id: ObjectId, frames: Iterable[SentFrame]) -> None:
    """Moves the baseline of some images, which have been read from it."""

    def write(batch: Sequence[SentFrame]) -> None:
        writes = [ReplaceOne({"_id": one.id}, frame_document(round_id, one)) for one in batch]
        _frames().bulk_write(writes, ordered=False)

    write_in_batches(write, frames)


@dataclass(frozen=True)
class PlaceOut:
    """A field of a sample that is out.

    Args:
        key: the round that has it
        sample_id: the sample
        field: the field; empty while the round is still being planned
        labels: how many labels it was sent with
    """

    key: str
    sample_id: str
    field: str
    labels: int


def places_out(rounds: Iterable[Round]) -> Iterator[PlaceOut]:
    """What is out in some rounds; of a video, a place for each of its frames."""
    names = {record.id: record.key for record in rounds}
    labels = {"$size": {"$ifNull": ["$labels", []]}}
    shown = {"sample_id": 1, "round_id": 1, "field": 1, "count": labels}
    query = [{"$match": {"round_id": {"$in": list(names)}}}, {"$project": shown}]
    for found in _frames().aggregate(query):
        key, field = names[found["round_id"]], found.get("field") or ""
        yield PlaceOut(key, found["sample_id"], field, found["count"])


def frame_document(round_id: ObjectId, frame: SentFrame) -> dict[str, Any]:
    """A field of an image of the baseline as MongoDB holds it."""
    return {
        **({"_id": frame.id} if frame.id else {}),
        "round_id": round_id,
        **place_document(frame.place),
        "task_id": frame.task_id,
        "frame": frame.frame,
        "size": frame.size,
        "labels": [_label_document(label) for label in frame.labels],
    }


def check_size(round_id: ObjectId, frame: SentFrame) -> None:
    """Holds that MongoDB can keep a field of an image of the baseline.

    Raises:
        TooLargeToKeep: if it cannot
    """
    if _most_bytes(frame) < LARGEST_DOCUMENT:
        return
    size = len(encode(frame_document(round_id, frame)))
    if size > LARGEST_DOCUMENT:
        raise TooLargeToKeep(
            f"The {len(frame.labels):,} labels of {frame.place.field!r} in the sample "
            f"{frame.sample_id} take {size / 1e6:.0f} MB, more than one document of MongoDB can "
            "hold.",
            "Leave this sample out, or simplify its labels.",
        )


def _most_bytes(frame: SentFrame) -> int:
    """What a document may take at most, worked out faster than it is made."""
    if not frame.labels:
        return 0
    attributes = max(len(label.drawn.attributes) for label in frame.labels)
    numbers = sum(sum(map(len, label.drawn.parts)) for label in frame.labels)
    each = _BYTES_OF_LABEL + _BYTES_OF_ATTRIBUTE * attributes
    return (
        len(frame.labels) * each
        + 16 * numbers
        + sum(len(encode(label.start.document)) for label in frame.labels if label.start)
    )


def _label_document(label: SentLabel) -> dict[str, Any]:
    """What a label has; nothing for what it does not have, which most labels do not."""
    drawn = _drawn_document(label.drawn)
    document: dict[str, Any] = {"id": label.id, "shape_id": label.shape_id, "drawn": drawn}
    if label.here:
        document["here"] = _drawn_document(label.here)
    if label.guessed:
        document["guessed"] = True
    if label.start:
        document["start"] = vars(label.start)
    return document


def _drawn_document(drawn: Drawn) -> dict[str, Any]:
    document: dict[str, Any] = {
        "label": drawn.label,
        "points": packed(drawn.points),
        "rotation": drawn.rotation,
        "attributes": drawn.attributes,
        "type": str(drawn.type),
    }
    if drawn.more:
        document["more"] = [packed(points) for points in drawn.more]
    if drawn.index is not None:
        document["index"] = drawn.index
    if drawn.keyframe is not None:
        document["keyframe"] = drawn.keyframe
    return document


def read_frame(document: Mapping[str, Any]) -> SentFrame:
    """The reverse of :func:`frame_document`."""
    width, height = document["size"]
    return SentFrame(
        id=document["_id"],
        task_id=document["task_id"],
        frame=document["frame"],
        place=read_place(document),
        size=(width, height),
        labels=tuple(
            SentLabel(
                label["id"],
                label["shape_id"],
                _read_drawn(label["drawn"]),
                _read_drawn(label["here"]) if label.get("here") else None,
                label.get("guessed", False),
                Start(**label["start"]) if label.get("start") else None,
            )
            for label in document["labels"]
        ),
    )


def _key(round_id: ObjectId, frame: SentFrame) -> dict[str, Any]:
    return {
        "round_id": round_id,
        "task_id": frame.task_id,
        "frame": frame.frame,
        "field": frame.place.field,
    }


def _read_drawn(document: Mapping[str, Any]) -> Drawn:
    more = document.get("more")
    return Drawn(
        document["label"],
        unpacked(document["points"]),
        document["rotation"],
        document["attributes"],
        document["type"],
        tuple(map(unpacked, more)) if more else (),
        document.get("index"),
        document.get("keyframe"),
    )


def _frames() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_frames"]
