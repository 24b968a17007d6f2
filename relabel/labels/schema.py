"""Which classes and attributes a round offers to annotators."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..cvat import AttributeSpec, InputType, LabelSpec
from .drawn import ShapeType
from .kinds import kind_named
from .skeletons import draw_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .attributes import Attribute
    from .kinds import LabelKind

LABEL_ID = "label_id"
"""The text attribute that holds a label's FiftyOne id, named as stock FiftyOne names it."""

PART = "label_part"
"""The text attribute that says which part of its label a shape is: ``1``, ``2``, ..."""

ANY = "any"
"""The type of a class of which annotators can draw shapes of any type."""

_OUTLINED = {ShapeType.MASK.value: ShapeType.POLYGON.value, ShapeType.RECTANGLE.value: ANY}


@dataclass(frozen=True)
class LabelSchema:
    """The classes that annotators can choose and the attributes that they can edit.

    Args:
        classes: names of classes
        attributes: attributes of all or some classes
        kind: the name of the kind of labels; see :mod:`.kinds`
        shape_type: what annotators draw, or an empty text for what the kind says
        nodes: the names of a skeleton's nodes, if keypoints have one
        edges: the nodes that lines of the skeleton join, counted from 0
        tracks: whether labels with an index are drawn as tracks, as those of videos are
        targets: number and class, for a segmentation
        outlined: whether instance masks are drawn as polygons; see :mod:`.outlines`
    """

    classes: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    kind: str = "detections"
    shape_type: str = ""
    nodes: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()
    tracks: bool = False
    targets: tuple[tuple[int, str], ...] = ()
    outlined: bool = False

    @cached_property
    def label_kind(self) -> LabelKind:
        """The kind of labels."""
        return kind_named(self.kind, outlined=self.outlined)

    @property
    def draws(self) -> str:
        """What annotators draw: a type of shape, or :data:`ANY`."""
        if self.nodes:
            return ShapeType.SKELETON
        drawn = self.shape_type or self.label_kind.shape_type
        return _OUTLINED.get(drawn, drawn) if self.outlined else drawn

    @cached_property
    def travelling(self) -> tuple[Attribute, ...]:
        """The attributes that travel: those for annotators and those that the kind needs."""
        return (*self.attributes, *self.label_kind.extra)

    @property
    def declared(self) -> tuple[Attribute, ...]:
        """Those of them that CVAT knows as attributes."""
        return tuple(item for item in self.travelling if item.is_declared)

    @cached_property
    def parts_of_shapes(self) -> tuple[Attribute, ...]:
        """Those that CVAT knows as parts of a shape."""
        return tuple(item for item in self.attributes if not item.is_declared)

    def takes(self, label: str) -> bool:
        """Whether the field can have labels of a class, which may have been added in CVAT."""
        return label in self.classes or not self.label_kind.own_classes

    def to_specs(self, names: Mapping[str, str] | None = None) -> list[LabelSpec]:
        """The labels to create in CVAT.

        Args:
            names: class -> what it is called in CVAT; by default its own name
        """
        own = [AttributeSpec(LABEL_ID, InputType.TEXT)] if self.label_kind.carries_id else []
        if self.label_kind.has_parts:
            own.append(AttributeSpec(PART, InputType.TEXT))
        return [
            LabelSpec(
                names[name] if names else name,
                self.draws,
                (*own, *(item.to_spec() for item in self.declared if item.is_for(name))),
                sublabels=tuple(LabelSpec(node, ShapeType.POINTS) for node in self.nodes),
                svg=draw_svg(self.nodes, self.edges) if self.nodes else "",
            )
            for name in self.classes
        ]
