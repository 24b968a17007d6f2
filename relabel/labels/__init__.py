"""FiftyOne labels <-> CVAT shapes, exact both ways. Pure functions."""

from .attributes import Attribute, AttributeKind, UnreadableValue
from .drawn import UNKNOWN, Drawn, ShapeType
from .errors import MalformedLabel, UnknownClass
from .kinds import LabelKind, kind_named, kind_of_class
from .schema import LABEL_ID, LabelSchema

__all__ = [
    "LABEL_ID",
    "UNKNOWN",
    "Attribute",
    "AttributeKind",
    "Drawn",
    "LabelKind",
    "LabelSchema",
    "MalformedLabel",
    "ShapeType",
    "UnknownClass",
    "UnreadableValue",
    "kind_named",
    "kind_of_class",
]
