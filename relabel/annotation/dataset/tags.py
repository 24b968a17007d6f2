"""The tag that says where a sample stands: to be annotated, in annotation, annotated.

It follows the round, for samples that were tagged as requiring annotation when the round was sent:
whoever sends what is tagged sends nothing twice by accident. Other samples get no tag.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.sample as fos
from bson import ObjectId

if TYPE_CHECKING:
    from collections.abc import Collection

    import fiftyone as fo

REQUIRES_ANNOTATION = "requires_annotation"
IN_ANNOTATION = "in_annotation"
ANNOTATED = "annotated"


def tag_sent(dataset: fo.Dataset, sample_ids: Collection[str]) -> None:
    """Of the samples that required annotation, says that annotators have them."""
    _replace(dataset, sample_ids, REQUIRES_ANNOTATION, IN_ANNOTATION, also=ANNOTATED)


def tag_pulled(dataset: fo.Dataset, sample_ids: Collection[str]) -> None:
    """Of the samples that annotators had, says that their labels are back."""
    _replace(dataset, sample_ids, IN_ANNOTATION, ANNOTATED)


def tag_pull_undone(dataset: fo.Dataset, sample_ids: Collection[str]) -> None:
    """Takes :func:`tag_pulled` back."""
    _replace(dataset, sample_ids, ANNOTATED, IN_ANNOTATION)


def tag_discarded(dataset: fo.Dataset, sample_ids: Collection[str]) -> None:
    """Takes :func:`tag_sent` back."""
    _replace(dataset, sample_ids, IN_ANNOTATION, REQUIRES_ANNOTATION)


def _replace(
    dataset: fo.Dataset, sample_ids: Collection[str], old: str, new: str, *, also: str = ""
) -> None:
    """Puts one tag in the place of another, in samples that have it; removes a third from them."""
    if not sample_ids:
        return
    collection = dataset._sample_collection  # noqa: SLF001 - else two writes, and a crash between
    tags: dict[str, Any] = {"$setDifference": ["$tags", [old, new, also]]}
    collection.update_many(
        {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}, "tags": old},
        [
            {
                "$set": {
                    "tags": {"$concatArrays": [tags, [new]]},
                    "last_modified_at": datetime.now(UTC),
                }
            }
        ],
    )
    fos.Sample._reload_docs(  # noqa: SLF001 - what tag_samples() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=list(sample_ids),
        hard=True,
    )
