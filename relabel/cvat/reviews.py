"""What reviewers say about jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Comment:
    """What a person says about an issue."""

    owner: str
    text: str


@dataclass(frozen=True)
class Issue:
    """What a reviewer remarks at a place of an image.

    Args:
        id: its id
        job_id: the job that it belongs to
        frame: the frame of the task that it is on; the server does not check it
        position: a box as left, top, right, bottom, or a polygon as x, y, x, y, ..., in pixels
        owner: who made it, or None for a user who is gone
        resolved: whether it is settled
        comments: what was said about it, oldest first
    """

    id: int
    job_id: int
    frame: int
    position: tuple[float, ...]
    owner: str | None
    resolved: bool
    comments: tuple[Comment, ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any], comments: Iterable[dict[str, Any]]) -> Issue:
        """Reads the server's JSON of an issue and of its comments."""
        return cls(
            id=data["id"],
            job_id=data["job"],
            frame=data["frame"],
            position=tuple(data["position"]),
            owner=_username(data["owner"]),
            resolved=data["resolved"],
            comments=tuple(
                Comment(_username(comment["owner"]) or "?", comment["message"])
                for comment in comments
            ),
        )


def _username(person: dict[str, Any] | None) -> str | None:
    return person["username"] if person else None
