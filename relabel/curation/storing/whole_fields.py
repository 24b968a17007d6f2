"""Fields of numbers that get all of their values, or keep all that they had."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.sample as fos
from fiftyone.core.odm.utils import validate_field_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo

_UNFINISHED = "relabel_unfinished_"


def write_whole(
    dataset: fo.Dataset, field: str, values: Mapping[str, float], kind: type[fo.Field]
) -> None:
    """Gives a field new values in place of all that it has.

    They are written to a field of their own, and from there by a single command, which the
    database carries out to its end even if whoever gave it is killed meanwhile. The other field is
    left behind then, and goes when this one is written again.

    Args:
        dataset: the dataset
        field: the name of the field, which is added if it is not there
        values: sample -> its value; all other samples have none afterwards
        kind: the type of the field
    """
    forget_unfinished(dataset, field)
    unfinished = f"{_UNFINISHED}{field}"
    dataset.add_sample_field(unfinished, kind)
    try:
        dataset.set_values(unfinished, dict(values), key_field="id")
        dataset.add_sample_field(field, kind)
        taken_over = {"$set": {field: {"$ifNull": [f"${unfinished}", None]}}}
        _update(dataset, [unfinished, field], [taken_over, {"$unset": unfinished}])
    finally:
        forget_unfinished(dataset, field)


def forget_unfinished(dataset: fo.Dataset, field: str) -> None:
    """Deletes what is left of an attempt to write a field, if there is something.

    FiftyOne's own deletion would say of every sample that it was modified.
    """
    unfinished = f"{_UNFINISHED}{field}"
    if not dataset.has_field(unfinished):
        return
    _update(dataset, [unfinished], [{"$unset": unfinished}])
    documents = dataset._sample_doc_cls  # noqa: SLF001 - nothing of this has a public name
    documents._reload_fields()  # noqa: SLF001
    documents._delete_field_schema(unfinished)  # noqa: SLF001
    dataset._doc.save()  # noqa: SLF001
    fos.Sample._purge_fields(dataset._sample_collection_name, [unfinished])  # noqa: SLF001
    dataset.reload()


def is_field_name(name: str) -> bool:
    """Whether a field on its own, not one within another, may have that name."""
    try:
        validate_field_name(name)
    except ValueError:
        return False
    return name.isidentifier()


def _update(dataset: fo.Dataset, fields: list[str], change: list[dict[str, Any]]) -> None:
    """Changes the samples that have a value in one of some fields."""
    samples = dataset._sample_collection  # noqa: SLF001 - FiftyOne would send each value again
    samples.update_many(
        {"$or": [{field: {"$ne": None}} for field in fields]},
        [*change, {"$set": {"last_modified_at": datetime.now(UTC)}}],
    )
    fos.Sample._reload_docs(  # noqa: SLF001 - what set_values() itself does after it has written
        dataset._sample_collection_name,  # noqa: SLF001
        hard=True,
    )
