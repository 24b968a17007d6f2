"""How many images a view holds; forms say it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import fiftyone as fo

from ..relabel.annotation import version_of
from .finding import found, found_in_time

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection


def images_in(view: SampleCollection) -> int:
    """How many images a view holds; of patches those that they are on.

    Of a whole dataset the database knows it. Any other view is counted, which reads every sample,
    and asked again only when the dataset was edited.
    """
    known = _known(view)
    return found(version_of(view), partial(_count, view)) if known is None else known


def images_in_time(view: SampleCollection) -> int | None:
    """The same for a form, which does not wait: None while a large view is being counted."""
    known = _known(view)
    return found_in_time(version_of(view), partial(_count, view)) if known is None else known


def _known(view: SampleCollection) -> int | None:
    if view._is_patches or (not isinstance(view, fo.Dataset) and view._stages):  # noqa: SLF001
        return None
    return int(view._dataset._sample_collection.estimated_document_count())  # noqa: SLF001


def _count(view: SampleCollection) -> int:
    if not view._is_patches:  # noqa: SLF001
        return int(view.count())
    image = "$_frame_id" if view._is_frames else "$_sample_id"  # noqa: SLF001
    images = [{"$group": {"_id": image}}, {"$count": "count"}]
    counted = next(iter(view._aggregate(post_pipeline=images)), {"count": 0})  # noqa: SLF001
    return int(counted["count"])
