"""/api/issues and /api/comments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import errors, rights, users
from .database import timestamp
from .fields import integer_problem
from .jobs import find_job
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .web import Call

_ISSUES = Listing(
    sql="SELECT issues.*, issues.frame AS frame_id, jobs.task_id AS task_id, "
    "owners.username AS owner, assignees.username AS assignee FROM issues "
    "JOIN jobs ON jobs.id = job_id LEFT JOIN users AS owners ON owners.id = issues.owner_id "
    "LEFT JOIN users AS assignees ON assignees.id = issues.assignee_id",
    fields={"id": "id", "job_id": "id", "task_id": "id", "frame_id": "id", "resolved": "bool",
            "owner": "text", "assignee": "text"},
    simple=("job_id", "task_id", "frame_id", "resolved", "owner", "assignee"),
    search=("owner", "assignee"),
)  # fmt: skip
_COMMENTS = Listing(
    sql="SELECT comments.*, issues.job_id AS job_id, issues.frame AS frame_id, "
    "users.username AS owner FROM comments JOIN issues ON issues.id = issue_id "
    "LEFT JOIN users ON users.id = comments.owner_id",
    fields={"id": "id", "issue_id": "id", "job_id": "id", "frame_id": "id", "owner": "text"},
    simple=("issue_id", "job_id", "frame_id", "owner"),
    search=("owner",),
)


def list_issues(call: Call) -> Reply:
    """GET /api/issues."""
    return paginate(
        call,
        _ISSUES,
        lambda row: _may_see(call, row["job_id"]),
        lambda row: _render_issue(call, row),
    )


def create_issue(call: Call) -> Reply:
    """POST /api/issues: frame and position are taken as they are; the message is a comment."""
    data = call.json()
    problems = _issue_problems(data)
    if problems:
        raise errors.invalid(problems)
    job_id = call.db.value("SELECT id FROM jobs WHERE id = ?", data.get("job"))
    if job_id is None:
        raise errors.rejected("Job matching query does not exist.")
    if not _may_see(call, job_id):
        raise errors.denied()
    now = timestamp()
    issue_id = call.db.insert(
        "issues",
        job_id=job_id,
        frame=data["frame"],
        position=json.dumps([float(value) for value in data["position"]]),
        owner_id=call.user["id"],
        assignee_id=data.get("assignee"),
        created_date=now,
        updated_date=now,
    )
    _add_comment(call, issue_id, str(data["message"]))
    return Reply(_render_issue(call, _issue(call, issue_id)), 201)


def show_issue(call: Call) -> Reply:
    """GET /api/issues/{id}."""
    return Reply(_render_issue(call, _get_issue(call)))


def change_issue(call: Call) -> Reply:
    """PATCH /api/issues/{id}: other keys than these are ignored, the frame too."""
    issue = _get_issue(call)
    data = call.json()
    columns: dict[str, Any] = {}
    if "resolved" in data:
        columns["resolved"] = bool(data["resolved"])
    if data.get("position"):
        columns["position"] = json.dumps([float(value) for value in data["position"]])
    if "assignee" in data:
        columns["assignee_id"] = data["assignee"]
    call.db.update("issues", issue["id"], updated_date=timestamp(), **columns)
    return Reply(_render_issue(call, _issue(call, issue["id"])))


def delete_issue(call: Call) -> Reply:
    """DELETE /api/issues/{id}."""
    call.db.run("DELETE FROM issues WHERE id = ?", _get_issue(call)["id"])
    return Reply(status=204)


def list_comments(call: Call) -> Reply:
    """GET /api/comments."""
    return paginate(
        call,
        _COMMENTS,
        lambda row: _may_see(call, row["job_id"]),
        lambda row: _render_comment(call, row),
    )


def create_comment(call: Call) -> Reply:
    """POST /api/comments."""
    data = call.json()
    row = call.db.one("SELECT * FROM issues WHERE id = ?", data.get("issue"))
    if row is None:
        raise errors.rejected("Issue matching query does not exist.")
    if not _may_see(call, row["job_id"]):
        raise errors.denied()
    comment_id = _add_comment(call, row["id"], str(data.get("message", "")))
    return Reply(_render_comment(call, _comment(call, comment_id)), 201)


def show_comment(call: Call) -> Reply:
    """GET /api/comments/{id}."""
    comment = _comment(call, call.number("id"))
    if not _may_see(call, _issue(call, comment["issue_id"])["job_id"]):
        raise errors.denied()
    return Reply(_render_comment(call, comment))


def change_comment(call: Call) -> Reply:
    """PATCH /api/comments/{id}: one's own, or any for administrators."""
    comment = _own_comment(call)
    message = str(call.json().get("message", comment["message"]))
    call.db.update("comments", comment["id"], message=message, updated_date=timestamp())
    return Reply(_render_comment(call, _comment(call, comment["id"])))


def delete_comment(call: Call) -> Reply:
    """DELETE /api/comments/{id}: one's own, or any for administrators."""
    call.db.run("DELETE FROM comments WHERE id = ?", _own_comment(call)["id"])
    return Reply(status=204)


def _issue_problems(data: dict[str, Any]) -> dict[str, list[str]]:
    problems = {
        key: ["This field is required."]
        for key in ("frame", "position", "message")
        if key not in data
    }
    if data.get("position") == []:
        problems["position"] = ["This list may not be empty."]
    problem = integer_problem(data["frame"], 0) if "frame" in data else None
    if problem:
        problems["frame"] = [problem]
    return problems


def _add_comment(call: Call, issue_id: int, message: str) -> int:
    now = timestamp()
    return call.db.insert(
        "comments",
        issue_id=issue_id,
        owner_id=call.user["id"],
        message=message,
        created_date=now,
        updated_date=now,
    )


def _may_see(call: Call, job_id: int) -> bool:
    return rights.may_see_job(call, *find_job(call, job_id))


def _issue(call: Call, issue_id: int) -> Row:
    row = call.db.one("SELECT * FROM issues WHERE id = ?", issue_id)
    if row is None:
        raise errors.missing("Issue")
    return row


def _get_issue(call: Call) -> Row:
    row = _issue(call, call.number("id"))
    if not _may_see(call, row["job_id"]):
        raise errors.denied()
    return row


def _comment(call: Call, comment_id: int) -> Row:
    row = call.db.one("SELECT * FROM comments WHERE id = ?", comment_id)
    if row is None:
        raise errors.missing("Comment")
    return row


def _own_comment(call: Call) -> Row:
    comment = _comment(call, call.number("id"))
    if comment["owner_id"] != call.user["id"] and not call.user["is_superuser"]:
        raise errors.denied()
    return comment


def _render_issue(call: Call, row: Row) -> dict[str, Any]:
    count = call.db.value("SELECT COUNT(*) FROM comments WHERE issue_id = ?", row["id"])
    return {
        "id": row["id"],
        "frame": row["frame"],
        "position": json.loads(row["position"]),
        "job": row["job_id"],
        "owner": users.brief(call, row["owner_id"]),
        "assignee": users.brief(call, row["assignee_id"]),
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "resolved": bool(row["resolved"]),
        "comments": {"count": count, "url": f"{call.base}/api/comments?issue_id={row['id']}"},
    }


def _render_comment(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "issue": row["issue_id"],
        "owner": users.brief(call, row["owner_id"]),
        "message": row["message"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
    }
