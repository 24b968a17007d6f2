"""What the classes of a round are called in CVAT, where a task takes each name once.

A class keeps its name if one field of the round has it. If several do, each is offered with the
name of its field, as stock FiftyOne offers it: ``cat_ground_truth`` and ``cat_predictions``. It
comes back to that field. Where such a name is taken, it is ``cat (ground_truth)``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...labels.schema import ServerNames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...cvat import LabelSpec, Shape
    from ..record.request import RoundField


def class_names(fields: Iterable[RoundField]) -> dict[str, dict[str, str]]:
    """Field -> class -> what the class is called in CVAT."""
    fields = tuple(fields)
    shared = Counter(name for field in fields for name in set(field.schema.classes))

    def name_of(field: str, name: str) -> str:
        if shared[name] == 1:
            return name
        as_stock = f"{name}_{field}"
        return f"{name} ({field})" if as_stock in shared else as_stock

    return {
        field.name: {name: name_of(field.name, name) for name in field.schema.classes}
        for field in fields
    }


def label_specs(fields: Iterable[RoundField]) -> list[LabelSpec]:
    """The labels to create in CVAT for a round."""
    fields = tuple(fields)
    names = class_names(fields)
    return [spec for field in fields for spec in field.schema.to_specs(names[field.name])]


class TaskNames:
    """Which shape of a task belongs to which field, and what the server's ids mean there.

    Args:
        fields: the fields of the round
        labels: the classes of the task as the server lists them
    """

    def __init__(self, fields: Sequence[RoundField], labels: Iterable[LabelSpec]) -> None:
        labels = list(labels)
        names = class_names(fields)
        self._fields = {field.name: field for field in fields}
        self._names = {
            field.name: ServerNames(labels, {name: own for own, name in names[field.name].items()})
            for field in fields
        }
        owner = {name: field for field, classes in names.items() for name in classes.values()}
        self._owner = {label.id: owner[label.name] for label in labels if label.name in owner}

    def of_field(self, field: str) -> ServerNames:
        """The names of one field."""
        return self._names[field]

    def knows(self, shape: Shape) -> bool:
        """Whether the class and the attributes of a shape are known."""
        return all(names.knows(shape) for names in self._names.values())

    def fields_for(self, shape: Shape) -> list[RoundField]:
        """The field that a shape belongs to; if its class was added in CVAT, all fields."""
        owner = self._owner.get(shape.label_id)
        return list(self._fields.values()) if owner is None else [self._fields[owner]]
