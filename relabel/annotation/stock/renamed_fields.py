"""Follows label fields that were renamed while a round was out.

FiftyOne keeps no trace of a field's old name. But labels keep their ids, so the field that holds
the labels of the baseline is the field that was sent, whatever it is called. A number or a text
has no id, so that a field of these is not followed: it must get its name back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import ObjectId

from ...labels import MalformedLabel
from ..comparing.naming import class_names
from ..dataset.facts import label_fields, label_path
from ..dataset.storage import by_id, read_labels
from ..dataset.videos import FRAMES
from ..errors import FieldGone
from ..record.baseline import load_some_frames
from ..record.places import Place
from ..record.rounds import holding, load_round, save_round

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo

    from ...labels import LabelKind
    from ..record.baseline import SentFrame
    from ..record.request import RoundField
    from ..record.round import Round

_LOOKED_AT = 50  # images; one is enough, but its labels may have been deleted


def follow_fields(dataset: fo.Dataset, record: Round) -> Round:
    """A round with its fields as they are called now.

    A field that has no labels yet may be missing: it is made when labels come.

    Args:
        dataset: the dataset
        record: the round

    Raises:
        FieldGone: if a field with labels is gone, and no other field has them
        RoundBusy: if it was renamed, and somebody is pulling the round
    """
    present = field_names(dataset)
    if all(field.name in present for field in record.fields):
        return record
    with holding(record):
        record = load_round(dataset, record.key)
        for field in record.fields:
            if field.name not in present:
                record = _follow(dataset, record, field)
    return record


def field_names(dataset: fo.Dataset) -> set[str]:
    """The fields of a dataset, read afresh: another process may have renamed one."""
    document = foo.get_db_conn()["datasets"].find_one(
        {"_id": dataset._doc.id},  # noqa: SLF001 - the id has no public name
        {"sample_fields.name": 1, "frame_fields.name": 1},
    )
    frames = {f"{FRAMES}{field['name']}" for field in document.get("frame_fields") or ()}
    return {field["name"] for field in document["sample_fields"]} | frames


def fields_with(
    dataset: fo.Dataset, kind_name: str, labels: Mapping[str, Iterable[str]]
) -> list[str]:
    """The fields that have some labels.

    Args:
        dataset: the dataset
        kind_name: the name of the kind of the labels
        labels: sample -> the ids of labels of it; a few are enough
    """
    dataset.reload()
    kinds = label_fields(dataset)
    some = list(labels.items())[:_LOOKED_AT]
    return [
        name
        for name, kind in kinds.items()
        if kind.name == kind_name and _has(dataset, name, kind, some)
    ]


def _follow(dataset: fo.Dataset, record: Round, field: RoundField) -> Round:
    """Renames a field of a round. What was interrupted in the middle ends with the next call."""
    frames = load_some_frames(record.id, field.name, _LOOKED_AT)
    names = {other.name for other in record.fields}
    interrupted = _frames_fields(record.id) - names
    if not frames and not interrupted:
        return record
    if interrupted:
        (name,) = interrupted
    else:
        name = _find(dataset, record, field, frames)
        _rename(record.id, field.name, name)
    fields = tuple(
        replace(other, name=name) if other is field else other for other in record.fields
    )
    record = replace(_with_names(record, fields), fields=fields)
    save_round(record)
    return record


def _find(
    dataset: fo.Dataset, record: Round, field: RoundField, frames: Sequence[SentFrame]
) -> str:
    """The field that holds the labels of the baseline now."""
    labels = {frame.sample_id: [label.id for label in frame.labels] for frame in frames}
    taken = {other.name for other in record.fields}
    found = [name for name in fields_with(dataset, field.schema.kind, labels) if name not in taken]
    if len(found) == 1:
        return found[0]
    problem = f"The field {field.name!r} of the round {record.key!r} is no more in the dataset"
    if found:
        raise FieldGone(
            f"{problem}, and its labels are in {' and in '.join(map(repr, found))}.",
            f"Rename the one that the round is to go on with to {field.name!r}.",
        )
    raise FieldGone(
        f"{problem}, and no other field has labels with the ids of its labels.",
        f"If you renamed it, name it {field.name!r} again. If you deleted it, load what CVAT has "
        f"with dataset.load_annotations({record.key!r}, dest_field=...), or delete the run with "
        f"dataset.delete_annotation_run({record.key!r}).",
    )


def _has(
    dataset: fo.Dataset, name: str, kind: LabelKind, labels: Iterable[tuple[str, Iterable[str]]]
) -> bool:
    """Whether a field has one of some labels, by sample."""
    if kind.take_apart:
        return any(
            _has_part(dataset, Place(sample_id, name), kind, ids) for sample_id, ids in labels
        )
    path = label_path(name, kind)
    of_frames = path.startswith(FRAMES)
    key = "_sample_id" if of_frames else "_id"
    path = path.removeprefix(FRAMES) if of_frames else path
    matches = [
        {key: ObjectId(sample_id), f"{path}._id": {"$in": list(map(ObjectId, ids))}}
        for sample_id, ids in labels
    ]
    # FiftyOne would load the samples or frames.
    found_in = dataset._frame_collection if of_frames else dataset._sample_collection  # noqa: SLF001
    return bool(matches) and found_in.find_one({"$or": matches}, {"_id": 1}) is not None


def _has_part(dataset: fo.Dataset, place: Place, kind: LabelKind, ids: Iterable[str]) -> bool:
    """Whether a value that is taken apart into labels has one of some labels."""
    try:
        found = read_labels(dataset, [place], {place.field: kind})
    except MalformedLabel:  # of colours perhaps, which were never sent
        return False
    return not by_id(found.get(place)).keys().isdisjoint(ids)


def _rename(round_id: ObjectId, old: str, new: str) -> None:
    """Renames a field in what is kept of a round, but for its record."""
    database = foo.get_db_conn()
    query: dict[str, Any] = {"round_id": round_id, "field": old}
    database["relabel_undo"].update_many(query, {"$set": {"field": new, "sent.field": new}})
    database["relabel_frames"].update_many(query, {"$set": {"field": new}})


def _frames_fields(round_id: ObjectId) -> set[str]:
    return set(foo.get_db_conn()["relabel_frames"].distinct("field", {"round_id": round_id})) - {
        None
    }


def _with_names(record: Round, fields: Sequence[RoundField]) -> Round:
    """Keeps the classes of tasks known whose names in CVAT hold the name of their field."""
    old, new = class_names(record.fields), class_names(fields)
    names = {
        name: new[now.name][label]
        for before, now in zip(record.fields, fields, strict=True)
        for label, name in old[before.name].items()
    }
    return replace(
        record,
        tasks=tuple(
            replace(
                task,
                labels=tuple(
                    replace(spec, name=names.get(spec.name, spec.name)) for spec in task.labels
                ),
            )
            for task in record.tasks
        ),
    )
