"""/api/quality: settings. Reports and conflicts are not supported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import errors, rights
from .database import timestamp
from .fields import choice_problem, integer_problem, number_problem
from .listing import page_of
from .reply import Reply

if TYPE_CHECKING:
    from .database import Database, Row
    from .web import Call

_DEFAULTS: dict[str, Any] = {
    "job_filter": "",
    "inherit": True,
    "target_metric": "accuracy",
    "target_metric_threshold": 0.7,
    "max_validations_per_job": 0,
    "iou_threshold": 0.4,
    "oks_sigma": 0.09,
    "point_size_base": "group_bbox_size",
    "line_thickness": 0.01,
    "low_overlap_threshold": 0.8,
    "compare_line_orientation": True,
    "line_orientation_threshold": 0.1,
    "compare_groups": True,
    "group_match_threshold": 0.5,
    "check_covered_annotations": True,
    "object_visibility_threshold": 0.05,
    "panoptic_comparison": True,
    "compare_attributes": True,
    "empty_is_annotated": False,
}
_CHOICES = {
    "target_metric": ("accuracy", "precision", "recall"),
    "point_size_base": ("image_size", "group_bbox_size"),
}


def add_settings(db: Database, owner: str, number: int) -> None:
    """Gives a task (``task_id``) or a project (``project_id``) the settings of a new one."""
    now = timestamp()
    body = json.dumps(_DEFAULTS)
    columns = {owner: number, "body": body, "created_date": now, "updated_date": now}
    db.insert("quality_settings", **columns)


def list_settings(call: Call) -> Reply:
    """GET /api/quality/settings: of a project with those of its tasks."""
    rows = [
        row
        for row in call.db.all("SELECT * FROM quality_settings ORDER BY id")
        if _is_visible(call, row) and _is_asked_for(call, row)
    ]
    return page_of(call, rows, _render)


def show_settings(call: Call) -> Reply:
    """GET /api/quality/settings/{id}."""
    return Reply(_render(_get(call)))


def change_settings(call: Call) -> Reply:
    """PATCH /api/quality/settings/{id}."""
    row, sent = _get(call), call.json()
    body = json.loads(row["body"])
    changes = {name: value for name, value in sent.items() if name in body}
    problems = {name: _problem(name, value) for name, value in changes.items()}
    if any(problems.values()):
        raise errors.invalid({name: [text] for name, text in problems.items() if text})
    columns = {"body": json.dumps(body | changes), "updated_date": timestamp()}
    call.db.update("quality_settings", row["id"], **columns)
    return Reply(_render(_get(call)))


def create_report(call: Call) -> Reply:
    """POST /api/quality/reports: refused without a finished yardstick, else not supported."""
    done = call.db.one(
        "SELECT 1 FROM jobs WHERE task_id = ? AND type = 'ground_truth' "
        "AND stage = 'acceptance' AND state = 'completed'",
        call.json().get("task_id"),
    )
    if done is None:
        raise errors.rejected(
            "Quality reports require a Ground Truth job in the task at the acceptance stage "
            "and in the completed state"
        )
    raise errors.unsupported("quality reports")


def _get(call: Call) -> Row:
    row = call.db.one("SELECT * FROM quality_settings WHERE id = ?", call.number("id"))
    if row is None:
        raise errors.missing("QualitySettings")
    if not _is_visible(call, row):
        raise errors.denied()
    return row


def _is_asked_for(call: Call, row: Row) -> bool:
    task, project = call.query.get("task_id"), call.query.get("project_id")
    if task and str(row["task_id"]) != task:
        return False
    of_task = call.db.value("SELECT project_id FROM tasks WHERE id = ?", row["task_id"])
    return not project or project in {str(row["project_id"]), str(of_task)}


def _is_visible(call: Call, row: Row) -> bool:
    if row["task_id"] is not None:
        task = call.db.one("SELECT * FROM tasks WHERE id = ?", row["task_id"])
        return task is not None and rights.is_task_staff(call, task)
    project = call.db.one("SELECT * FROM projects WHERE id = ?", row["project_id"])
    return project is not None and rights.is_project_staff(call, project)


def _problem(name: str, value: Any) -> str | None:
    default = _DEFAULTS[name]
    if name in _CHOICES:
        return choice_problem(value, _CHOICES[name])
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "Must be a valid boolean."
    if isinstance(default, int):
        return integer_problem(value, 0)
    return number_problem(value, 0, 1) if isinstance(default, float) else None


def _render(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "task_id": row["task_id"],
        "project_id": row["project_id"],
        **json.loads(row["body"]),
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
    }
