"""What every kind of label has: a class and attributes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .errors import MalformedLabel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def to_pixels(
    numbers: Iterable[Any], size: tuple[int, int], document: Mapping[str, Any]
) -> tuple[float, ...]:
    """The pixels of relative coordinates x, y, x, y, ... of a label.

    Raises:
        MalformedLabel: if one of them is no number, or so large that its pixel is none
    """
    try:
        pixels = tuple(number * size[index % 2] for index, number in enumerate(numbers))
        if all(map(math.isfinite, pixels)):
            return pixels
    except (TypeError, OverflowError):
        pass
    raise MalformedLabel(
        f"The label {document.get('_id')} has coordinates that are no finite numbers.",
        "Correct or delete this label.",
    )


def texts_of(document: Mapping[str, Any], schema: LabelSchema) -> dict[str, str]:
    """The attributes of a label as the texts that travel."""
    label = document.get("label")
    return {
        attribute.name: attribute.to_text(
            document.get(attribute.name) if attribute.is_for(str(label)) else None
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
    for attribute in schema.attributes:
        text = drawn.attributes[attribute.name]
        if not attribute.is_for(drawn.label):
            continue
        left_empty = before is None and not text
        if not left_empty and (before is None or text != before.attributes[attribute.name]):
            fields[attribute.name] = attribute.to_value(text)
    return fields
