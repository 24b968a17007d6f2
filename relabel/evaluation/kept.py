"""What is kept of an evaluation beside its FiftyOne run.

It is found by the id of the run's document, so that renaming the run keeps it, and is forgotten
when the run is gone: one small document in ``relabel_evaluations``, and the outcome of the
matching as a file in GridFS.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import numpy as np
from bson import DBRef, ObjectId
from gridfs import GridFS

from .options import Comparison, read_options
from .outcome import ARRAYS, Outcome
from .tables import Detections
from .validity import InvalidLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import fiftyone as fo
    from numpy.typing import NDArray
    from pymongo.collection import Collection

_ID_DIGITS = 24


@dataclass(frozen=True)
class Kept:
    """What is kept of an evaluation.

    Args:
        comparison: what was matched, and how
        outcome: who was matched to whom
    """

    comparison: Comparison
    outcome: Outcome


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
    """The evaluation runs of a dataset, read afresh: another process may have made one."""
    document = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"evaluations": 1},
    )
    runs = (document or {}).get("evaluations") or {}
    return {key: ref.id if isinstance(ref, DBRef) else ref for key, ref in runs.items()}


def load_kept(run_id: ObjectId) -> Kept | None:
    """What is kept of a run; None of a run of others, or one that was interrupted."""
    document = _kept().find_one({"_id": run_id})
    if document is None or document["writing"] or document.get("file") is None:
        return None
    with GridFS(foo.get_db_conn()).get(document["file"]) as file:
        outcome = _unpacked(file.read())
    options = read_options(document["options"])
    fields = document["predictions"], document["ground_truth"]
    return Kept(Comparison(*fields, options), outcome)


def kept_scores(dataset: fo.Dataset) -> list[KeptScore]:
    """The evaluations of a dataset that something is kept of; quick, whatever their size."""
    keys = {run_id: key for key, run_id in run_ids(dataset).items()}
    wanted = {"_id": {"$in": list(keys)}, "file": {"$ne": None}, "score": {"$ne": None}}
    return [
        KeptScore(
            eval_key=keys[document["_id"]],
            predictions=document["predictions"],
            ground_truth=document["ground_truth"],
            version=str(document["file"]),
            **document["score"],
        )
        for document in _kept().find(wanted).sort("_id", 1)
    ]


def begin_writing(run_id: ObjectId) -> None:
    """Notes that the marks of a run are about to be written."""
    _kept().update_one({"_id": run_id}, {"$set": {"writing": True}}, upsert=True)


def end_writing(run_id: ObjectId) -> None:
    """Notes that the marks of a run are what they were before."""
    _kept().update_one({"_id": run_id}, {"$set": {"writing": False}})


def save_kept(run_id: ObjectId, kept: Kept, score: float | None) -> None:
    """Keeps something beside a run, in place of what was kept before.

    Args:
        run_id: the run
        kept: what
        score: its mean average precision, or None
    """
    files = GridFS(foo.get_db_conn())
    new = files.put(_packed(kept.outcome), filename=f"relabel_evaluation_{run_id}")
    document = {
        **asdict(kept.comparison),
        "file": new,
        "writing": False,
        "score": {"samples": int(kept.outcome.predicted.sum()), "map": score},
    }
    before = _kept().find_one_and_update({"_id": run_id}, {"$set": document}, upsert=True)
    if before and before.get("file"):
        files.delete(before["file"])


def forget_orphans() -> None:
    """Deletes what is kept of runs that are gone."""
    database = foo.get_db_conn()
    ids = [document["_id"] for document in _kept().find({}, {"_id": 1})]
    alive = {one["_id"] for one in database["runs"].find({"_id": {"$in": ids}}, {"_id": 1})}
    for run_id in set(ids) - alive:
        gone = _kept().find_one_and_delete({"_id": run_id})
        if gone and gone.get("file"):
            GridFS(database).delete(gone["file"])


def _kept() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_evaluations"]


def _packed(outcome: Outcome) -> bytes:
    arrays: dict[str, Any] = {name: getattr(outcome, name) for name in ARRAYS}
    arrays["sample_ids"] = _packed_ids(outcome.sample_ids)
    arrays["invalid"] = np.frombuffer(
        json.dumps([asdict(bad) for bad in outcome.invalid]).encode(), dtype=np.uint8
    )
    for side, table in (("found", outcome.found), ("truth", outcome.truth)):
        names, codes = np.unique(table.label.astype(str), return_inverse=True)
        arrays |= {
            f"{side}.ids": _packed_ids(table.ids),
            f"{side}.names": names,
            f"{side}.codes": codes.astype(np.int32),
            f"{side}.image": table.image.astype(np.int32),
            f"{side}.box": table.box,
            f"{side}.confidence": table.confidence,
            f"{side}.crowd": table.crowd,
        }
    with io.BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def _unpacked(data: bytes) -> Outcome:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        invalid = json.loads(arrays["invalid"].tobytes())
        return Outcome(
            sample_ids=tuple(_unpacked_ids(arrays["sample_ids"])),
            found=_table(arrays, "found"),
            truth=_table(arrays, "truth"),
            invalid=tuple(InvalidLabel(**bad) for bad in invalid),
            **{name: arrays[name] for name in ARRAYS},
        )


def _table(arrays: Mapping[str, NDArray[Any]], side: str) -> Detections:
    names = np.array(arrays[f"{side}.names"].tolist(), dtype=object)
    codes = arrays[f"{side}.codes"]
    return Detections(
        ids=_unpacked_ids(arrays[f"{side}.ids"]),
        image=arrays[f"{side}.image"].astype(np.int64),
        label=names[codes] if codes.size else np.empty(0, dtype=object),
        box=arrays[f"{side}.box"],
        confidence=arrays[f"{side}.confidence"],
        crowd=arrays[f"{side}.crowd"],
    )


def _packed_ids(ids: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=np.uint8)


def _unpacked_ids(packed: NDArray[np.uint8]) -> list[str]:
    text = packed.tobytes().hex()
    return [text[start : start + _ID_DIGITS] for start in range(0, len(text), _ID_DIGITS)]
