"""What the classes of a round are called in CVAT, where a task takes each name once.

A class keeps its name if one field of the round has it. If several do, each is offered with the
name of its field, as stock FiftyOne offers it: ``cat_ground_truth`` and ``cat_predictions``. It
comes back to that field. Where such a name is taken, it is ``cat (ground_truth)``.

CVAT cuts the spaces around a name and refuses what is longer than 64 letters. Such a class travels
under a name that CVAT keeps as it is, and comes back as itself.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from ...labels.server_names import ServerNames

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from ...cvat import LabelSpec, Shape
    from ..record.request import RoundField


_LONGEST = 64
_NUL = chr(0)  # CVAT's database cannot hold it
_BLANK = "(blank)"


def class_names(fields: Iterable[RoundField]) -> dict[str, dict[str, str]]:
    """Field -> class -> what the class is called in CVAT."""
    fields = tuple(fields)
    shared = Counter(name for field in fields for name in set(field.schema.classes))

    def name_of(field: str, name: str) -> str:
        if shared[name] == 1:
            return name
        as_stock = f"{name}_{field}"
        return f"{name} ({field})" if as_stock in shared else as_stock

    wanted = [
        (field.name, name, name_of(field.name, name))
        for field in fields
        for name in dict.fromkeys(field.schema.classes)
    ]
    taken = {text for _, _, text in wanted if _kept(text) == text}
    names: dict[str, dict[str, str]] = {field.name: {} for field in fields}
    for field_name, name, text in wanted:
        called = text if text in taken else _free(text, taken)
        taken.add(called)
        names[field_name][name] = called
    return names


def _kept(text: str) -> str:
    """What CVAT would make of a name, or keeps of it if it is too long."""
    return text.replace(_NUL, "").strip()[:_LONGEST].rstrip() or _BLANK


def _free(text: str, taken: Container[str]) -> str:
    """The name that CVAT would make of it, with a number if another class has that."""
    kept = _kept(text)
    numbered = (f"{kept[: _LONGEST - 8]} ({number})" for number in itertools.count(2))
    return next(name for name in itertools.chain((kept,), numbered) if name not in taken)


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
        self._fields = list(fields)
        self._names = {
            field.name: ServerNames(labels, {name: own for own, name in names[field.name].items()})
            for field in fields
        }
        owner = {name: field for field in fields for name in names[field.name].values()}
        self._owner = {label.id: [owner[label.name]] for label in labels if label.name in owner}

    def of_field(self, field: str) -> ServerNames:
        """The names of one field."""
        return self._names[field]

    def knows(self, shape: Shape) -> bool:
        """Whether the class and the attributes of a shape are known."""
        return all(names.knows(shape) for names in self._names.values())

    def fields_for(self, shape: Shape) -> list[RoundField]:
        """The field that a shape belongs to; if its class was added in CVAT, all fields."""
        return self._owner.get(shape.label_id, self._fields)
