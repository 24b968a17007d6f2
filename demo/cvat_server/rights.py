"""Who may see and change what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .organizations import role_in

if TYPE_CHECKING:
    from .database import Row
    from .web import Call


def in_organization(call: Call, row: Row) -> bool:
    """Whether an object belongs to the organization the request names, if it names one."""
    named = call.organization
    if named is None:
        return True
    wanted = None if isinstance(named, str) else named["id"]
    return bool(row["organization_id"] == wanted)


def may_create(call: Call) -> bool:
    """Whether the user may make projects and tasks here: workers of an organization may not."""
    named = call.organization
    if named is None or isinstance(named, str) or call.user["is_superuser"]:
        return True
    return role_in(call.db, call.user["id"], named["id"]) in {"supervisor", "maintainer", "owner"}


def is_project_staff(call: Call, project: Row) -> bool:
    """Owner or assignee of the project, or somebody above them."""
    return _is_staff(call, project, (project["owner_id"], project["assignee_id"]))


def is_task_staff(call: Call, task: Row) -> bool:
    """Owner or assignee of the task or of its project, or somebody above them."""
    people = [task["owner_id"], task["assignee_id"]]
    if task["project_id"] is not None:
        project = call.db.one("SELECT * FROM projects WHERE id = ?", task["project_id"])
        if project is not None:
            people += [project["owner_id"], project["assignee_id"]]
    return _is_staff(call, task, tuple(people))


def may_delete_task(call: Call, task: Row) -> bool:
    """Like the staff, without the mere assignee of the task."""
    only_assignee = call.user["id"] == task["assignee_id"] != task["owner_id"]
    return is_task_staff(call, task) and not (only_assignee and not call.user["is_superuser"])


def may_see_job(call: Call, job: Row, task: Row) -> bool:
    """The staff of the task, and the assignee of the job."""
    return is_task_staff(call, task) or _is_staff(call, task, (job["assignee_id"],))


def check_assignee(call: Call, organization_id: int | None, user_id: object) -> None:
    """Refuses to assign somebody the user may not assign.

    Outside an organization a plain user can name only itself; inside, from supervisor on anybody.

    Raises:
        ApiError: 403, or 500 for a user that does not exist (as the real server does)
    """
    if user_id is None:
        return
    if not isinstance(user_id, int):
        raise errors.crash()
    allowed = bool(call.user["is_superuser"]) or user_id == call.user["id"]
    if not allowed and organization_id is not None:
        role = role_in(call.db, call.user["id"], organization_id)
        allowed = role in {"supervisor", "maintainer", "owner"}
    if not allowed:
        raise errors.denied()
    if call.db.one("SELECT id FROM users WHERE id = ?", user_id) is None:
        raise errors.crash()


def _is_staff(call: Call, row: Row, people: tuple[int | None, ...]) -> bool:
    if call.user["is_superuser"]:
        return True
    organization_id = row["organization_id"]
    if organization_id is not None:
        role = role_in(call.db, call.user["id"], organization_id)
        if role in {"maintainer", "owner"}:
            return True
        if role is None:
            return False
    return call.user["id"] in people
