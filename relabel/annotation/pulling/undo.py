"""The way back: what a pull overwrote, and how it is restored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import fiftyone.core.odm as foo
from bson import encode
from bson.raw_bson import RawBSONDocument
from fiftyone.core.utils import iter_batches

from ..dataset import frame_storage, storage
from ..dataset.facts import left_by_runs
from ..dataset.tags import tag_pull_undone
from ..dataset.unset_fields import places_without_field, unset_empty
from ..errors import NothingToUndo, TooLargeToUndo
from ..progress import silent
from ..record.baseline import (
    LARGEST_DOCUMENT,
    check_size,
    frame_document,
    load_numbered,
    read_frame,
    replace_frames,
)
from ..record.batches import PER_BATCH
from ..record.following import expect_following
from ..record.places import Place, place_document, read_place, samples_of
from ..record.rounds import holding, list_rounds, load_round, save_round
from ..stock.renamed_fields import follow_fields
from ..stock.stock import note_labels
from .restoring import restored, restored_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

    from ..dataset.storage import Labels
    from ..progress import Progress
    from ..record.round import Round
    from .merge import MergedFrame

PULLS_KEPT = 10
"""How many pulls of a dataset can be undone, one after the other, over all its rounds."""

_ATTEMPTS = 3
_TAGGED = "tagged"
_SAMPLES_PER_DOCUMENT = 100_000


@dataclass(frozen=True)
class UndoReport:
    """What an undo did.

    Args:
        key: the round
        sample_ids: the samples that have their labels back
        left: the samples with labels that were edited after the pull, and stay as they are
        owed: as of a pull, see :class:`PullReport`
        number: the number of the pull that was taken back
    """

    key: str
    sample_ids: tuple[str, ...]
    left: tuple[str, ...] = ()
    owed: bool = False
    number: int = 0


def undo_pull(
    dataset: fo.Dataset, key: str | None = None, progress: Progress = silent
) -> UndoReport:
    """Takes a pull back. The next pull will offer the same changes again.

    Labels that were edited since the pull stay as they are; the others of the same image are
    restored as they were, attributes and tags included. A pull that a crash left unfinished
    counts as the last.

    Args:
        dataset: the dataset
        key: the round whose last pull is taken back, or None for the last pull of the dataset
        progress: hears how far it is; if it raises, nothing has been written. It is silent while
            labels are written

    Raises:
        UnknownRound: if there is no such round
        NothingToUndo: if no pull is left
        FieldGone: if a field of it is gone
        RoundBusy: if somebody is pulling the round
    """
    record = load_round(dataset, key) if key is not None else _pulled_last(dataset)
    record = follow_fields(dataset, record)
    with holding(record):
        record = load_round(dataset, record.key)
        if not record.pulls:
            raise _nothing(f"of the round {record.key!r}")
        expect_following(record.id)
        return revert(dataset, record, progress)


def without_torn_pull(dataset: fo.Dataset, record: Round) -> Round:
    """Takes back what a crash left half done: a pull, or the undoing of one.

    The caller holds the round.

    Returns:
        the round as it is then
    """
    if not record.torn:
        return record
    revert(dataset, record)
    return load_round(dataset, record.key)


def take_back_torn_pull(dataset: fo.Dataset, record: Round) -> Round:
    """Does the same for a caller who does not hold the round.

    Raises:
        RoundBusy: if somebody is pulling it at this moment
    """
    if not record.torn:
        return record
    with holding(record):
        return without_torn_pull(dataset, load_round(dataset, record.key))


def revert(dataset: fo.Dataset, record: Round, progress: Progress = silent) -> UndoReport:
    """Restores what the last pull of a round overwrote, also if it did not come to its end.

    It can itself be interrupted at any point and begun again. The caller holds the round.
    """
    last = record.pulls[-1]
    progress(0.0, "Reading what the pull overwrote")
    saved = {read_place(item): item for item in _load_undo(record.id, last.number)}
    progress(0.2, f"Restoring the labels of {len(samples_of(saved)):,} images")
    if not last.writing:
        save_round(replace(record, pulls=(*record.pulls[:-1], replace(last, writing=True))))
    left = _restore_labels(dataset, record, saved)
    unset_empty(dataset, (place for place, item in saved.items() if item.get("unset")))
    _delete_new_frames(dataset, saved)
    _restore_baseline(dataset, record, saved, left)
    pulled = dict(record.pulled)
    for job_id, version in last.jobs.items():
        if version is None:
            pulled.pop(job_id, None)
        else:
            pulled[job_id] = version
    tag_pull_undone(dataset, _load_tagged(record.id, last.number))
    unfollowed = record.unfollowed + 1
    left_open = {job: left for job, left in record.left_open.items() if job not in last.jobs}
    save_round(
        replace(
            record,
            pulled=pulled,
            left_open=left_open,
            pulls=record.pulls[:-1],
            unfollowed=unfollowed,
            unlisted=tuple(one for one in record.unlisted if one.number != last.number),
        )
    )
    forget_undo(record.id, last.number)
    kept = samples_of(left)
    restored = tuple(sample_id for sample_id in samples_of(saved) if sample_id not in kept)
    return UndoReport(
        key=record.key,
        sample_ids=restored,
        left=tuple(sorted(kept)),
        owed=record.unfollowed > 0,
        number=last.number,
    )


class UndoWriter:
    """Keeps what a pull is about to overwrite, one document for a place, while it is compared.

    Args:
        dataset: the dataset
        round_id: the round
        pull: the number of the pull
    """

    def __init__(self, dataset: fo.Dataset, round_id: ObjectId, pull: int) -> None:
        self._dataset = dataset
        self._key = {"round_id": round_id, "pull": pull}
        self._pool = ThreadPoolExecutor(1)
        self._writes: list[Future[None]] = []

    def __enter__(self) -> Self:
        _undo().create_index([("round_id", 1), ("pull", 1)])
        _undo().delete_many(self._key)  # of a pull that never began
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is not None:
            _undo().delete_many(self._key)

    def keep(self, frames: Sequence[MergedFrame]) -> None:
        """Keeps labels and baseline of some images; goes on while they are written."""
        self._writes += [
            self._pool.submit(self._write, batch) for batch in iter_batches(frames, PER_BATCH)
        ]

    def finish(self, tagged: Iterable[str]) -> None:
        """Keeps the rest, and waits until all is kept.

        Args:
            tagged: the samples that were in annotation before the pull, and are not after it

        Raises:
            TooLargeToUndo: if MongoDB cannot hold what the pull changes of an image
            TooLargeToKeep: if it cannot hold what both sides have afterwards
        """
        for write in self._writes:
            write.result()
        for samples in iter_batches(tagged, _SAMPLES_PER_DOCUMENT):
            _undo().insert_one({**self._key, _TAGGED: list(samples)})

    def _write(self, frames: Sequence[MergedFrame]) -> None:
        places = [frame.place for frame in frames]
        new = frame_storage.without_document(self._dataset, places)
        unset = places_without_field(self._dataset, places)
        _undo().insert_many(
            _document(
                **self._key,
                frame=frame,
                new_frame=frame.place in new,
                unset=frame.place in unset,
            )
            for frame in frames
        )


def update_undo(round_id: ObjectId, pull: int, frames: Sequence[MergedFrame]) -> None:
    """Keeps what a pull is about to overwrite in images whose labels were edited meanwhile."""
    for frame in frames:
        key = {"round_id": round_id, "pull": pull, **place_document(frame.place)}
        # Somebody has edited it: its frame has a document without us, and its field a value.
        document = _document(round_id, pull, frame, new_frame=False, unset=False)
        _undo().replace_one(key, document, upsert=True)


def forget_undo(round_id: ObjectId, pull: int) -> None:
    """Deletes what a pull overwrote; it cannot be undone any more."""
    _undo().delete_many({"round_id": round_id, "pull": pull})


def forget_old_pulls(dataset: fo.Dataset) -> None:
    """Forgets the pulls of a dataset that are too long ago to be undone."""
    pulls = [(pull.at, record, pull) for record in list_rounds(dataset) for pull in record.pulls]
    pulls.sort(key=lambda item: item[0])
    for _, record, pull in pulls[:-PULLS_KEPT]:
        current = load_round(dataset, record.key)
        kept = tuple(one for one in current.pulls if one.number != pull.number)
        save_round(replace(current, pulls=kept))
        forget_undo(record.id, pull.number)


def _restore_labels(
    dataset: fo.Dataset, record: Round, saved: dict[Place, dict[str, Any]]
) -> dict[Place, frozenset[str]]:
    """Restores labels; returns the places with labels that stay as they are, and these."""
    left: dict[Place, frozenset[str]] = {}
    marks = left_by_runs(dataset)
    remaining: Iterable[Place] = list(saved)
    for _ in range(_ATTEMPTS):
        present = storage.read_labels(dataset, remaining, record.kinds)
        changes: dict[Place, tuple[Labels, Labels]] = {}
        for place in remaining:
            item = saved[place]
            if place not in present:
                left[place] = frozenset(storage.changed_ids(item["before"], item["after"]))
                continue
            order = list(map(str, item["order"]))
            target, edited = restored(present[place], item["before"], item["after"], order, marks)
            if edited:
                left[place] = edited
            if target != present[place]:
                changes[place] = (present[place], target)
        remaining = storage.write_labels(dataset, changes, record.kinds)
    for place in remaining:  # somebody edits it faster than we look
        item = saved[place]
        left[place] = frozenset(storage.changed_ids(item["before"], item["after"]))
    return left


def _delete_new_frames(dataset: fo.Dataset, saved: dict[Place, dict[str, Any]]) -> None:
    """Deletes the documents that the pull made for frames, where nothing is left in them."""
    made = [place for place, item in saved.items() if item.get("new_frame")]
    if made:
        frame_storage.delete_empty(dataset, made)
        storage.refresh(dataset, samples_of(made))


def _restore_baseline(
    dataset: fo.Dataset,
    record: Round,
    saved: dict[Place, dict[str, Any]],
    left: dict[Place, frozenset[str]],
) -> None:
    """Moves the baseline back, but not that of labels that stay as they are."""
    sent = {place: read_frame(item["sent"]) for place, item in saved.items()}
    current = {
        frame.place: frame
        for frame in load_numbered(
            record.id, [(sent[place].task_id, sent[place].frame) for place in left]
        )
    }
    frames = [
        restored_baseline(frame, current.get(place, frame), left.get(place, frozenset()))
        for place, frame in sent.items()
    ]
    replace_frames(record.id, frames)
    note_labels(
        dataset,
        record,
        [
            frame
            for frame in frames
            if storage.by_id(saved[frame.place]["before"]).keys()
            != storage.by_id(saved[frame.place]["after"]).keys()
        ],
    )


def _pulled_last(dataset: fo.Dataset) -> Round:
    pulled = [record for record in list_rounds(dataset) if record.pulls]
    if not pulled:
        raise _nothing("of this dataset")
    return max(pulled, key=lambda record: record.pulls[-1].at)


def _nothing(where: str) -> NothingToUndo:
    return NothingToUndo(
        f"No pull {where} is left to undo.",
        f"The last {PULLS_KEPT} pulls of a dataset that changed something are kept.",
    )


def _document(
    round_id: ObjectId,
    pull: int,
    frame: MergedFrame,
    *,
    new_frame: bool,
    unset: bool,
) -> RawBSONDocument:
    """What a merge overwrites. Labels that it leaves alone are the same objects before and after.

    Raises:
        TooLargeToUndo: if MongoDB cannot hold it
        TooLargeToKeep: if it cannot hold the baseline afterwards
    """
    check_size(round_id, frame.baseline)
    was, becomes = set(map(id, frame.before or ())), set(map(id, frame.after))
    before = [label for label in frame.before or () if id(label) not in becomes]
    document = {
        "round_id": round_id,
        "pull": pull,
        **place_document(frame.place),
        "before": None if frame.before is None else before,
        "after": [label for label in frame.after if id(label) not in was],
        "order": [label["_id"] for label in frame.before or ()],
        "sent": frame_document(round_id, frame.sent),
        "new_frame": new_frame,
        "unset": unset,
    }
    encoded = encode(document)
    if len(encoded) > LARGEST_DOCUMENT:
        raise TooLargeToUndo(
            f"What a pull changes of {frame.place.field!r} in the sample {frame.place.sample_id} "
            f"takes {len(encoded) / 1e6:.0f} MB, more than one document of MongoDB can hold.",
            "Leave this sample out of the pull.",
        )
    return RawBSONDocument(encoded)


def _load_undo(round_id: ObjectId, pull: int) -> Iterator[dict[str, Any]]:
    yield from _undo().find({"round_id": round_id, "pull": pull, _TAGGED: {"$exists": False}})


def _load_tagged(round_id: ObjectId, pull: int) -> list[str]:
    found = _undo().find({"round_id": round_id, "pull": pull, _TAGGED: {"$exists": True}})
    return [sample_id for document in found for sample_id in document[_TAGGED]]


def _undo() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_undo"]
