"""The kinds of labels that travel: one entry for each type of field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import (
    classifications,
    detections,
    keypoints,
    listed_values,
    outlines,
    polylines,
    scalars,
    segmentations,
)
from .common import copies
from .drawn import ShapeType

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from .attributes import Attribute
    from .drawn import Drawn
    from .schema import LabelSchema

    ToDrawn = Callable[[Mapping[str, Any], tuple[int, int], LabelSchema], Drawn | None]
    ChangedFields = Callable[[Drawn, Drawn | None, tuple[int, int], LabelSchema], dict[str, Any]]
    Accept = Callable[[Drawn], Drawn | None]
    PutTogether = Callable[[Sequence[Mapping[str, Any]] | None, Sequence[Mapping[str, Any]]], Any]
    Copies = Callable[
        [Sequence[Mapping[str, Any]], Container[str], str], list[tuple[str, dict[str, Any]]]
    ]


@dataclass(frozen=True)
class LabelKind:
    """A kind of label.

    Args:
        name: what stock FiftyOne's annotation API calls it
        field_class: the FiftyOne class of its fields
        label_class: the FiftyOne class of its labels
        path: where in a field its labels are, or None if the field is the label
        shape_type: what annotators draw for it
        to_drawn: draws a label; None for one that cannot be drawn and stays in FiftyOne
        changed_fields: the fields of a label that an edit in CVAT changes
        accept: what it makes of a shape of any type; None for one that stays in CVAT
        extra: attributes that are not the label's own, but that it needs on its way
        has_parts: whether one label can be drawn as several shapes
        unite: makes one of several shapes of a class, where a field has one label for each class;
            of several shapes whatever their class, where it has one value
        take_apart: the labels in the value of a field, where that is no label nor a list of them;
            takes the value and a text that tells its place from every other
        put_together: the reverse of it; takes the labels, and those that CVAT shows
        of_classes: whether a field has one label for each class
        own_classes: whether its labels are of the classes of its schema only
        copies: copies of labels for another field, without some attributes, each with an id of
            its own and with the id of its source
    """

    name: str
    field_class: str
    label_class: str
    path: str | None
    shape_type: str
    to_drawn: ToDrawn
    changed_fields: ChangedFields
    accept: Accept
    extra: tuple[Attribute, ...] = ()
    has_parts: bool = False
    unite: Callable[[Sequence[Drawn]], Drawn] | None = None
    take_apart: Callable[[Any, str], Sequence[Mapping[str, Any]] | None] | None = None
    put_together: PutTogether | None = None
    of_classes: bool = False
    own_classes: bool = False
    copies: Copies = copies

    @property
    def holds_one(self) -> bool:
        """Whether a field holds one label, and not a list of them, nor one for each class."""
        return self.path is None and not self.of_classes

    @property
    def carries_id(self) -> bool:
        """Whether its shapes carry the ids of their labels; a value has none.

        Stock FiftyOne would take the id for the value.
        """
        return self.put_together is None or self.of_classes

    def labels_of(self, value: Any, place: str) -> Sequence[Mapping[str, Any]] | None:
        """The labels in the value of a field; None for an empty field.

        Args:
            value: the value as MongoDB holds it
            place: a text that tells its place from every other

        Raises:
            MalformedLabel: if the value cannot be read
        """
        if self.take_apart:
            return self.take_apart(value, place)
        if value is None:
            return None
        found: Sequence[Mapping[str, Any]] = (
            [value] if self.path is None else value.get(self.path, [])
        )
        return found

    def value_of(self, labels: Sequence[Mapping[str, Any]] | None) -> Any:
        """The value of a field that has some labels, the reverse of :meth:`labels_of`."""
        if self.put_together:
            return self.put_together(labels, ())
        if self.path is None:
            return labels[0] if labels else None
        return None if labels is None else {"_cls": self.field_class, self.path: labels}


def _entry(name: str, label: str, module: Any, shape_type: str, **options: Any) -> list[LabelKind]:
    """The kind of a list of labels and the kind of one label."""
    functions = (module.to_drawn, module.changed_fields, module.accept)
    return [
        LabelKind(name, f"{label}s", label, name, shape_type, *functions, **options),
        LabelKind(name[:-1], label, label, None, shape_type, *functions, **options),
    ]


def _whole(name: str, field_class: str, module: Any, shape_type: str, **options: Any) -> LabelKind:
    """The kind of a field whose value is no label nor a list of them."""
    return LabelKind(
        name,
        field_class,
        field_class,
        None,
        shape_type,
        module.to_drawn,
        module.changed_fields,
        module.accept,
        unite=module.unite,
        take_apart=module.labels_of,
        put_together=module.value_of,
        **options,
    )


_KINDS = {
    kind.name: kind
    for kind in (
        *_entry("detections", "Detection", detections, ShapeType.RECTANGLE),
        *_entry("polylines", "Polyline", polylines, ShapeType.POLYGON, has_parts=True),
        *_entry("keypoints", "Keypoint", keypoints, ShapeType.POINTS, extra=(keypoints.MISSING,)),
        *_entry("classifications", "Classification", classifications, ShapeType.TAG),
        _whole(
            "segmentation",
            "Segmentation",
            segmentations,
            ShapeType.MASK,
            of_classes=True,
            copies=segmentations.copies,
        ),
        *(
            _whole(f"{name}:{field_class}", field_class, module, ShapeType.TAG, own_classes=True)
            for name, module in (("scalar", scalars), ("listed", listed_values))
            for field_class in scalars.VALUE_KINDS
        ),
    )
}


_OUTLINED = {
    kind.name: kind
    for kind in _entry("detections", "Detection", outlines, ShapeType.POLYGON, has_parts=True)
}


def kind_named(name: str, *, outlined: bool = False) -> LabelKind:
    """A kind by the name that a schema has for it.

    Args:
        name: the name
        outlined: whether instance masks are drawn as polygons
    """
    return _OUTLINED.get(name, _KINDS[name]) if outlined else _KINDS[name]


def kind_of_class(field_class: str) -> LabelKind | None:
    """The kind of the labels of a field, by the FiftyOne class of the field."""
    return next((kind for kind in _KINDS.values() if kind.field_class == field_class), None)
