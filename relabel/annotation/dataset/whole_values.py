"""What fields hold whose value is no label: the classes of a segmentation, a number, a text."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cachetools import LRUCache, cached

from ...labels import Attribute, AttributeKind
from ...labels.scalars import VALUE, VALUE_KINDS
from .attributes import MOST_CHOICES, can_be_chosen
from .groups import every_sample

if TYPE_CHECKING:
    import fiftyone as fo


def mask_targets(dataset: fo.Dataset, field: str) -> tuple[tuple[int, str], ...]:
    """Number and class of a field of segmentations, as the dataset names them.

    The background, 0, is none, and colours cannot travel.
    """
    targets = dataset.mask_targets.get(field) or dataset.default_mask_targets or {}
    named = {number: name for number, name in targets.items() if isinstance(number, int)}
    return tuple((number, str(name)) for number, name in sorted(named.items()) if number)


def value_class(dataset: fo.Dataset, field: str) -> str | None:
    """The FiftyOne class of a field of values, or None if there is no such field."""
    found = dataset.get_field(field)
    name = type(found).__name__
    return name if name in VALUE_KINDS else None


def scalar_attribute(dataset: fo.Dataset, field: str, field_class: str) -> Attribute:
    """How annotators enter the values of a field."""
    kind = VALUE_KINDS[field_class]
    if kind is not AttributeKind.TEXT:
        return Attribute(VALUE, kind)
    version = str(dataset._max("last_modified_at"))  # noqa: SLF001 - reads one index entry
    choices = _distinct(dataset, field, version)
    if 0 < len(choices) <= MOST_CHOICES and can_be_chosen(choices):
        return Attribute(VALUE, AttributeKind.CHOICE, choices)
    return Attribute(VALUE, kind)


def _key(dataset: fo.Dataset, field: str, version: str) -> tuple[str, ...]:
    return str(dataset._doc.id), field, version  # noqa: SLF001 - the id has no public name


@cached(LRUCache(64), key=_key, lock=threading.Lock())
def _distinct(dataset: fo.Dataset, field: str, version: str) -> tuple[str, ...]:  # noqa: ARG001
    return tuple(every_sample(dataset).distinct(field))
