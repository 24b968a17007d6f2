"""What every kind of label has: a class and attributes."""

from __future__ import annotations

import hashlib
import itertools
import math
import operator
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from .errors import MalformedLabel

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from .drawn import Drawn
    from .schema import LabelSchema


def class_of(document: Mapping[str, Any]) -> str:
    """The class of a label.

    Raises:
        MalformedLabel: if it has none
    """
    label = document.get("label")
    if not isinstance(label, str):
        raise MalformedLabel(
            f"The label {document.get('_id')} has no class.", "Give it one, or delete it."
        )
    return label


def id_of(text: str) -> ObjectId:
    """An id that stands for a text, always the same."""
    return ObjectId(hashlib.blake2b(text.encode(), digest_size=12).digest())


def copies(
    labels: Iterable[Mapping[str, Any]], left_out: Container[str], place: str
) -> list[tuple[str, dict[str, Any]]]:
    """Copies labels for another field.

    Args:
        labels: labels as MongoDB holds them
        left_out: the names of attributes that are not true of a copy
        place: a text that tells where the copies go from every other place

    Returns:
        the id of each label, and its copy with an id of its own
    """
    return [
        (
            str(label["_id"]),
            {name: value for name, value in label.items() if name not in left_out}
            | {"_id": id_of(f"{place}/{label['_id']}")},
        )
        for label in labels
    ]


def to_pixels(
    numbers: Iterable[Any], size: tuple[int, int], document: Mapping[str, Any]
) -> tuple[float, ...]:
    """The pixels of relative coordinates x, y, x, y, ... of a label.

    Raises:
        MalformedLabel: if one of them is no number, or so large that its pixel is none
    """
    try:
        pixels = tuple(map(operator.mul, numbers, itertools.cycle(size)))
    except TypeError:
        pixels = (math.nan,)
    return require_finite(pixels, document)


def require_finite(numbers: tuple[float, ...], document: Mapping[str, Any]) -> tuple[float, ...]:
    """Holds that the coordinates of a label are places.

    Raises:
        MalformedLabel: if one of them is no number, or too large
    """
    try:
        if math.isfinite(sum(numbers)):  # one that is not makes the sum so
            return numbers
    except (TypeError, OverflowError):
        pass
    raise MalformedLabel(
        f"The label {document.get('_id')} has coordinates that are no finite numbers.",
        "Correct or delete this label.",
    )


def texts_of(document: Mapping[str, Any], schema: LabelSchema) -> dict[str, str]:
    """The attributes of a label as the texts that travel."""
    if not schema.attributes:
        return {}
    label = str(document.get("label"))
    return {
        attribute.name: attribute.to_text(
            document.get(attribute.name) if attribute.is_for(label) else None
        )
        for attribute in schema.attributes
    }


def changed_texts(drawn: Drawn, before: Drawn | None, schema: LabelSchema) -> dict[str, Any]:
    """The class and the attributes that an edit in CVAT changes: field name -> new value.

    Attributes that the class does not have stay as they are.

    Raises:
        UnreadableValue: if an attribute holds a text that is no value of its type
    """
    fields: dict[str, Any] = {}
    if before is None or drawn.label != before.label:
        fields["label"] = drawn.label
    if drawn.index != (before.index if before else None):
        fields["index"] = drawn.index
    if drawn.keyframe is not None and (before is None or before.keyframe is not None):
        fields["keyframe"] = drawn.keyframe
    for attribute in schema.attributes:
        text = drawn.attributes[attribute.name]
        if not attribute.is_for(drawn.label):
            continue
        left_empty = before is None and not text
        if not left_empty and (before is None or text != before.attributes[attribute.name]):
            fields[attribute.name] = attribute.to_value(text)
    return fields
