"""Refusals, in the five shapes in which the real server words them."""

from __future__ import annotations

from typing import Any

_PAGE = (
    '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n<body>\n'
    "  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
)
NOT_FOUND_PAGE = _PAGE.format(
    title="Not Found", text="The requested resource was not found on this server."
)
CRASH_PAGE = _PAGE.format(title="Server Error (500)", text="")


class ApiError(Exception):
    """An answer other than success.

    Attributes:
        status: the HTTP status
        body: what is sent as JSON, or the text itself when ``content_type`` is given
        content_type: None for CVAT's JSON type
        headers: headers to add
    """

    def __init__(
        self,
        status: int,
        body: Any,
        *,
        content_type: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers or {}


def detail(status: int, text: str, **headers: str) -> ApiError:
    """``{"detail": text}``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiError(status, {"detail": text}, headers=named)


def denied() -> ApiError:
    """The user may not do this."""
    return detail(403, "You do not have permission to perform this action.")


def unknown_field() -> ApiError:
    """A PATCH names a key that cannot be changed."""
    return detail(403, "Attempted to update an unknown field")


def missing(kind: str) -> ApiError:
    """No object of that kind has the id."""
    return detail(404, f"No {kind} matches the given query.")


def rejected(text: str) -> ApiError:
    """``[text]``: what the view, not the serializer, refuses."""
    return ApiError(400, [text])


def invalid(fields: dict[str, Any]) -> ApiError:
    """``{"field": [".."]}``: what the serializer refuses."""
    return ApiError(400, fields)


def plain(status: int, text: str) -> ApiError:
    """Text that is no JSON."""
    return ApiError(status, text, content_type="text/html; charset=utf-8")


def crash() -> ApiError:
    """What the real server does not catch: HTTP 500 with an HTML page."""
    return ApiError(500, CRASH_PAGE, content_type="text/html; charset=utf-8")


def page_not_found() -> ApiError:
    """No such address."""
    return ApiError(404, NOT_FOUND_PAGE, content_type="text/html; charset=utf-8")


def unsupported(what: str) -> ApiError:
    """The stand-in does not do this, and says so."""
    return detail(501, f"This stand-in for CVAT does not support {what}.")
