"""How many images a view holds, counted once: forms ask at every keystroke."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import fiftyone as fo
from cachetools import TTLCache

from ..relabel.annotation import version_of

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

REMEMBERED_SECONDS = 20
WAITED_SECONDS = 0.25

_lock = threading.Lock()
_counts: TTLCache[str, int] = TTLCache(64, REMEMBERED_SECONDS)
# What is being counted, for as long as it is.
_counting: WeakValueDictionary[str, Future[int]] = WeakValueDictionary()
_counters = ThreadPoolExecutor(2, "relabel-counter")


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


def _images(view: SampleCollection, seconds: float | None) -> int | None:
    if not view._is_patches and (isinstance(view, fo.Dataset) or not view._stages):  # noqa: SLF001
        return int(view._dataset._sample_collection.estimated_document_count())  # noqa: SLF001
    version = version_of(view)
    with _lock:
        known = _counts.get(version)
        if known is not None:
            return known
        counted = _counting.get(version)
        if counted is None:
            counted = _counting[version] = _counters.submit(_count, view, version)
    try:
        return counted.result(seconds)
    except TimeoutError:
        return counted.result() if counted.done() else None


def _count(view: SampleCollection, version: str) -> int:
    if view._is_patches:  # noqa: SLF001
        image = "$_frame_id" if view._is_frames else "$_sample_id"  # noqa: SLF001
        images = [{"$group": {"_id": image}}, {"$count": "count"}]
        found = next(iter(view._aggregate(post_pipeline=images)), {"count": 0})  # noqa: SLF001
        count = int(found["count"])
    else:
        count = int(view.count())
    with _lock:
        _counts[version] = count
    return count
