"""How many images a view holds, counted once: forms ask at every keystroke."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import fiftyone as fo
from cachetools import TTLCache, cached

from ..relabel.annotation import version_of

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

REMEMBERED_SECONDS = 20


def images_in(view: SampleCollection) -> int:
    """How many images a view holds; of patches those that they are on.

    Of a whole dataset the database knows it. Any other view is counted, which reads every sample,
    and asked again only when the dataset was edited.
    """
    if not view._is_patches and (isinstance(view, fo.Dataset) or not view._stages):  # noqa: SLF001
        return int(view._dataset._sample_collection.estimated_document_count())  # noqa: SLF001
    return _counted(view, version_of(view))


@cached(
    TTLCache(64, REMEMBERED_SECONDS),
    key=lambda _, version: version,
    lock=threading.Lock(),
)
def _counted(view: SampleCollection, version: str) -> int:  # noqa: ARG001
    if not view._is_patches:  # noqa: SLF001
        return int(view.count())
    image = "$_frame_id" if view._is_frames else "$_sample_id"  # noqa: SLF001
    images = [{"$group": {"_id": image}}, {"$count": "count"}]
    found = next(iter(view._aggregate(post_pipeline=images)), {"count": 0})  # noqa: SLF001
    return int(found["count"])
