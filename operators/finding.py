"""Finds out in a thread what takes long, and remembers it: forms ask at every keystroke."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cachetools import TTLCache

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REMEMBERED_SECONDS = 20
WAITED_SECONDS = 0.25

_lock = threading.Lock()
_found: TTLCache[str, Any] = TTLCache(64, REMEMBERED_SECONDS)
# What is being found out, and since when (`time.monotonic`).
_under_way: dict[str, tuple[Future[Any], float]] = {}
_finders = ThreadPoolExecutor(4, "relabel-finder")


def found(key: str, find: Callable[[], T]) -> T:
    """What was found a short while ago, or is found now.

    Args:
        key: what tells it from all else, also from what it was before an edit
        find: finds it out; never None. What it raises is raised here, and not remembered
    """
    return cast("T", _find(key, find, None))


def found_in_time(key: str, find: Callable[[], T]) -> T | None:
    """The same for a form, which does not wait: None while a thread is finding it out.

    That goes on, and it is there when the form asks again.
    """
    return _find(key, find, WAITED_SECONDS)


def _find(key: str, find: Callable[[], T], seconds: float | None) -> T | None:
    with _lock:
        known: T | None = _found.get(key)
        if known is not None:
            return known
        if key not in _under_way:
            _under_way[key] = _finders.submit(_remember, key, find), time.monotonic()
        finding, began = _under_way[key]
    # Who typed on meanwhile has waited already.
    left = None if seconds is None else max(0.0, began + seconds - time.monotonic())
    try:
        answer: T = finding.result(left)
    except TimeoutError:
        return finding.result() if finding.done() else None
    return answer


def _remember(key: str, find: Callable[[], T]) -> T:
    try:
        answer = find()
        with _lock:
            _found[key] = answer
    finally:
        with _lock:
            del _under_way[key]
    return answer
