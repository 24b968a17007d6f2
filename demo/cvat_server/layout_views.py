"""/api/tasks/{id}/validation_layout and /api/jobs/{id}/validation_layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import errors, validation
from .jobs import get_job
from .reply import Reply
from .tasks import get_task

if TYPE_CHECKING:
    from .database import Row
    from .web import Call


def show_task_layout(call: Call) -> Reply:
    """GET /api/tasks/{id}/validation_layout."""
    row = validation.find(call.db, get_task(call)["id"])
    if row is None:
        raise errors.unsupported("the validation layout of a task without validation")
    layout = {
        "mode": row["mode"],
        "frames_per_job_count": row["frames_per_job_count"],
        "validation_frames": json.loads(row["frames"]),
        "disabled_frames": [],
    }
    if row["mode"] == validation.POOL:
        layout |= _honeypots(row)
    return Reply(layout)


def show_job_layout(call: Call) -> Reply:
    """GET /api/jobs/{id}/validation_layout: nothing where there are no honeypots."""
    job, task = get_job(call)
    row = validation.find(call.db, task["id"])
    if row is None or row["mode"] != validation.POOL:
        return Reply({})
    return Reply(_honeypots(row, range(job["start_frame"], job["stop_frame"] + 1)))


def _honeypots(row: Row, frames: range | None = None) -> dict[str, Any]:
    pairs = [pair for pair in json.loads(row["honeypots"]) if frames is None or pair[0] in frames]
    return {
        "honeypot_count": len(pairs),
        "honeypot_frames": [frame for frame, _ in pairs],
        "honeypot_real_frames": [real for _, real in pairs],
    }
