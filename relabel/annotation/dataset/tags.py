"""The tag that says where a sample stands: to be annotated, in annotation, annotated.

It follows the round, for samples that were tagged as requiring annotation when the round was sent:
whoever sends what is tagged sends nothing twice by accident. Other samples get no tag.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

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


def samples_tagged(dataset: fo.Dataset, sample_ids: Collection[str], tag: str) -> set[str]:
    """Which of some samples have a tag."""
    wanted = {"_id": {"$in": [ObjectId(sample_id) for sample_id in sample_ids]}, "tags": tag}
    collection = dataset._sample_collection  # noqa: SLF001 - one read for any number of samples
    return {str(document["_id"]) for document in collection.find(wanted, {"_id": 1})}


def _replace(
    dataset: fo.Dataset, sample_ids: Collection[str], old: str, new: str, *, also: str = ""
) -> None:
    """Puts one tag in the place of another, in samples that have it; removes a third from them."""
    changed = samples_tagged(dataset, sample_ids, old)
    if not changed:
        return
    others = {"$filter": {"input": "$tags", "cond": {"$not": {"$in": ["$$this", [new, also]]}}}}
    renamed = {"$cond": [{"$eq": ["$$this", old]}, new, "$$this"]}
    collection = dataset._sample_collection  # noqa: SLF001 - else two writes, and a crash between
    collection.update_many(
        {"_id": {"$in": [ObjectId(sample_id) for sample_id in changed]}, "tags": old},
        [
            {
                "$set": {
                    "tags": {"$map": {"input": others, "as": "this", "in": renamed}},
                    "last_modified_at": datetime.now(UTC),
                }
            }
        ],
    )
    fos.Sample._reload_docs(  # noqa: SLF001 - what tag_samples() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        sample_ids=list(changed),
        hard=True,
    )
