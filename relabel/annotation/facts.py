"""What the labels of a field look like: the classes and attributes that a form is prefilled with.

Looking costs one scan of the field, so what was found is kept until the dataset changes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from cachetools import LRUCache, cached

from ..labels import LABEL_ID, Attribute, AttributeKind
from ..labels.boxes import ROTATION
from .errors import UnsupportedField

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_CHOICES = 20

_NOT_FOR_ANNOTATORS = frozenset(
    {
        *("_id", "_cls", "attributes", "tags", "label", "bounding_box", "mask", "mask_path"),
        *("confidence", "index", "instance", ROTATION, LABEL_ID),
        # what FiftyOne's brain and evaluation leave on labels
        *("mistakenness", "mistakenness_loc", "possible_missing", "possible_spurious"),
        *("max_iou", "dup_ids", "hardness", "uniqueness", "eval_iou", "eval_id", "eval"),
    }
)

_KINDS = {
    "bool": AttributeKind.BOOL,
    "int": AttributeKind.INT,
    "long": AttributeKind.INT,
    "double": AttributeKind.FLOAT,
    "string": AttributeKind.TEXT,
}


@dataclass(frozen=True)
class FieldFacts:
    """What the labels of a field look like.

    Args:
        classes: the names of classes, sorted
        attributes: the attributes that annotators could edit
        left_out: attributes that cannot travel, because their values have no single simple type
        labels: the number of labels
        with_mask: how many of them have an instance mask
    """

    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    left_out: tuple[str, ...] = ()
    labels: int = 0
    with_mask: int = 0


def detection_fields(dataset: fo.Dataset) -> list[str]:
    """The fields of a dataset whose labels can travel."""
    return [
        name
        for name, field in dataset.get_field_schema().items()
        if getattr(field, "document_type", None) is fo.Detections
    ]


def field_facts(dataset: fo.Dataset, field: str) -> FieldFacts:
    """Looks at the labels of a field.

    Args:
        dataset: the dataset
        field: the name of a field of ``Detections``

    Raises:
        UnsupportedField: if it is no such field
    """
    if field not in detection_fields(dataset):
        raise UnsupportedField(
            f"{field!r} is not a field of detections.",
            f"Choose one of: {', '.join(detection_fields(dataset)) or '(there is none)'}.",
        )
    version = str(dataset._max("last_modified_at"))  # noqa: SLF001 - `bounds` does not use the index
    return _field_facts(dataset, field, version)


def _facts_key(dataset: fo.Dataset, field: str, version: str) -> tuple[str, ...]:
    return str(dataset._doc.id), field, version  # noqa: SLF001 - the id has no public name


@cached(LRUCache(64), key=_facts_key, lock=threading.Lock())
def _field_facts(dataset: fo.Dataset, field: str, version: str) -> FieldFacts:  # noqa: ARG001
    path = f"{field}.detections"
    # One group per attribute and type of value; null means that a label has no value.
    groups = dataset._aggregate(  # noqa: SLF001 - no public aggregation sees undeclared attributes
        pipeline=[
            {"$project": {"label": f"${path}"}},
            {"$unwind": "$label"},
            {"$project": {"item": {"$objectToArray": "$label"}}},
            {"$unwind": "$item"},
            {
                "$group": {
                    "_id": {"name": "$item.k", "type": {"$type": "$item.v"}},
                    "count": {"$sum": 1},
                    "smallest": {"$min": "$item.v"},
                    "largest": {"$max": "$item.v"},
                }
            },
        ]
    )
    types: dict[str, dict[str, Any]] = {}
    for group in groups:
        types.setdefault(group["_id"]["name"], {})[group["_id"]["type"]] = group
    internal = _NOT_FOR_ANNOTATORS | _left_by_evaluations(dataset)
    attributes, left_out = [], []
    for name in sorted(set(types) - internal):
        attribute = _attribute(dataset, path, name, types[name])
        if attribute:
            attributes.append(attribute)
        elif set(types[name]) != {"null"}:
            left_out.append(name)
    return FieldFacts(
        classes=_classes(dataset, field),
        attributes=tuple(attributes),
        left_out=tuple(left_out),
        labels=sum(group["count"] for group in types.get("_id", {}).values()),
        with_mask=_count_values(types, ("mask", "mask_path")),
    )


def _classes(dataset: fo.Dataset, field: str) -> tuple[str, ...]:
    declared = dataset.classes.get(field) or dataset.default_classes
    present = dataset.distinct(f"{field}.detections.label")
    return (*declared, *sorted(set(present) - set(declared)))


def _attribute(
    dataset: fo.Dataset, path: str, name: str, types: dict[str, Any]
) -> Attribute | None:
    kinds = {_KINDS.get(kind) for kind in types if kind != "null"}
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    if kind is AttributeKind.INT and _is_binary(types):
        kind = AttributeKind.BINARY
    if kind is AttributeKind.TEXT:
        choices = dataset.distinct(f"{path}.{name}") if _declared(dataset, path, name) else []
        if 0 < len(choices) <= _MOST_CHOICES:
            return Attribute(name, AttributeKind.CHOICE, tuple(choices))
    return Attribute(name, kind) if kind else None


def _is_binary(types: dict[str, Any]) -> bool:
    groups = [group for kind, group in types.items() if kind != "null"]
    return all(group["smallest"] >= 0 and group["largest"] <= 1 for group in groups)


def _declared(dataset: fo.Dataset, path: str, name: str) -> bool:
    return dataset.get_field(f"{path}.{name}") is not None


def _count_values(types: dict[str, dict[str, Any]], names: Iterable[str]) -> int:
    return sum(
        group["count"]
        for name in names
        for kind, group in types.get(name, {}).items()
        if kind != "null"
    )


def _left_by_evaluations(dataset: fo.Dataset) -> set[str]:
    return {
        f"{key}{suffix}" for key in dataset.list_evaluations() for suffix in ("", "_id", "_iou")
    }
