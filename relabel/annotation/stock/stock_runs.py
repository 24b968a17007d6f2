"""The annotation runs of a dataset as stock FiftyOne keeps them, read without touching them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import json_util
from gridfs import GridFS

from ..record.rounds import run_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import fiftyone as fo
    from bson import ObjectId

_CVAT = "fiftyone.utils.cvat.CVATBackendConfig"
_OF_SHAPES = ("shapes", "tags")
_UNSUPPORTED_VIEWS = ("stages.ToFrames", "stages.ToClips")


@dataclass(frozen=True)
class StockTask:
    """A task of a run.

    Args:
        id: its id in CVAT
        samples: the samples of its frames, in their order
        jobs: the ids of its jobs, in the order of their frames
    """

    id: int
    samples: tuple[str, ...]
    jobs: tuple[int, ...]


@dataclass(frozen=True)
class StockRun:
    """A run of stock FiftyOne on a CVAT server.

    Args:
        id: the id of the run's document
        key: its name
        config: how it was configured
        sent_at: when it was begun, UTC
        saved_at: when its results were written, UTC: once all was sent, and after each load
        label_ids: field -> sample -> the ids of the labels that were sent, or loaded since
        shape_ids: label id -> the server's id of its first shape, as far as stock noted it: of
            the last task only
        tasks: its tasks
    """

    id: ObjectId
    key: str
    config: Mapping[str, Any]
    sent_at: datetime
    saved_at: datetime
    label_ids: Mapping[str, Mapping[str, tuple[str, ...]]]
    shape_ids: Mapping[str, int]
    tasks: tuple[StockTask, ...]

    @property
    def fields(self) -> Mapping[str, Mapping[str, Any]]:
        """Field -> what stock's label schema says of it."""
        schema: Mapping[str, Mapping[str, Any]] = self.config["label_schema"]
        return schema

    @property
    def url(self) -> str:
        """The address of its server."""
        return str(self.config["url"]).rstrip("/")

    @property
    def was_loaded_elsewhere(self) -> bool:
        """Whether its labels were loaded into other fields than those that were sent."""
        return any(name not in self.fields for name in self.label_ids)


def new_runs(dataset: fo.Dataset, known: set[ObjectId]) -> Iterator[StockRun]:
    """The runs of a dataset on CVAT servers, of images, that were sent to their end.

    Args:
        dataset: the dataset
        known: the ids of runs that are left out
    """
    database = foo.get_db_conn()
    keys = {run_id: key for run_id, key in run_keys(dataset).items() if run_id not in known}
    if not keys:
        return
    for document in database["runs"].find({"_id": {"$in": list(keys)}}):
        if _is_of_images(document):
            file = GridFS(database).get(document["results"])
            results = json_util.loads(file.read().decode())
            run = _read(document, keys[document["_id"]], results, file.upload_date)
            if run.tasks:  # none is left of a run that was cleaned up
                yield run


def read_results(run_id: ObjectId) -> dict[str, Any] | None:
    """The results of a run as stock FiftyOne stores them, or None if it has none."""
    database = foo.get_db_conn()
    document = database["runs"].find_one({"_id": run_id}, {"results": 1})
    if not document or not document.get("results"):
        return None
    results: dict[str, Any] = json_util.loads(
        GridFS(database).get(document["results"]).read().decode()
    )
    return results


def sent_fields(run_id: ObjectId) -> list[str]:
    """The fields of a run as they were called when they were sent."""
    document = foo.get_db_conn()["runs"].find_one({"_id": run_id}, {"config.label_schema": 1})
    return list(document["config"]["label_schema"])


def write_results(run_id: ObjectId, results: Mapping[str, Any]) -> None:
    """Replaces the results of a run. They are never missing meanwhile."""
    database = foo.get_db_conn()
    files = GridFS(database)
    new = files.put(json_util.dumps(results).encode(), content_type="application/json")
    before = database["runs"].find_one_and_update({"_id": run_id}, {"$set": {"results": new}})
    old = (before or {}).get("results")
    files.delete(old if before else new)


def _is_of_images(document: Mapping[str, Any]) -> bool:
    """Whether a run is one that can be a round; what cannot is told before results are read."""
    config = document["config"]
    schema = config.get("label_schema") or {}
    views = " ".join(document.get("view_stages") or ())
    return bool(
        config.get("cls") == _CVAT
        and config.get("url")
        and document.get("results")
        and schema
        and all(info.get("type") for info in schema.values())
        and not any(name.startswith("frames.") for name in schema)
        and not any(stage in views for stage in _UNSUPPORTED_VIEWS)
    )


def _read(
    document: Mapping[str, Any], key: str, results: Mapping[str, Any], saved_at: datetime
) -> StockRun:
    shape_ids: dict[str, int] = {}
    for kind in _OF_SHAPES:
        for shape_id, label_id in results.get("server_id_map", {}).get(kind, {}).items():
            shape_ids.setdefault(label_id, int(shape_id))
    return StockRun(
        id=document["_id"],
        key=key,
        config=document["config"],
        sent_at=document["timestamp"].replace(tzinfo=UTC),
        saved_at=saved_at.replace(tzinfo=UTC),
        label_ids={
            field: {sample_id: _ids(value) for sample_id, value in by_sample.items()}
            for field, by_sample in results["id_map"].items()
        },
        shape_ids=shape_ids,
        tasks=tuple(_read_task(task_id, results) for task_id in results["task_ids"]),
    )


def _read_task(task_id: int, results: Mapping[str, Any]) -> StockTask:
    frames = results["frame_id_map"].get(str(task_id), {})
    samples = (frames[number]["sample_id"] for number in sorted(frames, key=int))
    jobs = sorted(results["job_ids"].get(str(task_id), ()))
    return StockTask(task_id, tuple(samples), tuple(jobs))


def _ids(value: Any) -> tuple[str, ...]:
    """The ids of one sample, an empty one for a value that has none; stock keeps one by itself."""
    if value is True:
        return ("",)
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else ()
