"""/api/server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import errors
from .reply import Reply
from .settings import SERVER_VERSION

if TYPE_CHECKING:
    from .web import Call


def show_about(call: Call) -> Reply:
    """GET /api/server/about: the version that is imitated; the name says what this is."""
    return Reply(
        {
            "name": "Stand-in for the Computer Vision Annotation Tool",
            "description": "Answers as a CVAT server does, for demos and tests. It is not CVAT.",
            "version": SERVER_VERSION,
            "logo_url": f"{call.base}/static/logo.svg",
            "subtitle": "CVAT stand-in",
        }
    )


def show_gone(call: Call) -> Reply:
    """Addresses of exports that newer versions have given up."""
    kind, _, what = call.request.url.path.removeprefix("/api/").split("/")
    raise errors.plain(
        410,
        "This endpoint is no longer supported.\n"
        f"To initiate the export process, use POST /api/{kind}/id/{what}/export.",
    )


def refuse(call: Call) -> Reply:
    """What CVAT has and the stand-in has not."""
    raise errors.unsupported(f"{call.request.method} {call.request.url.path}")
