"""What is kept of an evaluation beside its FiftyOne run.

It is found by the id of the run's document, so that renaming the run keeps it, and is forgotten
when the run is gone: one small document in ``relabel_evaluations``, and the outcome of the
matching as a file in GridFS. Where little has changed since that file, it stays, and a second one
holds what is new.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import numpy as np
from bson import DBRef, ObjectId
from gridfs import GridFS, NoFile

from ..matching.options import Comparison, read_options
from ..matching.outcome import Outcome, Pieces
from .packing import packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from numpy.typing import NDArray
    from pymongo.collection import Collection

    Integers = NDArray[np.int64]

ORIGIN = "relabel_origin"
"""In the document of a run: the id of the first, which this one has replaced."""

_MUCH = 0.25
"""From which share of new images on everything is written anew."""

_FEW_LABELS = 200_000
"""Up to how many labels stay in memory, about 50 MB."""


@dataclass(frozen=True)
class Seen:
    """What an evaluation looked at.

    Args:
        stages: the stages of its view, serialized; none for a whole dataset
        stamps: when each sample was last written, see :mod:`.reading`, of shape ``(images,)``
    """

    stages: tuple[str, ...]
    stamps: Integers


@dataclass(frozen=True)
class Kept:
    """What is kept of an evaluation.

    Args:
        comparison: what was matched, and how
        pieces: who was matched to whom
        seen: what it looked at; None if that is not known
        file: what holds the first piece already, if there is such a file
        version: see :func:`kept_version`; empty of what is not kept yet
    """

    comparison: Comparison
    pieces: Pieces
    seen: Seen | None = None
    file: ObjectId | None = None
    version: str = ""

    @property
    def outcome(self) -> Outcome:
        """Who was matched to whom."""
        return self.pieces.outcome


@dataclass(frozen=True)
class KeptScore:
    """An evaluation of a dataset and its score, without what it was computed from.

    Args:
        eval_key: the evaluation
        predictions: the field of the predictions
        ground_truth: the field of the ground truth
        samples: on how many samples it was made
        map: mean average precision, or None without ground truth
        version: what differs whenever it was made anew
    """

    eval_key: str
    predictions: str
    ground_truth: str
    samples: int
    map: float | None
    version: str


def run_ids(dataset: fo.Dataset) -> dict[str, ObjectId]:
    """The evaluation runs of a dataset, read afresh: another process may have made one.

    Returns:
        key -> the id of the run, which stays when its results are replaced: that of its first
            document, see :mod:`.stored_run`
    """
    documents = run_documents(dataset)
    there = {"_id": {"$in": list(documents.values())}}
    found = foo.get_db_conn()["runs"].find(there, {ORIGIN: 1})
    first = {one["_id"]: one.get(ORIGIN) or one["_id"] for one in found}
    return {key: first[document] for key, document in documents.items() if document in first}


def run_documents(dataset: fo.Dataset, kind: str = "evaluations") -> dict[str, ObjectId]:
    """The ids of the documents that a dataset refers to, by the keys of its runs of a kind."""
    document = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {kind: 1},
    )
    runs = (document or {}).get(kind) or {}
    return {key: ref.id if isinstance(ref, DBRef) else ref for key, ref in runs.items()}


def living_runs(ids: Sequence[ObjectId]) -> set[ObjectId]:
    """Those of some runs that are still there."""
    query = {"$or": [{"_id": {"$in": ids}}, {ORIGIN: {"$in": ids}}]}
    found = foo.get_db_conn()["runs"].find(query, {ORIGIN: 1})
    return {one.get(ORIGIN) or one["_id"] for one in found}


def load_kept(run_id: ObjectId, *, even_interrupted: bool = False) -> Kept | None:
    """What is kept of a run; None of a run of others.

    Args:
        run_id: the run
        even_interrupted: what is kept of the last time even if a process has died since while it
            wrote marks: nobody knows then which of them are those of that time
    """
    document = _kept().find_one({"_id": run_id})
    if document is None or document.get("file") is None:
        return None
    if document["writing"] and not even_interrupted:
        return None
    try:
        pieces, stamps = _load(document["file"], document.get("changes"))
    except NoFile:  # another process has just replaced it
        return None
    options = read_options(document["options"])
    fields = document["predictions"], document["ground_truth"]
    seen = Seen(tuple(document["stages"]), stamps) if stamps is not None else None
    version = _version_of(document)
    return Kept(Comparison(*fields, options), pieces, seen, document["file"], version)


def kept_version(run_id: ObjectId) -> str:
    """What differs whenever an evaluation was made anew; empty if nothing is kept of it. Quick."""
    document = _kept().find_one({"_id": run_id}, {"file": 1, "changes": 1})
    return _version_of(document) if document and document.get("file") else ""


def _version_of(document: Mapping[str, Any]) -> str:
    return str(document.get("changes") or document["file"])


def kept_scores(dataset: fo.Dataset) -> list[KeptScore]:
    """The evaluations of a dataset that something is kept of; quick, whatever their size."""
    keys = {run_id: key for key, run_id in run_ids(dataset).items()}
    wanted = {"_id": {"$in": list(keys)}, "file": {"$ne": None}, "score": {"$ne": None}}
    return [
        KeptScore(
            eval_key=keys[document["_id"]],
            predictions=document["predictions"],
            ground_truth=document["ground_truth"],
            version=_version_of(document),
            **document["score"],
        )
        for document in _kept().find(wanted).sort("_id", 1)
    ]


def begin_writing(run_id: ObjectId) -> bool:
    """Notes that the marks of a run are about to be written.

    Returns:
        whether that was noted already: nobody knows then which of them are those of the last time
    """
    noted = {"$set": {"writing": True}}
    before = _kept().find_one_and_update({"_id": run_id}, noted, {"writing": 1}, upsert=True)
    return bool(before and before.get("writing"))


def end_writing(run_id: ObjectId) -> None:
    """Notes that the marks of a run are what they were before."""
    _kept().update_one({"_id": run_id}, {"$set": {"writing": False}})


@dataclass(frozen=True)
class Draft:
    """What is to be kept beside a run, in a file that is nobody's yet.

    Args:
        kept: what
        pieces: the same, as it will be loaded
        file: the file
        beside: the file that holds the first piece, if this one holds only what is new
    """

    kept: Kept
    pieces: Pieces
    file: ObjectId
    beside: ObjectId | None = None

    def discard(self) -> None:
        """Deletes the file."""
        GridFS(foo.get_db_conn()).delete(self.file)


def draft_kept(run_id: ObjectId, kept: Kept) -> Draft:
    """Writes what is to be kept beside a run."""
    since, rows = kept.pieces.since_first()
    if not kept.file or len(since) > _MUCH * len(rows):
        return _draft_whole(run_id, kept)
    file = _put(run_id, packed(since, {"rows": rows.astype(np.int32), **_stamps_of(kept)}))
    return Draft(kept, _in_two(kept.pieces.of[0], since, rows), file, kept.file)


def _draft_whole(run_id: ObjectId, kept: Kept) -> Draft:
    outcome = kept.outcome
    file = _put(run_id, packed(outcome, _stamps_of(kept)))
    return Draft(kept, Pieces((outcome,), np.arange(len(outcome))), file)


def save_kept(run_id: ObjectId, draft: Draft, score: float | None) -> None:
    """Keeps something beside a run, in place of what was kept before.

    Args:
        run_id: the run
        draft: what
        score: its mean average precision, or None
    """
    kept = draft.kept
    document = {
        **asdict(kept.comparison),
        "stages": list(kept.seen.stages) if kept.seen else [],
        "writing": False,
        "score": {"samples": int(kept.outcome.predicted.sum()), "map": score},
    }
    if draft.beside:
        new = document | {"file": draft.beside, "changes": draft.file}
        # Not beside another file: then a second process has written everything anew.
        before = _kept().find_one_and_update({"_id": run_id, "file": draft.beside}, {"$set": new})
        if not before:
            draft.discard()
            draft = _draft_whole(run_id, kept)
    if not draft.beside:
        new = document | {"file": draft.file, "changes": None}
        before = _kept().find_one_and_update({"_id": run_id}, {"$set": new}, upsert=True)
    _delete(GridFS(foo.get_db_conn()), before, keep=draft.beside)
    stamps = kept.seen.stamps if kept.seen else None
    _latest.remember(new["file"], new["changes"], draft.pieces, stamps)


def _stamps_of(kept: Kept) -> dict[str, Integers]:
    return {"stamps": kept.seen.stamps} if kept.seen else {}


def _put(run_id: ObjectId, data: bytes) -> ObjectId:
    name = f"relabel_evaluation_{run_id}"
    file: ObjectId = GridFS(foo.get_db_conn()).put(data, filename=name)
    return file


def forget_orphans() -> None:
    """Deletes what is kept of runs that are gone."""
    ids = [document["_id"] for document in _kept().find({}, {"_id": 1})]
    for run_id in set(ids) - living_runs(ids):
        _delete(GridFS(foo.get_db_conn()), _kept().find_one_and_delete({"_id": run_id}))


def _delete(
    files: GridFS, document: Mapping[str, Any] | None, *, keep: ObjectId | None = None
) -> None:
    """Deletes the files that a document was about."""
    for name in ("file", "changes"):
        file = (document or {}).get(name)
        if file and file != keep:
            files.delete(file)


def _kept() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_evaluations"]


class _Latest:
    """The outcome that this process has loaded or saved last: the next pull asks for it again.

    Files never change, so that it cannot be outdated.
    """

    def __init__(self) -> None:
        self._held: tuple[Any, tuple[Pieces, Integers | None]] | None = None

    def remember(
        self, file: ObjectId, changes: ObjectId | None, pieces: Pieces, stamps: Integers | None
    ) -> None:
        labels = sum(len(piece.found) + len(piece.truth) for piece in pieces.of)
        few = labels <= _FEW_LABELS
        self._held = ((file, changes), (pieces, stamps)) if few else None

    def get(
        self, file: ObjectId, changes: ObjectId | None
    ) -> tuple[Pieces, Integers | None] | None:
        held = self._held  # another thread may replace it meanwhile
        return held[1] if held and held[0] == (file, changes) else None


_latest = _Latest()


def _load(file: ObjectId, changes: ObjectId | None) -> tuple[Pieces, Integers | None]:
    """An outcome and its stamps."""
    found = _latest.get(file, changes)
    if found is None:
        found = _read(GridFS(foo.get_db_conn()), file, changes)
        _latest.remember(file, changes, *found)
    return found


def _read(
    files: GridFS, file: ObjectId, changes: ObjectId | None
) -> tuple[Pieces, Integers | None]:
    outcome, more = unpacked(files.get(file).read())
    if changes is None:
        return Pieces((outcome,), np.arange(len(outcome))), more.get("stamps")
    new, more = unpacked(files.get(changes).read())
    return _in_two(outcome, new, more["rows"]), more["stamps"]


def _in_two(first: Outcome, new: Outcome, rows: Integers) -> Pieces:
    """The whole of what `Pieces.since_first` took apart."""
    places = rows.astype(np.int64)
    places[places < 0] = len(first) + np.arange(len(new))
    return Pieces((first, new), places)
