"""What takes long to find out, e.g. how many images a view holds: forms ask at every keystroke."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import fiftyone as fo
from cachetools import TTLCache

from ..relabel.annotation import version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection

T = TypeVar("T")

REMEMBERED_SECONDS = 20
WAITED_SECONDS = 0.25

_lock = threading.Lock()
_found: TTLCache[str, Any] = TTLCache(64, REMEMBERED_SECONDS)
# What is being found out, and since when (`time.monotonic`).
_under_way: dict[str, tuple[Future[Any], float]] = {}
_finders = ThreadPoolExecutor(4, "relabel-counter")


def images_in(view: SampleCollection) -> int:
    """How many images a view holds; of patches those that they are on.

    Of a whole dataset the database knows it. Any other view is counted, which reads every sample,
    and asked again only when the dataset was edited.
    """
    return _images(view, None) or 0


def images_in_time(view: SampleCollection) -> int | None:
    """The same for a form, which does not wait: None while a large view is being counted.

    The count goes on, and is there when the form asks again.
    """
    return _images(view, WAITED_SECONDS)


def found_in_time(key: str, find: Callable[[], T]) -> T | None:
    """What a form would have to wait for: None while a thread is finding it out.

    Args:
        key: what tells it from all else, also from what it was before an edit
        find: finds it out; never None. What it raises is raised here, and not remembered
    """
    return _find(key, find, WAITED_SECONDS)


def _images(view: SampleCollection, seconds: float | None) -> int | None:
    if not view._is_patches and (isinstance(view, fo.Dataset) or not view._stages):  # noqa: SLF001
        return int(view._dataset._sample_collection.estimated_document_count())  # noqa: SLF001
    return _find(version_of(view), partial(_count, view), seconds)


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
        found: T = finding.result(left)
    except TimeoutError:
        return finding.result() if finding.done() else None
    return found


def _remember(key: str, find: Callable[[], T]) -> T:
    try:
        found = find()
        with _lock:
            _found[key] = found
    finally:
        with _lock:
            del _under_way[key]
    return found


def _count(view: SampleCollection) -> int:
    if not view._is_patches:  # noqa: SLF001
        return int(view.count())
    image = "$_frame_id" if view._is_frames else "$_sample_id"  # noqa: SLF001
    images = [{"$group": {"_id": image}}, {"$count": "count"}]
    found = next(iter(view._aggregate(post_pipeline=images)), {"count": 0})  # noqa: SLF001
    return int(found["count"])
