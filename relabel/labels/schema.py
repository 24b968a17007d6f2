"""Which classes and attributes a round offers to annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cvat import AttributeSpec, InputType, LabelSpec, Shape
from ..errors import RelabelError
from .drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .attributes import Attribute


class UnknownClass(RelabelError):
    """A label is of a class that its round does not offer to annotators."""


LABEL_ID = "label_id"
"""The text attribute that holds a label's FiftyOne id, named as stock FiftyOne names it."""


@dataclass(frozen=True)
class LabelSchema:
    """The classes that annotators can choose and the attributes that they can edit.

    Args:
        classes: names of classes
        attributes: attributes that every class has
    """

    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()

    def to_specs(self) -> list[LabelSpec]:
        """The labels to create in CVAT."""
        attributes = (
            AttributeSpec(LABEL_ID, InputType.TEXT),
            *(attribute.to_spec() for attribute in self.attributes),
        )
        return [LabelSpec(name, "rectangle", attributes) for name in self.classes]


class ServerNames:
    """Translates between names and the ids that a server gave to classes and attributes.

    Args:
        labels: the classes of a task as the server lists them
    """

    def __init__(self, labels: Iterable[LabelSpec]) -> None:
        self._labels = {label.id: label for label in labels}
        self._by_name = {label.name: label for label in self._labels.values()}
        self._attributes = {
            attribute.id: attribute.name
            for label in self._labels.values()
            for attribute in label.attributes
        }

    def knows(self, shape: Shape) -> bool:
        """Whether the class of a shape is known."""
        return shape.label_id in self._labels

    def shape(self, drawn: Drawn, label_id: str, frame: int) -> Shape:
        """The shape to send for a label.

        Args:
            drawn: the label
            label_id: its FiftyOne id, which the shape carries
            frame: the number of its image in the task

        Raises:
            UnknownClass: if the server has no such class
        """
        label = self._by_name.get(drawn.label)
        if label is None or label.id is None:
            raise UnknownClass(
                f"The class {drawn.label!r} is not among those for annotators.",
                "Add it to the classes of the round.",
            )
        texts = {**drawn.attributes, LABEL_ID: label_id}
        return Shape(
            type=label.type,
            frame=frame,
            label_id=label.id,
            points=drawn.points,
            rotation=drawn.rotation,
            attributes={
                attribute.id: texts[attribute.name]
                for attribute in label.attributes
                if attribute.id is not None and attribute.name in texts
            },
        )

    def read(self, shape: Shape, schema: LabelSchema) -> tuple[Drawn, str]:
        """Reads a shape: the label as it is drawn, and the FiftyOne id that it carries.

        Attributes that the round does not know are left out; those that the server left out
        have their default.
        """
        texts = {
            self._attributes[spec_id]: text
            for spec_id, text in shape.attributes.items()
            if spec_id in self._attributes
        }
        attributes = {item.name: texts.get(item.name, item.default) for item in schema.attributes}
        drawn = Drawn(self._labels[shape.label_id].name, shape.points, shape.rotation, attributes)
        return drawn, texts.get(LABEL_ID, "")
