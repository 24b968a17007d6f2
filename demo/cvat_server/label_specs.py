"""Which attributes the labels of a task have, for checks and defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import errors
from .labels import attributes_of, children_of, labels_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .annotation_input import Annotations, Item
    from .database import Database
    from .labels import Owner


@dataclass
class _Spec:
    """Attribute ids of one label, with their defaults."""

    mutable: dict[int, str] = field(default_factory=dict)
    immutable: dict[int, str] = field(default_factory=dict)
    every: dict[int, str] = field(default_factory=dict)


class LabelSpecs:
    """The labels of a task, those inside skeletons included.

    Args:
        db: the database
        owner: the task or project that has the labels
    """

    def __init__(self, db: Database, owner: Owner) -> None:
        self._specs: dict[int, _Spec] = {}
        for label in labels_of(db, owner):
            for row in (label, *children_of(db, label["id"])):
                spec = self._specs[row["id"]] = _Spec()
                for attribute in attributes_of(db, row["id"]):
                    default = attribute["default_value"]
                    spec.every[attribute["id"]] = default
                    kind = spec.mutable if attribute["mutable"] else spec.immutable
                    kind[attribute["id"]] = default

    def check(self, annotations: Annotations) -> None:
        """Refuses labels and attributes that are not of this task.

        Raises:
            ApiError: 400
        """
        for item in (*annotations.tags, *annotations.shapes):
            self._check_one(item)
            for element in item.get("elements", ()):
                self._check_one(element)
        for track in annotations.tracks:
            for part in (track, *track["elements"]):
                spec = self._of(part)
                _check_values(part["attributes"], spec.immutable)
                for shape in part["shapes"]:
                    _check_values(shape["attributes"], spec.mutable)

    def fill(self, kind: str, item: Item) -> Item:
        """Adds the defaults of attributes that were not sent.

        Args:
            kind: ``tag``, ``shape`` or ``track``
            item: the stored item; changed in place
        """
        if kind != "track":
            for part in (item, *item.get("elements", ())):
                _add_defaults(part["attributes"], self._of(part).every)
            return item
        for part in (item, *item["elements"]):
            spec = self._of(part)
            _add_defaults(part["attributes"], spec.immutable)
            inherited: dict[int, str] = {}
            for shape in part["shapes"]:
                sent = {entry["spec_id"] for entry in shape["attributes"]}
                shape["attributes"] += [
                    {"spec_id": spec_id, "value": value}
                    for spec_id, value in inherited.items()
                    if spec_id not in sent
                ]
                _add_defaults(shape["attributes"], spec.mutable)
                inherited = {e["spec_id"]: e["value"] for e in shape["attributes"]}
        return item

    def _of(self, item: Item) -> _Spec:
        spec = self._specs.get(item["label_id"])
        if spec is None:
            raise errors.rejected(f"label_id `{item['label_id']}` is invalid")
        return spec

    def _check_one(self, item: Item) -> None:
        _check_values(item["attributes"], self._of(item).every)


def _check_values(values: Iterable[dict[str, Any]], known: dict[int, str]) -> None:
    for value in values:
        if value["spec_id"] not in known:
            raise errors.rejected(f"spec_id `{value['spec_id']}` is invalid")


def _add_defaults(values: list[Item], known: dict[int, str]) -> None:
    if not known:
        return
    sent = {value["spec_id"] for value in values}
    values += [
        {"spec_id": spec_id, "value": default}
        for spec_id, default in known.items()
        if spec_id not in sent
    ]
