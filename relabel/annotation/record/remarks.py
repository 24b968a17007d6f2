"""What annotators of a round are to be told, from before it is sent until all of it is said."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bson import ObjectId
    from pymongo.collection import Collection

    from .round import Round


@dataclass(frozen=True)
class Remark:
    """Something that annotators are to look at.

    Args:
        sample_id: the sample
        box: the place: left, top, width, height, relative to the image
        text: what there may be
    """

    sample_id: str
    box: tuple[float, float, float, float]
    text: str


def save_unsaid(round_id: ObjectId, remarks: Sequence[Remark]) -> None:
    """Records what is to be said, in the place of what was."""
    forget_unsaid(round_id)
    if remarks:
        _remarks().create_index("round_id")
        _remarks().insert_many({"round_id": round_id, **asdict(remark)} for remark in remarks)


def load_unsaid(round_id: ObjectId) -> list[Remark]:
    """What is to be said, in the order in which it was recorded."""
    found = _remarks().find({"round_id": round_id}).sort("_id", 1)
    return [Remark(one["sample_id"], tuple(one["box"]), one["text"]) for one in found]


def forget_unsaid(round_id: ObjectId) -> None:
    """Deletes the record, once all is said or nothing of it is wanted."""
    _remarks().delete_many({"round_id": round_id})


def rounds_with_unsaid(rounds: Iterable[Round]) -> list[Round]:
    """Those of some rounds whose annotators were not told everything."""
    waiting = set(_remarks().distinct("round_id"))
    return [record for record in rounds if record.id in waiting]


def _remarks() -> Collection[dict[str, Any]]:
    return foo.get_db_conn()["relabel_remarks"]
