"""Who asks: legacy tokens, access tokens, sessions, and names with passwords."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import errors
from .database import timestamp
from .passwords import verify_password
from .reply import Reply

if TYPE_CHECKING:
    from starlette.requests import Request

    from .database import Database, Row
    from .web import Call

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Identity:
    """A user, and how it logged in.

    Attributes:
        user: the row of the user
        access_token: the row of the personal access token, if one was used
    """

    user: Row
    access_token: Row | None = None

    @property
    def read_only(self) -> bool:
        """Whether only reading is allowed."""
        return self.access_token is not None and bool(self.access_token["read_only"])


def authenticate(db: Database, request: Request) -> Identity | None:
    """Finds the user of a request.

    Returns:
        the identity, or None when the request carries no log-in (an unknown scheme counts as none)

    Raises:
        ApiError: 401 for a wrong token or password, 403 for a session without its CSRF token
    """
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    scheme = scheme.lower()
    if scheme == "bearer":
        return _by_access_token(db, value.strip())
    if scheme == "token":
        row = db.one(
            "SELECT users.* FROM legacy_tokens JOIN users ON users.id = user_id "
            "WHERE key = ? AND is_active",
            value.strip(),
        )
        if row is None:
            raise _unauthorized("Invalid token.")
        return Identity(row)
    session = _by_session(db, request)
    if session is not None:
        return session
    if scheme == "basic":
        return _by_password(db, value.strip())
    return None


def digest(secret: str) -> str:
    """What is stored of an access token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_credentials(db: Database, name: str, password: str) -> Row | None:
    """The active user with that name or e-mail address and password. Slow on purpose."""
    row = db.one("SELECT * FROM users WHERE (username = ? OR email = ?) AND is_active", name, name)
    if row is None or not verify_password(password, row["password"]):
        return None
    return row


def log_in(call: Call) -> Reply:
    """POST /api/auth/login."""
    data = call.json()
    name = data.get("username") or data.get("email")
    password = data.get("password")
    if not name or not password:
        raise errors.rejected('Must include either "username" or "email" and "password".')
    user = check_credentials(call.db, str(name), str(password))
    if user is None:
        raise errors.invalid({"non_field_errors": ["Unable to log in with provided credentials."]})
    with call.db.transaction():
        call.db.update("users", user["id"], last_login=timestamp())
        key = _legacy_token(call.db, user["id"])
        session = secrets.token_urlsafe(24)
        call.db.insert("sessions", key=session, user_id=user["id"])
    csrf = secrets.token_urlsafe(24)
    cookies = (
        f"csrftoken={csrf}; Max-Age=31449600; Path=/; SameSite=Lax",
        "sessionfresh=1; HttpOnly; Max-Age=86400; Path=/; SameSite=Lax",
        f"sessionid={session}; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax",
    )
    return Reply({"key": key}, cookies=cookies)


def log_out(call: Call) -> Reply:
    """POST /api/auth/logout: the legacy token is gone for all clients of the user."""
    if call.identity is not None:
        call.db.run("DELETE FROM legacy_tokens WHERE user_id = ?", call.user["id"])
    session = call.request.cookies.get("sessionid", "")
    call.db.run("DELETE FROM sessions WHERE key = ?", session)
    return Reply({"detail": "Successfully logged out."})


def _legacy_token(db: Database, user_id: int) -> str:
    key: Any = db.value("SELECT key FROM legacy_tokens WHERE user_id = ?", user_id)
    if key is None:
        key = secrets.token_hex(20)
        db.insert("legacy_tokens", key=key, user_id=user_id)
    return str(key)


def _by_access_token(db: Database, secret: str) -> Identity:
    token = db.one("SELECT * FROM access_tokens WHERE digest = ?", digest(secret))
    now = timestamp()
    if token is None or (token["expiry_date"] is not None and token["expiry_date"] <= now):
        raise _unauthorized("Invalid token.")
    user = db.one("SELECT * FROM users WHERE id = ? AND is_active", token["user_id"])
    if user is None:
        raise _unauthorized("Invalid token.")
    with db.transaction():
        db.update("access_tokens", token["id"], last_used_date=now)
    return Identity(user, token)


def _by_session(db: Database, request: Request) -> Identity | None:
    key = request.cookies.get("sessionid")
    if not key:
        return None
    user = db.one(
        "SELECT users.* FROM sessions JOIN users ON users.id = user_id "
        "WHERE key = ? AND is_active",
        key,
    )
    if user is None:
        return None
    if request.method not in SAFE_METHODS:
        _check_csrf(request)
    return Identity(user)


def _check_csrf(request: Request) -> None:
    cookie = request.cookies.get("csrftoken")
    header = request.headers.get("x-csrftoken")
    if not cookie:
        raise errors.detail(403, "CSRF Failed: CSRF cookie not set.")
    if not header:
        raise errors.detail(403, "CSRF Failed: CSRF token missing.")
    if not secrets.compare_digest(cookie, header):
        raise errors.detail(
            403, "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect."
        )


def _by_password(db: Database, encoded: str) -> Identity:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _unauthorized(
            "Invalid basic header. Credentials not correctly base64 encoded."
        ) from error
    user = check_credentials(db, name, password)
    if user is None:
        raise _unauthorized("Invalid username/password.")
    return Identity(user)


def _unauthorized(text: str) -> errors.ApiError:
    return errors.detail(401, text, www_authenticate="Token")
