"""/api/labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors, rights
from .jobs import find_job
from .labels import change_label, labels_of, owner_of_task, render_label, touch_owner
from .listing import Listing, page_of, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .labels import Owner
    from .web import Call

_LISTING = Listing(
    sql="SELECT labels.*, parents.name AS parent FROM labels "
    "LEFT JOIN labels AS parents ON parents.id = labels.parent_id "
    "WHERE labels.parent_id IS NULL",
    fields={"id": "id", "name": "text", "color": "text", "type": "text", "parent": "text",
            "parent_id": "id"},
    simple=("name", "color", "type", "parent", "parent_id"),
    search=("name", "parent"),
    newest_first=False,
)  # fmt: skip


def list_labels(call: Call) -> Reply:
    """GET /api/labels, of a task, a job, a project, or all that one sees."""
    owner = _asked_owner(call)
    if owner is None:
        return paginate(
            call,
            _LISTING,
            lambda row: _is_visible(call, row),
            lambda row: render_label(call.db, row),
        )
    column, number = owner
    ids = {row["id"] for row in labels_of(call.db, (column, number))}
    if set(call.query) - {"task_id", "job_id", "project_id", "page", "page_size", "org"}:
        return paginate(
            call,
            _LISTING,
            lambda row: row["id"] in ids,
            lambda row: render_label(call.db, row),
        )
    return page_of(call, labels_of(call.db, owner), lambda row: render_label(call.db, row))


def show_label(call: Call) -> Reply:
    """GET /api/labels/{id}."""
    row = _get(call)
    if not _is_visible(call, row):
        raise errors.denied()
    return Reply(render_label(call.db, row))


def change(call: Call) -> Reply:
    """PATCH /api/labels/{id}."""
    row = _get(call)
    if not _is_visible(call, row):
        raise errors.denied()
    change_label(call.db, row, call.json())
    touch_owner(call.db, _owner(row))
    return Reply(render_label(call.db, _get(call)))


def delete_label(call: Call) -> Reply:
    """DELETE /api/labels/{id}: with its annotations."""
    row = _get(call)
    if not _is_visible(call, row):
        raise errors.denied()
    call.db.run("DELETE FROM labels WHERE id = ?", row["id"])
    touch_owner(call.db, _owner(row))
    return Reply(status=204)


def _asked_owner(call: Call) -> Owner | None:
    query = call.query
    if query.get("job_id", "").isdecimal():
        job, task = find_job(call, int(query["job_id"]))
        if not rights.may_see_job(call, job, task):
            raise errors.denied()
        return owner_of_task(task)
    if query.get("task_id", "").isdecimal():
        asked = call.db.one("SELECT * FROM tasks WHERE id = ?", int(query["task_id"]))
        if asked is None:
            raise errors.crash()
        if not rights.is_task_staff(call, asked):
            raise errors.denied()
        return owner_of_task(asked)
    if query.get("project_id", "").isdecimal():
        project = call.db.one("SELECT * FROM projects WHERE id = ?", int(query["project_id"]))
        if project is None:
            raise errors.crash()
        if not rights.is_project_staff(call, project):
            raise errors.denied()
        return ("project_id", project["id"])
    return None


def _get(call: Call) -> Row:
    row = call.db.one("SELECT * FROM labels WHERE id = ?", call.number("id"))
    if row is None:
        raise errors.missing("Label")
    return row


def _owner(row: Row) -> Owner:
    if row["project_id"] is not None:
        return ("project_id", row["project_id"])
    return ("task_id", row["task_id"])


def _is_visible(call: Call, row: Row) -> bool:
    column, number = _owner(row)
    if column == "task_id":
        task = call.db.one("SELECT * FROM tasks WHERE id = ?", number)
        return task is not None and rights.is_task_staff(call, task)
    project = call.db.one("SELECT * FROM projects WHERE id = ?", number)
    return project is not None and rights.is_project_staff(call, project)
