"""Labels with their attributes: stored, changed by PATCH of a task or project, listed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from . import errors
from .database import timestamp
from .label_input import check_labels

if TYPE_CHECKING:
    from .database import Database, Row

Owner = tuple[str, int]
"""``("task_id", 5)`` or ``("project_id", 2)``."""

_OF_OWNER = {
    "task_id": "SELECT * FROM labels WHERE task_id = ? AND parent_id IS NULL ORDER BY id",
    "project_id": "SELECT * FROM labels WHERE project_id = ? AND parent_id IS NULL ORDER BY id",
}
_CHILDREN = "SELECT * FROM labels WHERE parent_id = ? ORDER BY id"
# A changed attribute moves to the end, as rows of the real database do.
_ATTRIBUTES = "SELECT * FROM attributes WHERE label_id = ? ORDER BY revision, id"


def owner_of_task(task: Row) -> Owner:
    """Where the labels of a task are kept: in its project if it has one."""
    if task["project_id"] is not None:
        return ("project_id", task["project_id"])
    return ("task_id", task["id"])


def labels_of(db: Database, owner: Owner) -> list[Row]:
    """The labels, without those inside skeletons."""
    return db.all(_OF_OWNER[owner[0]], owner[1])


def attributes_of(db: Database, label_id: int) -> list[Row]:
    """The attributes of a label."""
    return db.all(_ATTRIBUTES, label_id)


def children_of(db: Database, label_id: int) -> list[Row]:
    """The labels of the points of a skeleton."""
    return db.all(_CHILDREN, label_id)


def create_labels(db: Database, owner: Owner, labels: Any) -> None:
    """Adds checked labels to a task or project.

    Raises:
        ApiError: 400
    """
    for label in check_labels(labels):
        _add(db, owner, label)
    _check_unique_names(db, owner)


def patch_labels(db: Database, owner: Owner, labels: Any) -> None:
    """Merges: without ``id`` a label is added, with ``id`` changed or deleted; others stay.

    Raises:
        ApiError: 400
    """
    for label in check_labels(labels):
        if "id" not in label:
            _add(db, owner, label)
            continue
        row = db.one("SELECT * FROM labels WHERE id = ?", label["id"])
        if row is None or row[owner[0]] != owner[1]:
            raise errors.rejected(f"Not found label with id #{label['id']} to change")
        if label.get("deleted"):
            db.run("DELETE FROM labels WHERE id = ?", row["id"])
        else:
            change_label(db, row, label)
    _check_unique_names(db, owner)


def change_label(db: Database, row: Row, change: dict[str, Any]) -> None:
    """Applies the keys of a change to one label.

    Raises:
        ApiError: 400
    """
    columns: dict[str, str] = {
        key: str(change[key]).strip() for key in ("name", "type", "svg") if key in change
    }
    if change.get("color"):
        columns["color"] = str(change["color"])
    elif "name" in columns and columns["name"] != row["name"]:
        columns["color"] = _color(columns["name"])
    db.update("labels", row["id"], **columns)
    for attribute in change.get("attributes") or []:
        _put_attribute(db, row["id"], attribute)
    for child in change.get("sublabels") or []:
        known = db.one("SELECT * FROM labels WHERE id = ?", child.get("id", 0))
        if known is not None and known["parent_id"] == row["id"]:
            change_label(db, known, child)


def touch_owner(db: Database, owner: Owner) -> None:
    """A change of labels moves ``updated_date`` of the task or project and of all jobs."""
    now = timestamp()
    if owner[0] == "project_id":
        db.run("UPDATE projects SET updated_date = ? WHERE id = ?", now, owner[1])
        condition = "project_id = ?"
    else:
        condition = "id = ?"
    db.run(f"UPDATE tasks SET updated_date = ? WHERE {condition}", now, owner[1])  # noqa: S608
    db.run(
        "UPDATE jobs SET updated_date = ? WHERE task_id IN "  # noqa: S608
        f"(SELECT id FROM tasks WHERE {condition})",
        now,
        owner[1],
    )


def render_label(db: Database, row: Row) -> dict[str, Any]:
    """A label as the API shows it."""
    is_child = row["parent_id"] is not None
    shown: dict[str, Any] = {
        "id": row["id"],
        "name": row["name"],
        "color": row["color"],
        "attributes": [_render_attribute(item) for item in attributes_of(db, row["id"])],
        "type": row["type"],
    }
    if is_child:
        return {**shown, "has_parent": True}
    shown["sublabels"] = [render_label(db, child) for child in children_of(db, row["id"])]
    owner = "task_id" if row["task_id"] is not None else "project_id"
    shown |= {owner: row[owner], "parent_id": None, "has_parent": False}
    if row["type"] == "skeleton":
        shown["svg"] = row["svg"]
    return shown


def _render_attribute(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "mutable": bool(row["mutable"]),
        "input_type": row["input_type"],
        "default_value": row["default_value"],
        "values": json.loads(row["values"]),
    }


def _add(db: Database, owner: Owner, label: dict[str, Any], parent: int | None = None) -> None:
    name = str(label["name"]).strip()
    label_id = db.insert(
        "labels",
        name=name,
        color=str(label.get("color") or _color(name)),
        type=label.get("type", "any"),
        parent_id=parent,
        **{owner[0]: owner[1]},
    )
    for attribute in label.get("attributes") or []:
        _put_attribute(db, label_id, {**attribute, "id": None})
    for child in label.get("sublabels") or []:
        _add(db, owner, child, label_id)
    db.update("labels", label_id, svg=_with_ids(db, label_id, str(label.get("svg") or "")))


def _with_ids(db: Database, label_id: int, svg: str) -> str:
    """The drawing of a skeleton names its points by name when sent, by id when shown."""
    for child in children_of(db, label_id):
        name = f'data-label-name="{child["name"]}"'
        svg = svg.replace(name, f'data-label-id="{child["id"]}"')
    return svg


def _put_attribute(db: Database, label_id: int, attribute: dict[str, Any]) -> None:
    values = [str(value) for value in attribute.get("values", [])] or [""]
    known = db.one(
        "SELECT * FROM attributes WHERE id = ? AND label_id = ?", attribute.get("id"), label_id
    )
    columns = {
        "name": str(attribute["name"]).strip(),
        "mutable": bool(attribute["mutable"]),
        "default_value": str(attribute.get("default_value", "")),
        "values": json.dumps(values),
    }
    if known is None:
        db.insert("attributes", label_id=label_id, input_type=attribute["input_type"], **columns)
        return
    if attribute["input_type"] != known["input_type"]:
        raise errors.rejected('Attribute field "input_type" cannot be changed')
    old = json.loads(known["values"])
    if known["input_type"] in {"radio", "select"} and values[: len(old)] != old:
        raise errors.rejected(
            'Attribute field "values" can only be appended for radio and select attributes'
        )
    db.update("attributes", known["id"], revision=known["revision"] + 1, **columns)


def _check_unique_names(db: Database, owner: Owner) -> None:
    names = [row["name"] for row in labels_of(db, owner)]
    if len(names) != len(set(names)):
        raise errors.rejected("All label names must be unique")


def _color(name: str) -> str:
    """A colour that depends on the name only (another one than the real server takes)."""
    return f"#{hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:6]}"
