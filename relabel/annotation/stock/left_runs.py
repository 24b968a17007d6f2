"""Annotation runs that cannot be rounds, and why; what is told before their results are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import UnknownRound
from ..record.rounds import known_rounds
from .stock_runs import unknown_runs
from .stock_schema import can_travel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import fiftyone as fo

    from ...errors import RelabelError
    from .stock_runs import RunDocument

_CVAT = "fiftyone.utils.cvat.CVATBackendConfig"
_FRAMES, _CLIPS = "stages.ToFrames", "stages.ToClips"


@dataclass(frozen=True)
class LeftRun:
    """A run that is no round.

    Args:
        key: its name
        fields: the fields that it annotates
        url: the address of its server, or an empty text
        sent_at: when it was begun, UTC
        problem: why it is none, and what the user can do
    """

    key: str
    fields: tuple[str, ...]
    url: str
    sent_at: datetime
    problem: RelabelError


def left_run(run: RunDocument, problem: RelabelError) -> LeftRun:
    """A run that cannot be a round for a reason."""
    return LeftRun(run.key, tuple(run.schema), run.url, run.sent_at, problem)


def other_runs(dataset: fo.Dataset) -> tuple[list[str], list[LeftRun]]:
    """The runs of a dataset that are no rounds yet, from the database's small documents alone.

    Returns:
        the names of those that may become rounds when they are pulled, and those that cannot
    """
    may: list[str] = []
    left: list[LeftRun] = []
    for run in unknown_runs(dataset, known_rounds(dataset)):
        problem = problem_of(run)
        if problem:
            left.append(left_run(run, problem))
        else:
            may.append(run.key)
    return may, left


def problem_of(run: RunDocument) -> UnknownRound | None:
    """Why the way in which a run was sent makes it no round, or None if it may be one."""
    if run.config.get("cls") == _CVAT and not run.document.get("results"):
        return UnknownRound(
            f"The run {run.key!r} was not sent to its end by stock FiftyOne.",
            "If nobody is sending it at this moment, delete its tasks in CVAT and call "
            f"dataset.delete_annotation_run({run.key!r}), and send again.",
        )
    reason = _reason(run)
    if reason is None:
        return None
    load = f"Load it with dataset.load_annotations({run.key!r})."
    return UnknownRound(f"The run {run.key!r} {reason}.", load)


def _reason(run: RunDocument) -> str | None:
    """What of a run that was sent cannot be pulled here."""
    views = " ".join(run.document.get("view_stages") or ())
    kinds = [f"{name!r} ({info['type']})" for name, info in run.schema.items() if _is_odd(info)]
    if run.config.get("cls") != _CVAT:
        name = run.config.get("method") or run.config.get("type") or "another tool"
        reason = f"was sent to {name}, and not to CVAT"
    elif not run.url:
        reason = "does not say which server it is on"
    elif _FRAMES in views or _CLIPS in views:
        reason = f"was sent as a view of {'frames' if _FRAMES in views else 'clips'} of videos"
    elif not run.schema or not all(info.get("type") for info in run.schema.values()):
        reason = "took its classes from a project, and names no field"
    elif kinds:
        reason = f"has labels that cannot be pulled here: {', '.join(kinds)}"
    else:
        return None
    return reason


def _is_odd(info: Mapping[str, Any]) -> bool:
    return bool(info.get("type")) and not can_travel(info)
