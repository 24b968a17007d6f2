"""Annotations in the database, one row for each tag, shape and track of a job."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

from . import errors
from .annotation_input import Annotations, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .database import Database
    from .label_specs import LabelSpecs

KINDS = {"tag": "tags", "shape": "shapes", "track": "tracks"}
_TABLES = {"tag": "labeledimage", "shape": "labeledshape", "track": "labeledtrack"}


def load(db: Database, job_id: int, specs: LabelSpecs) -> Annotations:
    """All annotations of a job by frame, defaults filled in."""
    result = Annotations()
    for row in db.all(
        "SELECT kind, body FROM annotations WHERE job_id = ? ORDER BY frame, id", job_id
    ):
        item = specs.fill(row["kind"], json.loads(row["body"]))
        getattr(result, KINDS[row["kind"]]).append(item)
    return result


def create(db: Database, job_id: int, annotations: Annotations) -> Annotations:
    """Stores annotations; items without an id get a new one.

    Returns:
        the same annotations, with their ids

    Raises:
        ApiError: 400 when an id is in use
    """
    _number(db, annotations)
    rows = []
    for kind, items in _by_kind(annotations):
        render = _RENDER[kind]
        rows += [
            (kind, item["id"], job_id, item["frame"], item["label_id"], json.dumps(render(item)))
            for item in items
        ]
    try:
        db.run_many("INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?)", rows)
    except sqlite3.IntegrityError as error:
        raise _duplicate(db, rows) from error
    return annotations


def delete(db: Database, job_id: int, annotations: Annotations) -> int:
    """Deletes the items with the given ids from a job; how many were there."""
    count = 0
    for kind, items in _by_kind(annotations):
        for item in items:
            count += db.run(
                "DELETE FROM annotations WHERE kind = ? AND id = ? AND job_id = ?",
                kind,
                item["id"],
                job_id,
            )
    return count


def clear(db: Database, job_id: int) -> int:
    """Deletes all annotations of a job; how many there were."""
    return db.run("DELETE FROM annotations WHERE job_id = ?", job_id)


def _by_kind(annotations: Annotations) -> Iterable[tuple[str, list[Item]]]:
    return [(kind, getattr(annotations, name)) for kind, name in KINDS.items()]


def _number(db: Database, annotations: Annotations) -> None:
    _assign(db, "tag", annotations.tags)
    shapes: list[Item] = []
    for shape in annotations.shapes:
        shapes += (shape, *shape["elements"])
    _assign(db, "shape", shapes)
    tracks: list[Item] = []
    for track in annotations.tracks:
        tracks += (track, *track["elements"])
    _assign(db, "track", tracks)
    _assign(db, "tracked_shape", [shape for track in tracks for shape in track["shapes"]])


def _assign(db: Database, counter: str, items: list[Item]) -> None:
    new = [item for item in items if item.get("id") is None]
    if not new:
        return
    first = db.reserve(counter, len(new))
    for number, item in enumerate(new, first):
        item["id"] = number


def _duplicate(db: Database, rows: Sequence[tuple[object, ...]]) -> errors.ApiError:
    for kind, item_id, *_ in rows:
        found = db.one("SELECT 1 FROM annotations WHERE kind = ? AND id = ?", kind, item_id)
        if found:
            return errors.ApiError(
                400,
                "duplicate key value violates unique constraint "
                f'"engine_{_TABLES[str(kind)]}_pkey"\n'
                f"DETAIL:  Key (id)=({item_id}) already exists.\n",
            )
    return errors.crash()


def _tag_row(item: Item) -> Item:
    keys = ("id", "label_id", "frame", "group", "source", "attributes")
    return {key: item[key] for key in keys}


def _geometry_row(item: Item) -> Item:
    return {
        "occluded": item["occluded"],
        "outside": item["outside"],
        "z_order": item["z_order"],
        "rotation": float(item["rotation"]),
        "points": [float(value) for value in item.get("points", ())],
        "attributes": item["attributes"],
    }


def _element_row(item: Item) -> Item:
    return {
        "id": item["id"],
        "label_id": item["label_id"],
        "type": item["type"],
        "frame": item["frame"],
        "group": item["group"],
        "source": item["source"],
        "score": float(item["score"]),
        **_geometry_row(item),
    }


def _shape_row(item: Item) -> Item:
    return {**_element_row(item), "elements": [_element_row(one) for one in item["elements"]]}


def _track_element_row(item: Item) -> Item:
    return {
        "id": item["id"],
        "label_id": item["label_id"],
        "frame": item["frame"],
        "group": item["group"],
        "source": item["source"],
        "shapes": [
            {"id": shape["id"], "type": shape["type"], "frame": shape["frame"]}
            | _geometry_row(shape)
            for shape in item["shapes"]
        ],
        "attributes": item["attributes"],
    }


def _track_row(item: Item) -> Item:
    return {
        **_track_element_row(item),
        "elements": [_track_element_row(one) for one in item["elements"]],
    }


_RENDER = {"tag": _tag_row, "shape": _shape_row, "track": _track_row}
