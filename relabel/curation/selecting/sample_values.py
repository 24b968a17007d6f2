"""What fields say of samples that a selection heeds: weights, groups, what is labelled already."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone import ViewField as F

from ...labels.kinds import LabelKind, kind_of_class
from ..errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from fiftyone.core.collections import SampleCollection

_NUMBERS = (fo.FloatField, fo.IntField)
_TIMES = (fo.DateField, fo.DateTimeField)
_GROUPS = (fo.StringField, fo.BooleanField, fo.IntField, fo.ObjectIdField, *_TIMES)
TAGS = "tags"
# Of FiftyOne: they tell each sample from every other, or when it was written.
_NEVER_GROUPS = ("id", "filepath", "created_at", "last_modified_at")


def weight_fields(samples: SampleCollection) -> list[str]:
    """The fields with a number for each sample."""
    fields = samples.get_field_schema(ftype=_NUMBERS, flat=True)
    return [path for path in fields if not _in_a_list(samples, path)]


def group_fields(samples: SampleCollection) -> list[str]:
    """The fields by whose values samples can be divided; tags and the classes of labels too."""
    paths = samples.get_field_schema(ftype=_GROUPS, flat=True)
    found = [
        path
        for path in paths
        if path not in _NEVER_GROUPS
        and (not _in_a_list(samples, path) or path.endswith(".label"))
        and not path.endswith("._id")
    ]
    return [TAGS, *found]


def label_fields(samples: SampleCollection) -> list[str]:
    """The fields whose labels say that a sample is labelled."""
    return [
        name
        for name, field in samples.get_field_schema(embedded_doc_type=fo.Label).items()
        if kind_of_class(field.document_type.__name__)
    ]


def read_weights(samples: SampleCollection, field: str) -> dict[str, float]:
    """Reads a number for each sample.

    Returns:
        sample -> its number, of those that have one

    Raises:
        SelectionError: if there is no such field, it holds nothing, or a number is negative
    """
    if field not in weight_fields(samples):
        raise SelectionError(f"'{field}' holds no number for each sample.", "Choose another.")
    ids, values = samples.values(["id", field])
    numbers = {
        key: float(value)
        for key, value in zip(ids, values, strict=True)
        if value is not None and math.isfinite(value)
    }
    if not numbers:
        raise SelectionError(f"'{field}' holds no number for these samples.", "Choose another.")
    if any(number < 0 for number in numbers.values()):
        raise SelectionError(f"'{field}' holds negative numbers.", "A weight is 0 or more.")
    return numbers


def read_groups(samples: SampleCollection, field: str) -> dict[str, Hashable]:
    """Reads the group of each sample.

    A sample with several values, such as the classes of its labels, is of the group of the rarest.
    Of a point in time the group is its day (UTC).

    Returns:
        sample -> its group, of those that have one

    Raises:
        SelectionError: if there is no such field, or it holds nothing
    """
    if field not in group_fields(samples):
        raise SelectionError(f"'{field}' divides no samples.", "Choose another field.")
    ids, values = samples.values(["id", field])
    lists = [_as_set(value) for value in values]
    count = Counter(value for found in lists for value in found)
    if not count:
        raise SelectionError(f"'{field}' holds nothing for these samples.", "Choose another.")
    return {
        key: min(found, key=lambda value: (count[value], str(value)))
        for key, found in zip(ids, lists, strict=True)
        if found
    }


def read_splits(
    samples: SampleCollection, field: str, names: Collection[str] = ()
) -> dict[str, frozenset[Hashable]]:
    """Reads which splits each sample is of.

    Args:
        samples: the samples
        field: a field whose values are splits, or ``tags``
        names: which values, as text, are splits; needed of tags, by default all of another field

    Returns:
        sample -> its splits, mostly one, of those that are in some

    Raises:
        SelectionError: if there is no such field, or it is not said which tags are splits
    """
    if field == TAGS and not names:
        raise SelectionError("Which tags are splits is not said.", "Name them: train, test.")
    if field != TAGS and field not in group_fields(samples):
        raise SelectionError(f"'{field}' divides no samples.", "Choose another field.")
    ids, values = samples.values(["id", field])
    return {
        key: found
        for key, value in zip(ids, values, strict=True)
        if (found := frozenset(one for one in _as_set(value) if not names or str(one) in names))
    }


def labelled(samples: SampleCollection, field: str) -> list[str]:
    """The samples that have a label in a field.

    Raises:
        SelectionError: if there is no such field
    """
    if field not in label_fields(samples):
        raise SelectionError(f"'{field}' is not a field of labels.", "Choose another.")
    kind = _kind(samples, field)
    if kind.path is None:
        view = samples.exists(field)
    else:
        view = samples.match(F(f"{field}.{kind.path}").length() > 0)
    return list(view.values("id"))


def _kind(samples: SampleCollection, field: str) -> LabelKind:
    kind = kind_of_class(samples.get_field(field).document_type.__name__)
    assert kind is not None  # noqa: S101 - of those that label_fields() names
    return kind


def _in_a_list(samples: SampleCollection, path: str) -> bool:
    parts = path.split(".")
    paths = (".".join(parts[: count + 1]) for count in range(len(parts)))
    return any(isinstance(samples.get_field(parent), fo.ListField) for parent in paths)


def _as_set(value: Any) -> set[Hashable]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return {_day(one) if isinstance(one, datetime) else one for one in values if one is not None}


def _day(time: datetime) -> date:
    # FiftyOne gives those without a zone in UTC, and those of its configured zone with it.
    return (time.astimezone(UTC) if time.tzinfo else time).date()
