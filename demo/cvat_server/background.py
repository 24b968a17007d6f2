"""/api/requests: what runs in the background."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from . import errors, importing, rights
from .database import timestamp
from .listing import page_of
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .server import Server
    from .web import Call

_NO_CACHE = {"cache-control": "max-age=0, no-cache, no-store, must-revalidate, private"}
_logger = logging.getLogger(__name__)


def request_id(task_id: int) -> str:
    """The id of the request that reads the data of a task."""
    return f"action=create&target=task&target_id={task_id}"


def queue_import(call: Call, task: Row) -> str:
    """Queues the reading of the data of a task; the id of the request."""
    rq_id = request_id(task["id"])
    call.db.insert(
        "background",
        id=rq_id,
        task_id=task["id"],
        owner_id=call.user["id"],
        organization_id=task["organization_id"],
        status="queued",
        created_date=timestamp(),
    )
    # The worker waits for the lock of this transaction, so it finds the row.
    call.server.worker.submit(_import, call.server, task["id"])
    return rq_id


def save_finished(call: Call, rq_id: str, task: Row, ttl: timedelta) -> None:
    """Remembers something that was done at once, as if it had run in the background."""
    call.db.run("DELETE FROM background WHERE id = ?", rq_id)
    now = datetime.now(UTC)
    call.db.insert(
        "background",
        id=rq_id,
        task_id=task["id"],
        owner_id=call.user["id"],
        organization_id=task["organization_id"],
        status="finished",
        created_date=timestamp(now),
        started_date=timestamp(now),
        finished_date=timestamp(now),
        expiry_date=timestamp(now + ttl),
    )


def _import(server: Server, task_id: int) -> None:
    db, rq_id = server.db, request_id(task_id)

    def report(message: str) -> None:
        db.run("UPDATE background SET message = ? WHERE id = ?", message, rq_id)

    try:
        db.run(
            "UPDATE background SET status = 'started', started_date = ? WHERE id = ?",
            timestamp(),
            rq_id,
        )
        importing.import_media(server, task_id, report)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a file becomes the message
        message = "".join(traceback.format_exception_only(error))
        message = message.replace(str(server.media), "/home/django/data/data")
        _logger.info("Data of task %d could not be read: %s", task_id, message.strip())
        db.run("UPDATE media SET state = 'failed' WHERE task_id = ?", task_id)
        _end(server, rq_id, "failed", message, timedelta(days=365))
    else:
        ttl = timedelta(seconds=server.settings.finished_request_ttl)
        _end(server, rq_id, "finished", "", ttl)


def _end(server: Server, rq_id: str, status: str, message: str, ttl: timedelta) -> None:
    now = datetime.now(UTC)
    server.db.run(
        "UPDATE background SET status = ?, message = ?, finished_date = ?, expiry_date = ? "
        "WHERE id = ?",
        status,
        message,
        timestamp(now),
        timestamp(now + ttl),
        rq_id,
    )


def list_requests(call: Call) -> Reply:
    """GET /api/requests: one's own, newest first."""
    query = call.query
    wanted = {"action": "create", "target": "task"}
    if any(query.get(key, value) != value for key, value in wanted.items()):
        return page_of(call, [], lambda row: row)
    rows = [
        row
        for row in call.db.all("SELECT * FROM background ORDER BY created_date DESC")
        if row["id"].startswith("action=create")
        and (call.user["is_superuser"] or row["owner_id"] == call.user["id"])
        and query.get("task_id", str(row["task_id"])) == str(row["task_id"])
        and query.get("status", row["status"]) == row["status"]
        and not _is_expired(row)
    ]
    reply = page_of(call, rows, lambda row: _render(call, row))
    reply.headers |= _NO_CACHE
    return reply


def show_request(call: Call) -> Reply:
    """GET /api/requests/{id}, the id encoded or not."""
    return Reply(_render(call, _get(call)), headers=_NO_CACHE)


def cancel_request(call: Call) -> Reply:
    """POST /api/requests/{id}/cancel: what has started cannot be cancelled."""
    row = _get(call)
    if row["status"] in {"finished", "failed"}:
        raise errors.plain(400, "Only requests that have not been started yet can be cancelled")
    raise errors.plain(
        400,
        "Cancellation of started requests is supported only for export requests executed by "
        "production workers",
    )


def _get(call: Call) -> Row:
    rq_id = unquote(str(call.request.path_params["id"]))
    row = call.db.one("SELECT * FROM background WHERE id = ?", rq_id)
    if row is None or _is_expired(row):
        raise errors.plain(404, "There is no request with specified id")
    task = call.db.one("SELECT * FROM tasks WHERE id = ?", row["task_id"])
    if task is None:
        raise errors.rejected("Task matching query does not exist.")
    if row["owner_id"] != call.user["id"] and not rights.is_task_staff(call, task):
        raise errors.denied()
    return row


def _is_expired(row: Row) -> bool:
    return row["expiry_date"] is not None and row["expiry_date"] < timestamp()


def _render(call: Call, row: Row) -> dict[str, Any]:
    name = call.db.value("SELECT username FROM users WHERE id = ?", row["owner_id"])
    words = dict(parse_qsl(row["id"]))
    operation = {
        "type": f"{words['action']}:{words['target']}",
        "target": words["target"],
        "project_id": None,
        "task_id": row["task_id"],
        "job_id": int(words["target_id"]) if words["target"] == "job" else None,
        "org_id": row["organization_id"],
        "lightweight": None,
    }
    if words["action"] == "create":
        operation["format"] = None
    return {
        "status": row["status"],
        "message": row["message"],
        "id": row["id"],
        "operation": operation,
        "progress": 0.0,
        "created_date": row["created_date"],
        "started_date": row["started_date"],
        "finished_date": row["finished_date"],
        "expiry_date": row["expiry_date"],
        "owner": {"id": row["owner_id"], "username": name},
        "result_url": None,
        "result_id": None,
    }
