"""/api/users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from .database import Row
    from .web import Call

_LISTING = Listing(
    sql="SELECT * FROM users",
    fields={
        "id": "id",
        "username": "text",
        "first_name": "text",
        "last_name": "text",
        "is_active": "bool",
    },
    simple=("username", "first_name", "last_name", "is_active"),
    search=("username", "first_name", "last_name"),
)


def brief(call: Call, user_id: int | None) -> dict[str, Any] | None:
    """A user as other objects show it."""
    if user_id is None:
        return None
    row = call.db.one("SELECT * FROM users WHERE id = ?", user_id)
    return None if row is None else _brief(call, row)


def _brief(call: Call, row: Row) -> dict[str, Any]:
    return {
        "url": f"{call.base}/api/users/{row['id']}",
        "id": row["id"],
        "username": row["username"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
    }


def _full(call: Call, row: Row) -> dict[str, Any]:
    admin = bool(row["is_superuser"])
    return {
        **_brief(call, row),
        "email": row["email"],
        "groups": ["admin" if admin else "user"],
        "is_staff": admin,
        "is_superuser": admin,
        "is_active": bool(row["is_active"]),
        "last_login": row["last_login"],
        "date_joined": row["date_joined"],
        "has_analytics_access": admin,
    }


def show_self(call: Call) -> Reply:
    """GET /api/users/self."""
    return Reply(_full(call, call.user))


def list_users(call: Call) -> Reply:
    """GET /api/users: everybody for administrators, else the user itself or its organization."""
    admin = bool(call.user["is_superuser"])
    visible = None if admin else _colleagues(call)

    def is_visible(row: Row) -> bool:
        return visible is None or row["id"] in visible

    return paginate(
        call, _LISTING, is_visible, lambda row: (_full if admin else _brief)(call, row)
    )


def show_user(call: Call) -> Reply:
    """GET /api/users/{id}."""
    row = call.db.one("SELECT * FROM users WHERE id = ?", call.number("id"))
    if row is None:
        raise errors.missing("User")
    if call.user["is_superuser"] or row["id"] == call.user["id"]:
        return Reply(_full(call, row))
    if row["id"] not in _colleagues(call):
        raise errors.denied()
    return Reply(_brief(call, row))


def delete_user(call: Call) -> Reply:
    """DELETE /api/users/{id}: administrators only."""
    if not call.user["is_superuser"]:
        raise errors.denied()
    if not call.db.run("DELETE FROM users WHERE id = ?", call.number("id")):
        raise errors.missing("User")
    return Reply(status=204)


def _colleagues(call: Call) -> set[int]:
    own = {call.user["id"]}
    organization = call.organization
    if organization is None or isinstance(organization, str):
        return own
    rows = call.db.all(
        "SELECT user_id FROM memberships WHERE organization_id = ?", organization["id"]
    )
    return own | {row["user_id"] for row in rows}
