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


def refuse(call: Call) -> Reply:
    """What CVAT has and the stand-in has not."""
    raise errors.unsupported(f"{call.request.method} {call.request.url.path}")
