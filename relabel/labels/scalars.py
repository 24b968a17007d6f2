"""Booleans, numbers and texts of samples <-> tags of whole images.

The tag is named after the field, and its attribute ``value`` has the field's type. A sample
without a value has no tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .attributes import AttributeKind
from .common import id_of, texts_of
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .schema import LabelSchema

VALUE = "value"
"""The attribute that holds the value."""

VALUE_KINDS = {
    "BooleanField": AttributeKind.BOOL,
    "IntField": AttributeKind.INT,
    "FloatField": AttributeKind.FLOAT,
    "StringField": AttributeKind.TEXT,
}
"""The FiftyOne class of a field of values -> the type of its values."""


def labels_of(value: Any, place: str) -> list[dict[str, Any]] | None:
    """A value as a label, whose id is that of its place."""
    if value is None:
        return None
    return [{"_id": id_of(place), VALUE: value}]


def value_of(
    labels: Sequence[Mapping[str, Any]] | None,
    in_cvat: Sequence[Mapping[str, Any]] = (),  # noqa: ARG001 - a segmentation needs it
) -> Any:
    """The reverse of :func:`labels_of`."""
    return labels[0][VALUE] if labels else None


def to_drawn(
    document: Mapping[str, Any],
    size: tuple[int, int],  # noqa: ARG001 - every kind of label has the same functions
    schema: LabelSchema,
) -> Drawn:
    """A value as CVAT shows it."""
    texts = texts_of(document, schema)
    return Drawn(schema.classes[0], (), attributes=texts, type=ShapeType.TAG)


def changed_fields(
    drawn: Drawn,
    before: Drawn | None,
    size: tuple[int, int],  # noqa: ARG001
    schema: LabelSchema,
) -> dict[str, Any]:
    """The value, if an edit in CVAT changes it.

    Raises:
        UnreadableValue: if the text is no value of the field's type
    """
    text = drawn.attributes[VALUE]
    if before is not None and before.attributes[VALUE] == text:
        return {}
    return {VALUE: schema.attributes[0].to_value(text)}


def accept(drawn: Drawn) -> Drawn | None:
    """What a value makes of a shape, or None if it cannot hold it."""
    return drawn if drawn.type == ShapeType.TAG and VALUE in drawn.attributes else None


def unite(drawn: Sequence[Drawn]) -> Drawn:
    """Of several tags, the last: a sample has one value."""
    return drawn[-1]
