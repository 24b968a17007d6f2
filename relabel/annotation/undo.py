"""The way back: what a pull overwrote, and how it is restored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

from . import storage
from .baseline import frame_document, read_frame, replace_frames
from .errors import NothingToUndo
from .rounds import Round, holding, load_round, save_round

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import fiftyone as fo
    from bson import ObjectId
    from pymongo.collection import Collection

    from .merge import MergedFrame

PULLS_KEPT = 10
"""How many pulls of a round can be undone, one after the other."""


@dataclass(frozen=True)
class UndoReport:
    """What an undo did.

    Args:
        key: the round
        sample_ids: the samples that have their labels back
        left: the samples whose labels were edited after the pull, and stay as they are
    """

    key: str
    sample_ids: tuple[str, ...]
    left: tuple[str, ...] = ()


def undo_pull(dataset: fo.Dataset, key: str) -> UndoReport:
    """Takes the last pull of a round back. The next pull will offer the same changes again.

    Args:
        dataset: the dataset
        key: the round

    Raises:
        UnknownRound: if there is no such round
        NothingToUndo: if no pull of it is left
        RoundBusy: if somebody is pulling it
    """
    with holding(load_round(dataset, key)):
        record = load_round(dataset, key)
        if not record.pulls:
            raise NothingToUndo(
                f"No pull of the round {key!r} is left to undo.",
                f"The last {PULLS_KEPT} that changed something are kept.",
            )
        return revert(dataset, record)


def revert(dataset: fo.Dataset, record: Round) -> UndoReport:
    """Restores what the last pull of a round overwrote, also if it did not come to its end.

    The caller holds the round.
    """
    last = record.pulls[-1]
    saved = list(_load_undo(record.id, last.number))
    changes = {item["sample_id"]: (item["after"], item["before"]) for item in saved}
    lost = storage.write_labels(dataset, record.label_field, changes)
    replace_frames(
        record.id, (read_frame(item["sent"]) for item in saved if item["sample_id"] not in lost)
    )
    pulled = dict(record.pulled)
    for job_id, version in last.jobs.items():
        if version is None:
            pulled.pop(job_id, None)
        else:
            pulled[job_id] = version
    save_round(replace(record, pulled=pulled, pulls=record.pulls[:-1]))
    forget_undo(record.id, last.number)
    restored = tuple(sample_id for sample_id in changes if sample_id not in lost)
    return UndoReport(record.key, restored, tuple(sorted(lost)))


def save_undo(round_id: ObjectId, pull: int, frames: Iterable[MergedFrame]) -> None:
    """Keeps what a pull is about to overwrite: labels and baseline, one document for an image."""
    _undo().create_index([("round_id", 1), ("pull", 1)])
    _undo().delete_many({"round_id": round_id, "pull": pull})  # of a pull that never began
    _undo().insert_many(
        {
            "round_id": round_id,
            "pull": pull,
            "sample_id": frame.sample_id,
            "before": frame.before,
            "after": frame.after,
            "sent": frame_document(round_id, frame.sent),
        }
        for frame in frames
    )


def forget_undo(round_id: ObjectId, pull: int) -> None:
    """Deletes what a pull overwrote; it cannot be undone any more."""
    _undo().delete_many({"round_id": round_id, "pull": pull})


def _load_undo(round_id: ObjectId, pull: int) -> Iterator[dict[str, Any]]:
    yield from _undo().find({"round_id": round_id, "pull": pull})


def _undo() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_undo"]
