"""Arrays that belong to a brain run, for which FiftyOne's own results have no place.

Each is a file of GridFS in FiftyOne's database, tied to the run's document: it survives that the
run is renamed, and is removed when the next array is kept after the run is gone. Arrays only,
never pickled objects: whoever can write to the database could otherwise run code here.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import fiftyone.core.odm as foo
import numpy as np
from gridfs import GridFS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import fiftyone as fo
    from bson import ObjectId
    from numpy.typing import NDArray

_PREFIX = "relabel/brain/"


def keep(dataset: fo.Dataset, brain_key: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Keeps arrays beside a run, in place of those of their names."""
    run_id = _run_id(dataset, brain_key)
    for name, array in arrays.items():
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        content.seek(0)
        before = [file._id for file in _files().find(_named(run_id, name))]  # noqa: SLF001
        _files().put(content, filename=f"{_PREFIX}{name}", metadata={"run": run_id, "kind": name})
        _delete(before)
    _forget_the_lost()


def kept(dataset: fo.Dataset, brain_key: str, name: str) -> NDArray[np.generic] | None:
    """An array beside a run; None if there is none of that name."""
    file = next(iter(_files().find(_named(_run_id(dataset, brain_key), name)).limit(1)), None)
    if file is None:
        return None
    array: NDArray[np.generic] = np.load(io.BytesIO(file.read()), allow_pickle=False)
    return array


def is_kept(dataset: fo.Dataset, brain_key: str, name: str) -> bool:
    """Whether there is an array of that name beside a run; it is not read."""
    found: bool = _files().exists(_named(_run_id(dataset, brain_key), name))
    return found


def _forget_the_lost() -> None:
    """Deletes what belongs to runs that are no more."""
    database = foo.get_db_conn()
    ours = {"filename": {"$regex": f"^{_PREFIX}"}}
    runs = database["fs.files"].distinct("metadata.run", ours)
    there = {run["_id"] for run in database["runs"].find({"_id": {"$in": runs}}, {"_id": 1})}
    lost = [run for run in runs if run not in there]
    if lost:
        found = database["fs.files"].find({**ours, "metadata.run": {"$in": lost}}, {"_id": 1})
        _delete([file["_id"] for file in found])


def _run_id(dataset: fo.Dataset, brain_key: str) -> ObjectId:
    run_id: ObjectId = dataset._root_dataset._doc.brain_methods[brain_key].id  # noqa: SLF001
    return run_id


def _named(run_id: ObjectId, name: str) -> dict[str, object]:
    return {"metadata.run": run_id, "metadata.kind": name}


def _files() -> GridFS:
    return GridFS(foo.get_db_conn())


def _delete(ids: list[ObjectId]) -> None:
    for file_id in ids:
        _files().delete(file_id)
