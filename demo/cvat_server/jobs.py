"""/api/jobs, without data and annotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import errors, rights, users, validation, videos
from .database import timestamp
from .fields import choice_problem
from .listing import Listing, paginate
from .reply import Reply
from .tasks import find_task, touch_task, visible_project_name

if TYPE_CHECKING:
    from .database import Database, Row
    from .web import Call

STAGES = ("annotation", "validation", "acceptance")
STATES = ("new", "in progress", "completed", "rejected")
_LISTING = Listing(
    sql="SELECT jobs.*, tasks.name AS task_name, tasks.project_id AS project_id, "
    "tasks.organization_id AS organization_id, projects.name AS project_name, "
    "assignees.username AS assignee, '2d' AS dimension, "
    "CASE media.video WHEN '' THEN 'annotation' ELSE 'interpolation' END AS mode, "
    "'image' AS media_type "
    "FROM jobs JOIN tasks ON tasks.id = jobs.task_id JOIN media ON media.task_id = jobs.task_id "
    "LEFT JOIN projects ON projects.id = tasks.project_id "
    "LEFT JOIN users AS assignees ON assignees.id = jobs.assignee_id",
    fields={"id": "id", "task_id": "id", "task_name": "text", "project_id": "id",
            "project_name": "text", "assignee": "text", "stage": "text", "state": "text",
            "type": "text", "dimension": "text", "mode": "text", "media_type": "text",
            "parent_job_id": "id", "updated_date": "date"},
    simple=("task_id", "task_name", "project_id", "project_name", "assignee", "stage", "state",
            "type", "dimension", "mode", "media_type", "parent_job_id"),
    search=("task_name", "project_name", "assignee"),
)  # fmt: skip


def list_jobs(call: Call) -> Reply:
    """GET /api/jobs: newest first."""

    def is_visible(row: Row) -> bool:
        task = find_task(call.db, row["task_id"])
        return rights.in_organization(call, task) and rights.may_see_job(call, row, task)

    return paginate(call, _LISTING, is_visible, lambda row: render_job(call, row))


def show_job(call: Call) -> Reply:
    """GET /api/jobs/{id}."""
    job, _ = get_job(call)
    return Reply(render_job(call, job))


def change_job(call: Call) -> Reply:
    """PATCH /api/jobs/{id}: stage, state, assignee."""
    job, task = get_job(call)
    data = call.json()
    if set(data) - {"assignee", "stage", "state"}:
        raise errors.unknown_field()
    if set(data) - {"state"} and not rights.is_task_staff(call, task):
        raise errors.denied()
    columns: dict[str, Any] = {}
    if "assignee" in data:
        rights.check_assignee(call, task["organization_id"], data["assignee"])
        if data["assignee"] != job["assignee_id"]:
            columns |= {
                "assignee_id": data["assignee"],
                "assignee_updated_date": timestamp(),
            }
    set_progress(call.db, job, task, data.get("stage"), data.get("state"), **columns)
    return Reply(render_job(call, find_job(call, job["id"])[0]))


def set_progress(
    db: Database, job: Row, task: Row, stage: Any = None, state: Any = None, **columns: Any
) -> None:
    """Sets stage and state; a new stage alone resets the state.

    Raises:
        ApiError: 400 for words that are no stage or state
    """
    if stage is not None:
        problem = choice_problem(stage, STAGES)
        if problem:
            raise errors.invalid({"stage": [problem]})
        if stage != job["stage"]:
            columns |= {"stage": stage, "state": "new"}
    if state is not None:
        problem = choice_problem(state, STATES)
        if problem:
            raise errors.invalid({"state": [problem]})
        columns["state"] = state
    db.update("jobs", job["id"], updated_date=timestamp(), **columns)
    _update_task_status(db, task)


def create_job(call: Call) -> Reply:
    """POST /api/jobs: only ground-truth jobs can be made."""
    data = call.json()
    if data.get("type") != "ground_truth":
        raise errors.rejected(f"Unexpected job type '{data.get('type')}'")
    task = find_task(call.db, data.get("task_id") or 0)
    if not rights.is_task_staff(call, task):
        raise errors.denied()
    size = call.db.value(
        "SELECT size FROM media WHERE task_id = ? AND state = 'finished'", task["id"]
    )
    if size is None:
        raise errors.rejected("This task has no data")
    if call.db.one("SELECT 1 FROM jobs WHERE task_id = ? AND type = 'ground_truth'", task["id"]):
        raise errors.rejected('Task with validation mode "gt" cannot have more than 1 GT job')
    included = _chosen_frames(call.db, task, size, data)
    job_id = insert_ground_truth(call.db, task["id"], included, 0, size - 1)
    validation.save(call.db, task["id"], validation.GROUND_TRUTH, included)
    return Reply(render_job(call, find_job(call, job_id)[0]), 201)


def _chosen_frames(db: Database, task: Row, size: int, data: dict[str, Any]) -> list[int]:
    params = {"mode": validation.GROUND_TRUTH, **data}
    problems = validation.params_problems(params, (validation.GROUND_TRUTH,))
    if problems:
        raise errors.invalid(problems)
    if data["frame_selection_method"] == "manual":
        included = sorted(set(data["frames"]))
        if any(frame not in range(size) for frame in included):
            raise errors.invalid({"frames": ["Frames must be numbers of frames of the task."]})
        return included
    spans = db.all(
        "SELECT start_frame, stop_frame FROM jobs WHERE task_id = ? AND type = 'annotation' "
        "ORDER BY start_frame",
        task["id"],
    )
    return validation.choose(data, range(size), [(row[0], row[1]) for row in spans])


def insert_ground_truth(
    db: Database, task_id: int, included: list[int], start: int, stop: int
) -> int:
    """Makes the ground-truth job of a task; its id."""
    now = timestamp()
    return db.insert(
        "jobs",
        task_id=task_id,
        type="ground_truth",
        start_frame=start,
        stop_frame=stop,
        included_frames=json.dumps(included),
        created_date=now,
        updated_date=now,
    )


def delete_job(call: Call) -> Reply:
    """DELETE /api/jobs/{id}: only ground-truth jobs can go."""
    job, task = get_job(call)
    if not rights.is_task_staff(call, task):
        raise errors.denied()
    if job["type"] != "ground_truth":
        raise errors.rejected("Only ground truth jobs can be removed")
    known = validation.find(call.db, task["id"])
    if known is not None and known["mode"] == validation.POOL:
        raise errors.unsupported("removing the ground-truth job of a task with honeypots")
    call.db.run("DELETE FROM jobs WHERE id = ?", job["id"])
    call.db.run("DELETE FROM validations WHERE task_id = ?", task["id"])
    return Reply(status=204)


def legacy_status(stage: str, state: str) -> str:
    """The old ``status`` of a job, from stage and state."""
    if stage == "annotation":
        return "annotation"
    return "completed" if (stage, state) == ("acceptance", "completed") else "validation"


def find_job(call: Call, job_id: int) -> tuple[Row, Row]:
    """The job with that id, and its task.

    Raises:
        ApiError: 404
    """
    job = call.db.one("SELECT * FROM jobs WHERE id = ?", job_id)
    if job is None:
        raise errors.missing("Job")
    return job, find_task(call.db, job["task_id"])


def get_job(call: Call) -> tuple[Row, Row]:
    """The job of the path and its task, for those who may see it.

    Raises:
        ApiError: 404, 403
    """
    job, task = find_job(call, call.number("id"))
    if not rights.may_see_job(call, job, task):
        raise errors.denied()
    return job, task


def frame_numbers(job: Row) -> list[int]:
    """The frames of a job, as numbers of the task."""
    if job["included_frames"] is not None:
        included: list[int] = json.loads(job["included_frames"])
        return included
    return list(range(job["start_frame"], job["stop_frame"] + 1))


def render_job(call: Call, job: Row) -> dict[str, Any]:
    """A job as the API shows it; the assignee alone does not see the name of the task."""
    task = find_task(call.db, job["task_id"])
    media = call.db.one("SELECT * FROM media WHERE task_id = ?", job["task_id"])
    issues = call.db.value("SELECT COUNT(*) FROM issues WHERE job_id = ?", job["id"])
    tracker = call.db.value("SELECT bug_tracker FROM projects WHERE id = ?", task["project_id"])
    replicas = call.db.value("SELECT COUNT(*) FROM jobs WHERE parent_job_id = ?", job["id"])
    return {
        "url": f"{call.base}/api/jobs/{job['id']}",
        "id": job["id"],
        "task_id": job["task_id"],
        "task_name": task["name"] if rights.is_task_staff(call, task) else None,
        "project_id": task["project_id"],
        "project_name": visible_project_name(call, task["project_id"]),
        "assignee": users.brief(call, job["assignee_id"]),
        "guide_id": None,
        "dimension": "2d",
        "mode": videos.mode(media),
        "media_type": "image",
        "bug_tracker": tracker,
        "status": legacy_status(job["stage"], job["state"]),
        "stage": job["stage"],
        "state": job["state"],
        "frame_count": len(frame_numbers(job)),
        "start_frame": job["start_frame"],
        "stop_frame": job["stop_frame"],
        "data_chunk_size": None if media is None else media["chunk_size"],
        **videos.chunk_types(media),
        "created_date": job["created_date"],
        "updated_date": job["updated_date"],
        "issues": {"url": f"{call.base}/api/issues?job_id={job['id']}", "count": issues},
        "labels": {"url": f"{call.base}/api/labels?job_id={job['id']}"},
        "type": job["type"],
        "organization": task["organization_id"],
        "target_storage": None,
        "source_storage": None,
        "assignee_updated_date": job["assignee_updated_date"],
        "parent_job_id": job["parent_job_id"],
        "replicas_count": replicas,
        "consensus_replicas": replicas,
    }


def _update_task_status(db: Database, task: Row) -> None:
    jobs = db.all("SELECT stage, state FROM jobs WHERE task_id = ?", task["id"])
    states = {legacy_status(job["stage"], job["state"]) for job in jobs}
    status = next(word for word in (*STAGES[:2], "completed") if word in states)
    if status != task["status"]:
        db.update("tasks", task["id"], status=status)
        touch_task(db, task)
