"""/api/tasks, without its data and annotations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import errors, quality, rights, users, videos
from .database import timestamp
from .fields import integer_problem, text_problem
from .files import remove_task_files
from .labels import create_labels, labels_of, owner_of_task, patch_labels, touch_owner
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Database, Row
    from .web import Call

_LISTING = Listing(
    sql="SELECT tasks.*, owners.username AS owner, assignees.username AS assignee, "
    "projects.name AS project_name, tasks.bug_tracker AS tracker_link, "
    "CASE media.state WHEN 'finished' THEN '2d' ELSE '' END AS dimension, "
    "CASE media.state WHEN 'finished' THEN "
    "CASE media.video WHEN '' THEN 'annotation' ELSE 'interpolation' END ELSE '' END AS mode, "
    "CASE media.state WHEN 'finished' THEN 'image' ELSE '' END AS media_type, "
    "(SELECT mode FROM validations WHERE task_id = tasks.id) AS validation_mode "
    "FROM tasks LEFT JOIN users AS owners ON owners.id = tasks.owner_id "
    "LEFT JOIN users AS assignees ON assignees.id = tasks.assignee_id "
    "LEFT JOIN projects ON projects.id = project_id LEFT JOIN media ON media.task_id = tasks.id",
    fields={"id": "id", "name": "text", "owner": "text", "assignee": "text", "status": "text",
            "subset": "text", "mode": "text", "dimension": "text", "media_type": "text",
            "project_id": "id", "project_name": "text", "tracker_link": "text",
            "validation_mode": "text", "updated_date": "date"},
    simple=("name", "owner", "assignee", "status", "subset", "mode", "dimension", "media_type",
            "project_id", "project_name", "tracker_link", "validation_mode"),
    search=("name", "owner", "assignee", "subset", "project_name", "tracker_link"),
)  # fmt: skip
_CHANGEABLE = {"name", "project_id", "owner_id", "assignee_id", "bug_tracker", "labels", "subset",
               "target_storage", "source_storage"}  # fmt: skip


def list_tasks(call: Call) -> Reply:
    """GET /api/tasks."""
    return paginate(
        call,
        _LISTING,
        lambda row: rights.in_organization(call, row) and rights.is_task_staff(call, row),
        lambda row: render_task(call, row),
    )


def create_task(call: Call) -> Reply:
    """POST /api/tasks, with inline labels or in a project."""
    if not rights.may_create(call):
        raise errors.denied()
    data = call.json()
    _check_new(data)
    named = call.organization
    organization_id = None if named is None or isinstance(named, str) else named["id"]
    project_id = data.get("project_id")
    if project_id is not None:
        organization_id = _check_project(call, data)
    assignee = data.get("assignee_id")
    rights.check_assignee(call, organization_id, assignee)
    now = timestamp()
    task_id = call.db.insert(
        "tasks",
        name=str(data["name"]).strip(),
        project_id=project_id,
        owner_id=call.user["id"],
        assignee_id=assignee,
        assignee_updated_date=now if assignee is not None else None,
        bug_tracker=str(data.get("bug_tracker") or ""),
        subset=str(data.get("subset") or ""),
        overlap=None if data.get("overlap") is None else int(data["overlap"]),
        segment_size=int(data.get("segment_size") or 0),
        consensus_replicas=int(data.get("consensus_replicas") or 0),
        created_date=now,
        updated_date=now,
        organization_id=organization_id,
    )
    quality.add_settings(call.db, "task_id", task_id)
    if project_id is None:
        create_labels(call.db, ("task_id", task_id), data.get("labels", []))
    else:
        call.db.update("projects", project_id, updated_date=now)
    headers = {"location": f"{call.base}/api/tasks/{task_id}"}
    return Reply(render_task(call, find_task(call.db, task_id)), 201, headers)


def show_task(call: Call) -> Reply:
    """GET /api/tasks/{id}."""
    if call.request.method == "HEAD":
        raise errors.crash()
    return Reply(render_task(call, get_task(call)))


def change_task(call: Call) -> Reply:
    """PATCH /api/tasks/{id}."""
    task = get_task(call)
    data = call.json()
    if set(data) - _CHANGEABLE:
        raise errors.unknown_field()
    columns = _text_changes(data)
    for key in ("owner_id", "assignee_id"):
        if key in data:
            rights.check_assignee(call, task["organization_id"], data[key])
            columns[key] = data[key]
    now = timestamp()
    if "project_id" in data and data["project_id"] != task["project_id"]:
        _refuse_move(call, task, data["project_id"])
    owner = owner_of_task(task)
    if "labels" in data:
        if owner[0] == "project_id":
            raise errors.rejected("Changing task labels is allowed only for tasks without project")
        patch_labels(call.db, owner, data["labels"])
        touch_owner(call.db, owner)
    call.db.update("tasks", task["id"], **columns)
    touch_task(call.db, task, now)
    body = render_task(call, find_task(call.db, task["id"]))
    if columns.get("assignee_id", task["assignee_id"]) != task["assignee_id"]:
        # The real server shows this date here and has forgotten it at the next GET.
        body["assignee_updated_date"] = now
        call.db.update("tasks", task["id"], assignee_updated_date=task["assignee_updated_date"])
    return Reply(body)


def delete_task(call: Call) -> Reply:
    """DELETE /api/tasks/{id}."""
    task = get_task(call)
    if not rights.may_delete_task(call, task):
        raise errors.denied()
    call.db.run("DELETE FROM tasks WHERE id = ?", task["id"])
    if task["project_id"] is not None:
        call.db.update("projects", task["project_id"], updated_date=timestamp())
    remove_task_files(call.server.media, task["id"])
    return Reply(status=204)


def find_task(db: Database, task_id: int) -> Row:
    """The task with that id.

    Raises:
        ApiError: 404
    """
    row = db.one("SELECT * FROM tasks WHERE id = ?", task_id)
    if row is None:
        raise errors.missing("Task")
    return row


def get_task(call: Call) -> Row:
    """The task of the path, for its staff only.

    Raises:
        ApiError: 404, 403
    """
    task = find_task(call.db, call.number("id"))
    if not rights.is_task_staff(call, task):
        raise errors.denied()
    return task


def touch_task(db: Database, task: Row, now: str | None = None) -> None:
    """Moves ``updated_date`` of a task and of its project."""
    now = now or timestamp()
    db.update("tasks", task["id"], updated_date=now)
    if task["project_id"] is not None:
        db.update("projects", task["project_id"], updated_date=now)


def render_task(call: Call, row: Row) -> dict[str, Any]:
    """A task as the API shows it: keys of the data are missing until there is data."""
    media = call.db.one("SELECT * FROM media WHERE task_id = ?", row["id"])
    jobs = call.db.one(
        "SELECT COUNT(*) AS count, "
        "COALESCE(SUM(stage = 'acceptance' AND state = 'completed'), 0) AS completed, "
        "COALESCE(SUM(stage = 'validation'), 0) AS validation FROM jobs WHERE task_id = ?",
        row["id"],
    )
    assert jobs is not None  # noqa: S101
    validation = call.db.value("SELECT mode FROM validations WHERE task_id = ?", row["id"])
    shown: dict[str, Any] = {
        "url": f"{call.base}/api/tasks/{row['id']}",
        "id": row["id"],
        "name": row["name"],
        "project_id": row["project_id"],
        "project_name": visible_project_name(call, row["project_id"]),
        "owner": users.brief(call, row["owner_id"]),
        "assignee": users.brief(call, row["assignee_id"]),
        "bug_tracker": row["bug_tracker"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "overlap": row["overlap"],
        "segment_size": row["segment_size"],
        "status": row["status"],
    }
    ready = False
    if media is not None and media["state"] == "finished":
        ready = True
        shown |= {
            "data_chunk_size": media["chunk_size"],
            **videos.chunk_types(media),
        }
    if media is not None:
        options = json.loads(media["options"] or "{}")
        shown["data_cloud_storage_id"] = options.get("cloud_storage_id")
    shown["guide_id"] = None
    if media is not None:
        shown["size"] = media["size"]
        if ready:
            shown["image_quality"] = media["image_quality"]
    return shown | {
        "data": None if media is None else media["id"],
        "dimension": "2d" if ready else "",
        "mode": videos.mode(media) if ready else "",
        "media_type": "image" if ready else "",
        "subset": row["subset"],
        "organization_id": row["organization_id"],
        "organization": row["organization_id"],
        "target_storage": None,
        "source_storage": None,
        "jobs": {
            "count": jobs["count"],
            "completed": jobs["completed"],
            "validation": jobs["validation"],
            "url": f"{call.base}/api/jobs?task_id={row['id']}",
        },
        "labels": {"url": f"{call.base}/api/labels?task_id={row['id']}"},
        "assignee_updated_date": row["assignee_updated_date"],
        "validation_mode": validation,
        "consensus_enabled": bool(row["consensus_replicas"]),
    }


def visible_project_name(call: Call, project_id: int | None) -> str | None:
    """The name of a project, None for those who may not see it."""
    if project_id is None:
        return None
    project = call.db.one("SELECT * FROM projects WHERE id = ?", project_id)
    if project is None or not rights.is_project_staff(call, project):
        return None
    name: str = project["name"]
    return name


def _check_new(data: dict[str, Any]) -> None:
    problems = {}
    problem = text_problem(data, "name", 256)
    if problem:
        problems["name"] = [problem]
    for key in ("segment_size", "overlap", "project_id"):
        if data.get(key) is not None:
            problem = integer_problem(data[key], 0)
            if problem:
                problems[key] = [problem]
    if data.get("consensus_replicas"):
        problem = _replicas_problem(data["consensus_replicas"])
        if problem:
            problems["consensus_replicas"] = [problem]
    if problems:
        raise errors.invalid(problems)


def _replicas_problem(count: Any) -> str | None:
    problem = integer_problem(count, 0)
    if problem or int(count) == 0 or 1 < int(count) < 12:
        return problem
    return (
        "Consensus replicas must be 0 or a positive number more than 1 and less than 12, "
        f"got {count}"
    )


def _check_project(call: Call, data: dict[str, Any]) -> int | None:
    project = call.db.one("SELECT * FROM projects WHERE id = ?", data["project_id"])
    if project is None:
        raise errors.rejected("Project matching query does not exist.")
    if not rights.is_project_staff(call, project):
        raise errors.denied()
    if data.get("labels"):
        raise errors.rejected("Task must have only one of Label set or project_id")
    organization_id: int | None = project["organization_id"]
    return organization_id


def _text_changes(data: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if "name" in data:
        problem = text_problem(data, "name", 256)
        if problem:
            raise errors.invalid({"name": [problem]})
        columns["name"] = str(data["name"]).strip()
    for key in ("bug_tracker", "subset"):
        if key in data:
            columns[key] = str(data[key] or "")
    return columns


def _refuse_move(call: Call, task: Row, project_id: Any) -> None:
    if call.db.one("SELECT id FROM projects WHERE id = ?", project_id) is None:
        raise errors.rejected("Project matching query does not exist.")
    there = {row["name"] for row in labels_of(call.db, ("project_id", project_id))}
    here = {row["name"] for row in labels_of(call.db, owner_of_task(task))}
    if here - there:
        text = "All task or project label names must be mapped to the target project"
        raise errors.invalid({"non_field_errors": [text]})
    raise errors.unsupported("moving a task to another project")
