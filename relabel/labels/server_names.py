"""Labels <-> the shapes of a task, in which a server names classes and attributes by ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..cvat import LabelSpec, Shape
from . import keypoints
from .attributes import AttributeKind
from .drawn import Drawn, ShapeType
from .errors import UnknownClass
from .polylines import part_type
from .schema import LABEL_ID, PART

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from .schema import LabelSchema

_CARRIED = frozenset((LABEL_ID, PART))


class ReadShape(NamedTuple):
    """What a shape says.

    Args:
        drawn: the label as it is drawn
        label_id: the FiftyOne id that it carries, or an empty text
        part: which part of its label it is, or an empty text for all of it
        unknown: the names of attributes that it has and the round does not know
    """

    drawn: Drawn
    label_id: str
    part: str
    unknown: Set[str] = frozenset()


class ServerNames:
    """Translates between names and the ids that a server gave to classes and attributes.

    Args:
        labels: the classes of a task as the server lists them
        classes: what a class is called in CVAT -> the class; by default its own name
    """

    def __init__(
        self, labels: Iterable[LabelSpec], classes: Mapping[str, str] | None = None
    ) -> None:
        labels = list(labels)
        self._labels = {label.id: label for label in labels}
        self._classes = {label.id: (classes or {}).get(label.name, label.name) for label in labels}
        offered = [label for label in labels if not classes or label.name in classes]
        self._by_class = {self._classes[label.id]: label for label in offered}
        self._attributes = {
            attribute.id: attribute.name for label in labels for attribute in label.attributes
        }

    @property
    def carriers(self) -> frozenset[int]:
        """The ids of the attributes that carry label ids."""
        return frozenset(
            spec_id
            for spec_id, name in self._attributes.items()
            if name == LABEL_ID and spec_id is not None
        )

    def knows(self, shape: Shape) -> bool:
        """Whether the class and the attributes of a shape are known."""
        return (
            shape.label_id in self._labels and shape.attributes.keys() <= self._attributes.keys()
        )

    def shapes(self, drawn: Drawn, label_id: str, frame: int, group: int = 0) -> list[Shape]:
        """The shapes to send for a label, one for each of its parts.

        Args:
            drawn: the label
            label_id: its FiftyOne id, which the shapes carry
            frame: the number of its image in the task
            group: the number that joins them, if there are several

        Raises:
            UnknownClass: if the server has no such class
        """
        label = self._by_class.get(drawn.label)
        if label is None or label.id is None:
            raise UnknownClass(
                f"The class {drawn.label!r} is not among those for annotators.",
                "Add it to the classes of the round.",
            )
        if drawn.type == ShapeType.SKELETON:
            return [self._skeleton(label, drawn, label_id, frame)]
        texts = {**drawn.attributes, LABEL_ID: label_id}
        shapes = []
        for number, points in enumerate(drawn.parts, start=1):
            if drawn.more:
                texts[PART] = str(number)
            shape_type: str = drawn.type
            if shape_type in {ShapeType.POLYGON, ShapeType.POLYLINE}:
                shape_type = part_type(shape_type, points)
            shape = Shape(
                type=shape_type,
                frame=frame,
                label_id=label.id,
                points=points,
                rotation=drawn.rotation,
                attributes=_values(label, texts),
                group=group if drawn.more else 0,
            )
            shapes.append(shape)
        return shapes

    def _skeleton(self, label: LabelSpec, drawn: Drawn, label_id: str, frame: int) -> Shape:
        nodes = keypoints.to_nodes(drawn, len(label.sublabels))
        elements = tuple(
            Shape(
                ShapeType.POINTS,
                frame,
                spec.id or 0,
                node.point,
                outside=node.outside,
                occluded=node.occluded,
            )
            for spec, node in zip(label.sublabels, nodes, strict=True)
        )
        texts = {**drawn.attributes, LABEL_ID: label_id}
        return Shape(
            ShapeType.SKELETON,
            frame,
            label.id or 0,
            (),
            attributes=_values(label, texts),
            elements=elements,
        )

    def read(self, shape: Shape, schema: LabelSchema) -> ReadShape:
        """Reads a shape.

        Attributes that the round does not know are named, but not read; those that the server left
        out have their default.
        """
        texts = {
            self._attributes[spec_id]: text
            for spec_id, text in shape.attributes.items()
            if spec_id in self._attributes
        }
        if schema.parts_of_shapes:
            texts |= _texts_of_shape(shape, schema)
        attributes = {item.name: texts.get(item.name, item.default) for item in schema.travelling}
        points = shape.points
        if shape.type == ShapeType.SKELETON:
            label = self._labels[shape.label_id]
            nodes = {
                node.label_id: keypoints.Node(node.points, node.outside, node.occluded)
                for node in shape.elements
            }
            gone = keypoints.Node((), outside=True)
            found = [nodes.get(node.id or 0, gone) for node in label.sublabels]
            points, said = keypoints.from_nodes(found)
            attributes |= said
        drawn = Drawn(
            self._classes[shape.label_id], points, shape.rotation, attributes, shape.type
        )
        unknown = texts.keys() - attributes.keys() - _CARRIED
        return ReadShape(drawn, texts.get(LABEL_ID, ""), texts.get(PART, ""), unknown)


def _texts_of_shape(shape: Shape, schema: LabelSchema) -> dict[str, str]:
    """The attributes that are parts of a shape."""
    own = {
        AttributeKind.OCCLUDED: str(shape.occluded).lower(),
        AttributeKind.GROUP: str(shape.group),
    }
    return {item.name: own[item.kind] for item in schema.parts_of_shapes}


def _values(label: LabelSpec, texts: Mapping[str, str]) -> dict[int, str]:
    """The values of attributes by the ids that the server gave them."""
    return {
        attribute.id: texts[attribute.name]
        for attribute in label.attributes
        if attribute.id is not None and attribute.name in texts
    }
