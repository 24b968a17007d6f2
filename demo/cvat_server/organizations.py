"""/api/organizations, /api/memberships, and the organization a request is made in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from . import errors, users
from .database import timestamp
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from starlette.requests import Request

    from .database import Database, Row
    from .web import Call

ROLES = ("worker", "supervisor", "maintainer", "owner")
_LISTING = Listing(
    sql="SELECT organizations.*, users.username AS owner FROM organizations "
    "LEFT JOIN users ON users.id = owner_id",
    fields={"id": "id", "slug": "text", "name": "text", "owner": "text"},
    simple=("slug", "name", "owner"),
    search=("name", "owner", "slug"),
)
_MEMBERS = Listing(
    sql="SELECT memberships.*, users.username AS user FROM memberships "
    "JOIN users ON users.id = user_id",
    fields={"id": "id", "user": "text", "role": "text"},
    simple=("user", "role"),
    search=("user", "role"),
)


def named_in(db: Database, request: Request, user: Row) -> Row | str | None:
    """The organization of a request, from ``X-Organization``, ``org=`` or ``org_id=``.

    Returns:
        None when none is named, "" for the personal workspace, else the organization

    Raises:
        ApiError: 400 when two disagree, 404 for an unknown one, 403 for one the user is not in
    """
    header = request.headers.get("x-organization")
    slug = request.query_params.get("org")
    number = request.query_params.get("org_id")
    if number is not None and (slug is not None or header is not None):
        raise errors.rejected(
            'You cannot specify "org_id" query parameter with "org" query parameter or '
            '"X-Organization" HTTP header at the same time.'
        )
    if slug is not None and header is not None and slug != header:
        raise errors.rejected(
            'You cannot specify "org" query parameter and "X-Organization" HTTP header with '
            "different values."
        )
    named = header if slug is None else slug
    if number is not None:
        row = db.one("SELECT * FROM organizations WHERE CAST(id AS TEXT) = ?", number)
        named = number
    elif named:
        row = db.one("SELECT * FROM organizations WHERE slug = ?", named)
    else:
        return named
    if not named:
        return ""
    if row is None:
        raise errors.detail(404, f"{named} organization does not exist.")
    if not user["is_superuser"] and role_in(db, user["id"], row["id"]) is None:
        raise errors.denied()
    return row


def role_in(db: Database, user_id: int, organization_id: int) -> str | None:
    """The role of an active member, None for others."""
    role: str | None = db.value(
        "SELECT role FROM memberships WHERE user_id = ? AND organization_id = ? AND is_active",
        user_id,
        organization_id,
    )
    return role


def create_organization(call: Call) -> Reply:
    """POST /api/organizations."""
    data = call.json()
    slug = str(data.get("slug", ""))
    problem = _slug_problem(call.db, slug, given="slug" in data)
    if problem:
        raise errors.invalid({"slug": [problem]})
    now = timestamp()
    organization_id = call.db.insert(
        "organizations",
        slug=slug,
        name=str(data.get("name") or slug),
        description=str(data.get("description", "")),
        contact=json.dumps(data.get("contact", {})),
        created_date=now,
        updated_date=now,
        owner_id=call.user["id"],
    )
    add_member(call.db, call.user["id"], organization_id, "owner")
    return Reply(_render(call, _get(call, organization_id)), 201)


def add_member(db: Database, user_id: int, organization_id: int, role: str) -> int:
    """Makes a user a member at once; the id of the membership."""
    return db.insert(
        "memberships",
        user_id=user_id,
        organization_id=organization_id,
        is_active=1,
        joined_date=timestamp(),
        role=role,
    )


def list_organizations(call: Call) -> Reply:
    """GET /api/organizations."""
    return paginate(
        call, _LISTING, lambda row: _may_see(call, row["id"]), lambda row: _render(call, row)
    )


def show_organization(call: Call) -> Reply:
    """GET /api/organizations/{id}."""
    row = _get(call, call.number("id"))
    if not _may_see(call, row["id"]):
        raise errors.denied()
    return Reply(_render(call, row))


def delete_organization(call: Call) -> Reply:
    """DELETE /api/organizations/{id}: its tasks become personal."""
    row = _get(call, call.number("id"))
    if not call.user["is_superuser"] and row["owner_id"] != call.user["id"]:
        raise errors.denied()
    call.db.run("DELETE FROM organizations WHERE id = ?", row["id"])
    return Reply(status=204)


def list_memberships(call: Call) -> Reply:
    """GET /api/memberships."""

    def is_visible(row: Row) -> bool:
        named = call.organization
        inside = named is None or (
            not isinstance(named, str) and row["organization_id"] == named["id"]
        )
        return inside and _may_see(call, row["organization_id"])

    return paginate(call, _MEMBERS, is_visible, lambda row: _render_member(call, row))


def change_membership(call: Call) -> Reply:
    """PATCH /api/memberships/{id}: the role."""
    row = _get_member(call)
    role = call.json().get("role", row["role"])
    if role not in ROLES:
        raise errors.invalid({"role": [f'"{role}" is not a valid choice.']})
    call.db.update("memberships", row["id"], role=role)
    return Reply(_render_member(call, _get_member(call)))


def delete_membership(call: Call) -> Reply:
    """DELETE /api/memberships/{id}."""
    call.db.run("DELETE FROM memberships WHERE id = ?", _get_member(call)["id"])
    return Reply(status=204)


def invite(call: Call) -> Reply:
    """POST /api/invitations: without mail, an existing user is a member at once."""
    organization = call.organization
    if organization is None or isinstance(organization, str):
        raise errors.crash()
    _require_manager(call, organization["id"])
    data = call.json()
    user = call.db.one("SELECT * FROM users WHERE email = ?", str(data.get("email", "")))
    if user is None:
        raise errors.ApiError(500, "Email backend is not configured.")
    if role_in(call.db, user["id"], organization["id"]):
        raise errors.rejected("The user is a member of the organization already.")
    role = str(data.get("role", "worker"))
    key = f"{organization['id']}-{user['id']}"
    member = add_member(call.db, user["id"], organization["id"], role)
    call.db.update("memberships", member, invitation=key)
    body = {
        "key": key,
        "created_date": timestamp(),
        "owner": users.brief(call, call.user["id"]),
        "role": role,
        "user": users.brief(call, user["id"]),
        "organization": organization["id"],
        "expired": None,
        "accepted": True,
        "organization_info": {"id": organization["id"], "slug": organization["slug"]},
    }
    return Reply(body, 201)


def _slug_problem(db: Database, slug: str, *, given: bool) -> str | None:
    if not given:
        return "This field is required."
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", slug):
        return 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
    if len(slug) > 16:
        return "Ensure this field has no more than 16 characters."
    if db.one("SELECT id FROM organizations WHERE slug = ?", slug):
        return "organization with this slug already exists."
    return None


def _get(call: Call, organization_id: int) -> Row:
    row = call.db.one("SELECT * FROM organizations WHERE id = ?", organization_id)
    if row is None:
        raise errors.missing("Organization")
    return row


def _get_member(call: Call) -> Row:
    row = call.db.one("SELECT * FROM memberships WHERE id = ?", call.number("id"))
    if row is None:
        raise errors.missing("Membership")
    _require_manager(call, row["organization_id"])
    return row


def _require_manager(call: Call, organization_id: int) -> None:
    role = role_in(call.db, call.user["id"], organization_id)
    if not call.user["is_superuser"] and role not in {"maintainer", "owner"}:
        raise errors.denied()


def _may_see(call: Call, organization_id: int) -> bool:
    return bool(call.user["is_superuser"]) or (
        role_in(call.db, call.user["id"], organization_id) is not None
    )


def _render(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "slug": row["slug"],
        "name": row["name"],
        "description": row["description"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "contact": json.loads(row["contact"]),
        "owner": users.brief(call, row["owner_id"]),
    }


def _render_member(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "user": users.brief(call, row["user_id"]),
        "organization": row["organization_id"],
        "is_active": bool(row["is_active"]),
        "joined_date": row["joined_date"],
        "role": row["role"],
        "invitation": row["invitation"],
    }
