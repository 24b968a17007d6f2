"""/api/projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors, quality, rights, users
from .database import timestamp
from .fields import text_problem
from .files import remove_task_files
from .labels import create_labels, patch_labels, touch_owner
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .web import Call

_LISTING = Listing(
    sql="SELECT projects.*, owners.username AS owner, assignees.username AS assignee, "
    "'annotation' AS status FROM projects "
    "LEFT JOIN users AS owners ON owners.id = owner_id "
    "LEFT JOIN users AS assignees ON assignees.id = assignee_id",
    fields={"id": "id", "name": "text", "owner": "text", "assignee": "text", "status": "text",
            "updated_date": "date"},
    simple=("name", "owner", "assignee", "status"),
    search=("name", "owner", "assignee"),
)  # fmt: skip
_CHANGEABLE = {"name", "labels", "owner_id", "assignee_id", "bug_tracker",
               "target_storage", "source_storage"}  # fmt: skip


def list_projects(call: Call) -> Reply:
    """GET /api/projects."""
    return paginate(
        call,
        _LISTING,
        lambda row: rights.in_organization(call, row) and rights.is_project_staff(call, row),
        lambda row: _render(call, row),
    )


def create_project(call: Call) -> Reply:
    """POST /api/projects."""
    if not rights.may_create(call):
        raise errors.denied()
    data = call.json()
    problem = text_problem(data, "name", 256)
    if problem:
        raise errors.invalid({"name": [problem]})
    named = call.organization
    organization_id = None if named is None or isinstance(named, str) else named["id"]
    assignee = data.get("assignee_id")
    rights.check_assignee(call, organization_id, assignee)
    now = timestamp()
    project_id = call.db.insert(
        "projects",
        name=str(data["name"]).strip(),
        owner_id=call.user["id"],
        assignee_id=assignee,
        assignee_updated_date=now if assignee else None,
        bug_tracker=str(data.get("bug_tracker") or ""),
        created_date=now,
        updated_date=now,
        organization_id=organization_id,
    )
    quality.add_settings(call.db, "project_id", project_id)
    create_labels(call.db, ("project_id", project_id), data.get("labels", []))
    headers = {"location": f"{call.base}/api/projects/{project_id}"}
    return Reply(_render(call, _find(call, project_id)), 201, headers)


def show_project(call: Call) -> Reply:
    """GET /api/projects/{id}."""
    return Reply(_render(call, _get(call)))


def change_project(call: Call) -> Reply:
    """PATCH /api/projects/{id}."""
    project = _get(call)
    data = call.json()
    if set(data) - _CHANGEABLE:
        raise errors.unknown_field()
    columns: dict[str, Any] = {}
    if "name" in data:
        problem = text_problem(data, "name", 256)
        if problem:
            raise errors.invalid({"name": [problem]})
        columns["name"] = str(data["name"]).strip()
    if "bug_tracker" in data:
        columns["bug_tracker"] = str(data["bug_tracker"] or "")
    for key in ("owner_id", "assignee_id"):
        if key in data:
            rights.check_assignee(call, project["organization_id"], data[key])
            columns[key] = data[key]
    if columns.get("assignee_id", project["assignee_id"]) != project["assignee_id"]:
        columns["assignee_updated_date"] = timestamp()
    owner = ("project_id", project["id"])
    if "labels" in data:
        patch_labels(call.db, owner, data["labels"])
        touch_owner(call.db, owner)
    call.db.update("projects", project["id"], updated_date=timestamp(), **columns)
    return Reply(_render(call, _find(call, project["id"])))


def delete_project(call: Call) -> Reply:
    """DELETE /api/projects/{id}: its tasks go too."""
    project = _get(call)
    tasks = call.db.all("SELECT id FROM tasks WHERE project_id = ?", project["id"])
    call.db.run("DELETE FROM projects WHERE id = ?", project["id"])
    for task in tasks:
        remove_task_files(call.server.media, task["id"])
    return Reply(status=204)


def _find(call: Call, project_id: int) -> Row:
    row = call.db.one("SELECT * FROM projects WHERE id = ?", project_id)
    if row is None:
        raise errors.missing("Project")
    return row


def _get(call: Call) -> Row:
    row = _find(call, call.number("id"))
    if not rights.is_project_staff(call, row):
        raise errors.denied()
    return row


def _render(call: Call, row: Row) -> dict[str, Any]:
    tasks = call.db.all("SELECT id, subset FROM tasks WHERE project_id = ?", row["id"])
    has_data = call.db.one(
        "SELECT 1 FROM media JOIN tasks ON tasks.id = media.task_id "
        "WHERE project_id = ? AND state = 'finished'",
        row["id"],
    )
    return {
        "url": f"{call.base}/api/projects/{row['id']}",
        "id": row["id"],
        "name": row["name"],
        "owner": users.brief(call, row["owner_id"]),
        "assignee": users.brief(call, row["assignee_id"]),
        "guide_id": None,
        "bug_tracker": row["bug_tracker"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "status": "annotation",
        "dimension": "2d" if has_data else None,
        "organization": row["organization_id"],
        "organization_id": row["organization_id"],
        "target_storage": None,
        "source_storage": None,
        "tasks": {"count": len(tasks), "url": f"{call.base}/api/tasks?project_id={row['id']}"},
        "labels": {"url": f"{call.base}/api/labels?project_id={row['id']}"},
        "assignee_updated_date": row["assignee_updated_date"],
        "task_subsets": sorted({task["subset"] for task in tasks if task["subset"]}),
    }
