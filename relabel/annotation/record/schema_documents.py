"""Reads classes and attributes from the documents that MongoDB holds of a round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...cvat import AttributeSpec, InputType, LabelSpec
from ...labels import Attribute, AttributeKind, LabelSchema

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_schema(schema: Mapping[str, Any]) -> LabelSchema:
    """The classes and attributes of a field; what an older record lacks has its default."""
    attributes = tuple(
        Attribute(
            item["name"],
            AttributeKind(item["kind"]),
            tuple(item["choices"]),
            tuple(item.get("classes", ())),
            item.get("unset"),
        )
        for item in schema["attributes"]
    )
    return LabelSchema(
        classes=tuple(schema["classes"]),
        attributes=attributes,
        kind=schema.get("kind", "detections"),
        shape_type=schema.get("shape_type", ""),
        nodes=tuple(schema.get("nodes", ())),
        edges=tuple((start, end) for start, end in schema.get("edges", ())),
        tracks=schema.get("tracks", False),
        targets=tuple((number, name) for number, name in schema.get("targets", ())),
        outlined=schema.get("outlined", False),
    )


def read_label(document: Mapping[str, Any]) -> LabelSpec:
    """A class of a task, with its parts."""
    return LabelSpec(
        name=document["name"],
        type=document["type"],
        id=document["id"],
        attributes=tuple(
            AttributeSpec(
                name=item["name"],
                input_type=InputType(item["input_type"]),
                values=tuple(item["values"]),
                default=item["default"],
                id=item["id"],
            )
            for item in document["attributes"]
        ),
        sublabels=tuple(map(read_label, document.get("sublabels", ()))),
    )
