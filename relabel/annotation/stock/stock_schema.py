"""What stock FiftyOne's label schema of a field says, in Relabel's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...labels import Attribute, AttributeKind, LabelSchema, ShapeType
from ...labels.scalars import VALUE, VALUE_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KINDS: dict[str, tuple[str, str]] = {
    "detections": ("detections", ShapeType.RECTANGLE),
    "instances": ("detections", ShapeType.MASK),
    "polylines": ("polylines", ShapeType.POLYLINE),
    "polygons": ("polylines", ShapeType.POLYGON),
    "keypoints": ("keypoints", ""),
    "classifications": ("classifications", ""),
    "segmentation": ("segmentation", ShapeType.MASK),
}
_SINGLE = frozenset(name[:-1] for name in _KINDS if name.endswith("s"))
_NO_VALUES = {
    "checkbox": AttributeKind.BOOL,
    "select": AttributeKind.CHOICE,
    "radio": AttributeKind.RADIO,
}
_PARTS_OF_SHAPES = {"occluded": AttributeKind.OCCLUDED, "group_id": AttributeKind.GROUP}
_AS_TEXT = frozenset({AttributeKind.BOOL, AttributeKind.INT, AttributeKind.FLOAT})


SCALAR = "scalar"
"""What stock calls the fields of booleans, numbers and texts of samples and frames."""

TEXT = "StringField"
"""The FiftyOne class of a field of values that is not there yet; see :mod:`.new_values`."""


def can_travel(info: Mapping[str, Any]) -> bool:
    """Whether a field of stock's schema is of a kind that Relabel knows."""
    if info["type"] == SCALAR:
        return True
    numbers = info.get("mask_targets") or {}
    return _several(info["type"]) in _KINDS and all(str(number).isdecimal() for number in numbers)


def read_values(name: str, info: Mapping[str, Any], field_class: str) -> LabelSchema:
    """Reads stock's schema of a field of values.

    Stock shows a value as a tag: its class is the value where stock was given a list of these,
    else annotators enter it.

    Args:
        name: the field
        info: the schema
        field_class: the FiftyOne class of the field
    """
    if info["classes"]:
        classes = tuple(dict.fromkeys(_classes(info)))
        return LabelSchema(classes, kind=f"listed:{field_class}")
    value = Attribute(VALUE, VALUE_KINDS[field_class], unset="")
    return LabelSchema((name,), (value,), kind=f"scalar:{field_class}")


def read_schema(
    info: Mapping[str, Any],
    config: Mapping[str, Any],
    known: Iterable[Attribute],
    hidden: Iterable[str],
) -> LabelSchema:
    """Reads stock's schema of one field.

    Args:
        info: the schema
        config: the configuration of its run
        known: the attributes that the labels of the field have
        hidden: the names of attributes that are not for annotators, or whose values have no
            single simple type; they stay as they are on either side
    """
    kind, shape_type = _KINDS[_several(info["type"])]
    single = info["type"] in _SINGLE
    present = {attribute.name: attribute for attribute in known}
    left_out = set(hidden)
    attributes = []
    for name, item, classes in _declared(info):
        if name in left_out or item.get("read_only"):
            continue
        part = _part_of_shape(name, item, config)
        if part:
            attributes.append(Attribute(name, part, classes=classes))
        elif item.get("type"):
            attributes.append(_attribute(name, item, present.get(name), classes))
    return LabelSchema(
        classes=tuple(dict.fromkeys(_classes(info))),
        attributes=tuple(attributes),
        kind=kind[:-1] if single else kind,
        shape_type=shape_type,
        targets=tuple(
            (int(number), name)
            for number, name in (info.get("mask_targets") or {}).items()
            if int(number)
        ),
    )


def _several(stock_type: str) -> str:
    return f"{stock_type}s" if stock_type in _SINGLE else stock_type


def _classes(info: Mapping[str, Any]) -> Iterator[str]:
    for item in info["classes"]:
        if isinstance(item, str):
            yield item
        else:
            yield from item["classes"]


def _declared(
    info: Mapping[str, Any],
) -> Iterator[tuple[str, Mapping[str, Any], tuple[str, ...]]]:
    """The attributes with their names, and the classes that have them, none meaning all."""
    for name, item in info["attributes"].items():
        yield name, item, ()
    of_classes: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for group in info["classes"]:
        if not isinstance(group, str):
            for name, item in group["attributes"].items():
                of_classes.setdefault(name, (item, []))[1].extend(group["classes"])
    for name, (item, classes) in of_classes.items():
        if name not in info["attributes"]:
            yield name, item, tuple(classes)


def _part_of_shape(
    name: str, item: Mapping[str, Any], config: Mapping[str, Any]
) -> AttributeKind | None:
    if name == config.get("occluded_attr"):
        return AttributeKind.OCCLUDED
    if name == config.get("group_id_attr"):
        return AttributeKind.GROUP
    return _PARTS_OF_SHAPES.get(item.get("type", ""))


def _attribute(
    name: str, item: Mapping[str, Any], present: Attribute | None, classes: tuple[str, ...]
) -> Attribute:
    """An attribute: its values in FiftyOne say of which type they are, else how it is entered."""
    kind = _NO_VALUES.get(item["type"], AttributeKind.TEXT)
    if present is not None and present.kind in _AS_TEXT:
        kind = present.kind
    elif present is not None and present.kind is AttributeKind.BINARY:
        kind = AttributeKind.INT  # stock writes 0 and 1 as they are
    choices = tuple(str(value) for value in item.get("values") or ())
    default = item.get("default")
    return Attribute(
        name,
        kind,
        choices if kind in {AttributeKind.CHOICE, AttributeKind.RADIO} else (),
        classes,
        unset="" if default is None else _text(default),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
