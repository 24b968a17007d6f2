"""FiftyOne labels <-> CVAT shapes, exact both ways. Pure functions."""

from .attributes import Attribute, AttributeKind, UnreadableValue
from .drawn import Drawn
from .schema import LABEL_ID, LabelSchema, UnknownClass

__all__ = [
    "LABEL_ID",
    "Attribute",
    "AttributeKind",
    "Drawn",
    "LabelSchema",
    "UnknownClass",
    "UnreadableValue",
]
