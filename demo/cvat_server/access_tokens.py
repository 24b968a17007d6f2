"""/api/auth/access_tokens: personal access tokens, for ``Authorization: Bearer``."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import errors, users
from .auth import digest
from .database import timestamp
from .fields import text_problem
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .web import Call

_LISTING = Listing(
    sql="SELECT * FROM access_tokens",
    fields={"id": "id", "name": "text", "read_only": "bool", "created_date": "date",
            "updated_date": "date", "expiry_date": "date", "last_used_date": "date"},
    simple=("name", "read_only"),
    search=("name",),
)  # fmt: skip


def create_token(call: Call) -> Reply:
    """POST: the value is shown only here. A token cannot make tokens."""
    if call.identity is None or call.identity.access_token is not None:
        raise errors.denied()
    data = call.json()
    problem = text_problem(data, "name", 64)
    if problem:
        raise errors.invalid({"name": [problem]})
    expiry = _expiry(data.get("expiry_date"))
    value = secrets.token_urlsafe(32)
    now = timestamp()
    token_id = call.db.insert(
        "access_tokens",
        user_id=call.user["id"],
        name=data["name"],
        digest=digest(value),
        created_date=now,
        updated_date=now,
        expiry_date=expiry,
        read_only=bool(data.get("read_only", True)),
    )
    row = call.db.one("SELECT * FROM access_tokens WHERE id = ?", token_id)
    assert row is not None  # noqa: S101
    return Reply({**_render(call, row), "value": value}, 201)


def list_tokens(call: Call) -> Reply:
    """GET: one's own, newest first."""
    return paginate(
        call,
        _LISTING,
        lambda row: row["user_id"] == call.user["id"] or bool(call.user["is_superuser"]),
        lambda row: _render(call, row),
    )


def show_own_token(call: Call) -> Reply:
    """GET /api/auth/access_tokens/self: the token of this request."""
    if call.identity is None or call.identity.access_token is None:
        raise errors.missing("AccessToken")
    return Reply(_render(call, call.identity.access_token))


def show_token(call: Call) -> Reply:
    """GET of one token."""
    return Reply(_render(call, _get(call)))


def delete_token(call: Call) -> Reply:
    """DELETE: the token works no longer."""
    call.db.run("DELETE FROM access_tokens WHERE id = ?", _get(call)["id"])
    return Reply(status=204)


def _get(call: Call) -> Row:
    row = call.db.one("SELECT * FROM access_tokens WHERE id = ?", call.number("id"))
    if row is None:
        raise errors.missing("AccessToken")
    if row["user_id"] != call.user["id"] and not call.user["is_superuser"]:
        raise errors.denied()
    return row


def _expiry(value: Any) -> str | None:
    """An expiry as it is stored; one in the past is taken."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        text = (
            "Datetime has wrong format. Use one of these formats instead: "
            "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        )
        raise errors.invalid({"expiry_date": [text]}) from error
    text = timestamp(moment if moment.tzinfo else moment.astimezone())
    return text.replace(".000000Z", "Z")


def _render(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "expiry_date": row["expiry_date"],
        "last_used_date": row["last_used_date"],
        "read_only": bool(row["read_only"]),
        "owner": users.brief(call, row["user_id"]),
    }
