"""Booleans, numbers and texts of samples <-> tags whose class is the value.

So stock FiftyOne sends values where it was given a list of them. What is not in the list has no
tag, and stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .attributes import Attribute
from .drawn import Drawn, ShapeType
from .scalars import VALUE, VALUE_KINDS, labels_of, unite, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import LabelSchema

__all__ = ["accept", "changed_fields", "labels_of", "to_drawn", "unite", "value_of"]


def to_drawn(
    document: Mapping[str, Any],
    size: tuple[int, int],  # noqa: ARG001 - every kind of label has the same functions
    schema: LabelSchema,
) -> Drawn | None:
    """A value as CVAT shows it, or None for one that is not in the list."""
    text = _attribute(schema).to_text(document[VALUE])
    return Drawn(text, (), type=ShapeType.TAG) if text in schema.classes else None


def changed_fields(
    drawn: Drawn,
    before: Drawn | None,
    size: tuple[int, int],  # noqa: ARG001
    schema: LabelSchema,
) -> dict[str, Any]:
    """The value, if an edit in CVAT changes it.

    Raises:
        UnreadableValue: if the class is no value of the field's type
    """
    if before is not None and before.label == drawn.label:
        return {}
    return {VALUE: _attribute(schema).to_value(drawn.label)}


def accept(drawn: Drawn) -> Drawn | None:
    """What a value makes of a shape, or None if it cannot hold it."""
    return drawn if drawn.type == ShapeType.TAG else None


def _attribute(schema: LabelSchema) -> Attribute:
    return Attribute(VALUE, VALUE_KINDS[schema.label_kind.field_class])
