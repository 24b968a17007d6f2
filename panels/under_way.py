"""How far a panel's method is that takes a while; the React half asks, and may cancel it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[float, str], None]


class NotWanted(RelabelError):
    """Somebody has cancelled what is under way."""

    def __init__(self) -> None:
        super().__init__("It was cancelled.", "Nothing was changed.")


@dataclass
class _Work:
    share: float = 0.0
    label: str = ""
    cancelled: bool = False

    def tell(self, share: float, label: str) -> None:
        if self.cancelled:
            raise NotWanted
        self.share, self.label = share, label


_works: dict[str, _Work] = {}


@contextlib.contextmanager
def under_way(run: str | None) -> Iterator[Tell]:
    """Something that can be asked about while the body runs.

    Args:
        run: what the React half calls it; None if it does not ask

    Yields:
        takes how far it is, a share between 0 and 1, and what is being done; raises `NotWanted`
        if it was cancelled
    """
    work = _Work()
    if run:
        _works[run] = work
    try:
        yield work.tell
    finally:
        _works.pop(run or "", None)


def to_its_end(tell: Tell) -> Tell:
    """Tells what is not cancelled any more, as something has been written."""

    def say(share: float, label: str) -> None:
        with contextlib.suppress(NotWanted):
            tell(share, label)

    return say


def progress_json(run: str) -> dict[str, Any]:
    """How far something is; nothing if it has ended, or has not begun."""
    work = _works.get(run)
    return {"share": work.share, "label": work.label} if work and work.label else {}


def cancel(run: str) -> bool:
    """Cancels something at the next step that it tells of; says whether it is under way."""
    work = _works.get(run)
    if work:
        work.cancelled = True
    return work is not None
