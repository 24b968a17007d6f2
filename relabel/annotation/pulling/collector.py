"""Keeps Python's garbage collector out of work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses the search for garbage in cycles; also a decorator.

    FiftyOne's modules alone are some hundred thousand objects. Looking through them and all labels
    of a large pull again and again costs more than half of its time, and finds nothing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
