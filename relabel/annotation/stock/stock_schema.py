"""What stock FiftyOne's label schema of a field says, in Relabel's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...labels import Attribute, AttributeKind, LabelSchema, ShapeType

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
"""What stock calls the fields of booleans, numbers and texts of samples."""


def can_travel(info: Mapping[str, Any]) -> bool:
    """Whether a field of stock's schema is of a kind that Relabel knows.

    Values of samples are, where annotators enter them; not where each value is a class.
    """
    if info["type"] == SCALAR:
        return bool(info.get("existing_field")) and not info["classes"]
    numbers = info.get("mask_targets") or {}
    return _several(info["type"]) in _KINDS and all(str(number).isdecimal() for number in numbers)


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
