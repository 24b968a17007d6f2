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

_OF_SHAPES = ("shapes", "tags")
_OF_VIEWS = "_"  # what an id map has beside fields, such as "_clips", begins so


@dataclass(frozen=True)
class RunDocument:
    """A run as the database holds it; its results are not read yet.

    Args:
        key: its name
        document: its document
    """

    key: str
    document: Mapping[str, Any]

    @property
    def config(self) -> Mapping[str, Any]:
        """How it was configured."""
        config: Mapping[str, Any] = self.document.get("config") or {}
        return config

    @property
    def schema(self) -> Mapping[str, Mapping[str, Any]]:
        """Field -> what stock's label schema says of it; nothing where stock had none."""
        schema: Mapping[str, Mapping[str, Any]] = self.config.get("label_schema") or {}
        return schema

    @property
    def url(self) -> str:
        """The address of its server."""
        return str(self.config.get("url") or "").rstrip("/")

    @property
    def sent_at(self) -> datetime:
        """When it was begun, UTC."""
        begun: datetime = self.document["timestamp"]
        return begun.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Shown:
    """What stock showed on a frame of a task.

    Args:
        sample_id: the sample
        frame_id: the frame of a video, or None for an image
    """

    sample_id: str
    frame_id: str | None = None

    @property
    def holder_id(self) -> str:
        """The id of the document that holds the labels."""
        return self.frame_id or self.sample_id


@dataclass(frozen=True)
class StockTask:
    """A task of a run.

    Args:
        id: its id in CVAT
        number: how many tasks of the run were sent before it
        files: what it was made of, by number: images, or the frames of a video, of which CVAT
            need not show each
        jobs: the ids of its jobs, in the order of their frames
    """

    id: int
    number: int
    files: Mapping[int, Shown]
    jobs: tuple[int, ...]


@dataclass(frozen=True)
class StockRun:
    """A run of stock FiftyOne on a CVAT server.

    Args:
        run: its document
        saved_at: when its results were written, UTC: once all was sent, and after each load
        label_ids: field -> sample or frame -> the ids of the labels that were sent, or loaded
            since
        shape_ids: label id -> the server's id of its first shape, as far as stock noted it: of
            the last task only
        tasks: its tasks
    """

    run: RunDocument
    saved_at: datetime
    label_ids: Mapping[str, Mapping[str, tuple[str, ...]]]
    shape_ids: Mapping[str, int]
    tasks: tuple[StockTask, ...]

    @property
    def id(self) -> ObjectId:
        """The id of the run's document."""
        return self.run.document["_id"]

    @property
    def key(self) -> str:
        """Its name."""
        return self.run.key

    @property
    def samples(self) -> set[str]:
        """The samples that its tasks begin with; of videos, all of them."""
        firsts = (next(iter(task.files.values()), None) for task in self.tasks)
        return {shown.sample_id for shown in firsts if shown}

    @property
    def is_of_videos(self) -> bool:
        """Whether it is of frames of videos."""
        return any(shown.frame_id for task in self.tasks for shown in task.files.values())

    @property
    def was_loaded_elsewhere(self) -> bool:
        """Whether its labels were loaded into other fields than those that were sent."""
        return any(name not in self.run.schema for name in self.label_ids)

    def labels_by_sample(self, field: str) -> dict[str, list[str]]:
        """Sample -> the ids of labels of a field that were sent of it, or of its frames."""
        sent = self.label_ids.get(field, {})
        found: dict[str, list[str]] = {}
        for task in self.tasks:
            for shown in task.files.values():
                if ids := sent.get(shown.holder_id):
                    found.setdefault(shown.sample_id, []).extend(ids)
        return found


def unknown_runs(dataset: fo.Dataset, known: set[ObjectId]) -> Iterator[RunDocument]:
    """The annotation runs of a dataset on any back end, but some, oldest first.

    Args:
        dataset: the dataset
        known: the ids of runs that are left out
    """
    keys = {run_id: key for run_id, key in run_keys(dataset).items() if run_id not in known}
    if not keys:
        return
    runs = foo.get_db_conn()["runs"]
    for document in runs.find({"_id": {"$in": list(keys)}}).sort("timestamp", 1):
        yield RunDocument(keys[document["_id"]], document)


def read_run(run: RunDocument) -> StockRun:
    """Reads the results of a run that has some."""
    file = GridFS(foo.get_db_conn()).get(run.document["results"])
    results = json_util.loads(file.read().decode())
    shape_ids: dict[str, int] = {}
    for kind in _OF_SHAPES:
        for shape_id, label_id in results.get("server_id_map", {}).get(kind, {}).items():
            shape_ids.setdefault(label_id, int(shape_id))
    return StockRun(
        run=run,
        saved_at=file.upload_date.replace(tzinfo=UTC),
        label_ids={
            field: dict(_by_holder(by_sample))
            for field, by_sample in results["id_map"].items()
            if not field.startswith(_OF_VIEWS)
        },
        shape_ids=shape_ids,
        tasks=tuple(_read_task(task_id, results) for task_id in results["task_ids"]),
    )


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
    return list(run_config(run_id)["label_schema"])


def run_config(run_id: ObjectId) -> Mapping[str, Any]:
    """How a run was configured."""
    document = foo.get_db_conn()["runs"].find_one({"_id": run_id}, {"config": 1})
    config: Mapping[str, Any] = document["config"]
    return config


def write_results(run_id: ObjectId, results: Mapping[str, Any]) -> None:
    """Replaces the results of a run. They are never missing meanwhile."""
    database = foo.get_db_conn()
    files = GridFS(database)
    new = files.put(json_util.dumps(results).encode(), content_type="application/json")
    before = database["runs"].find_one_and_update({"_id": run_id}, {"$set": {"results": new}})
    old = (before or {}).get("results")
    files.delete(old if before else new)


def _by_holder(by_sample: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for sample_id, value in by_sample.items():
        if isinstance(value, dict):
            yield from ((frame_id, _ids(of_frame)) for frame_id, of_frame in value.items())
        else:
            yield sample_id, _ids(value)


def _read_task(task_id: int, results: Mapping[str, Any]) -> StockTask:
    files = results["frame_id_map"].get(str(task_id), {})
    # Stock forgets tasks that are gone at a load, but not here.
    order = next(iter(results["labels_task_map"].values()), ())
    return StockTask(
        id=task_id,
        number=order.index(task_id) if task_id in order else 0,
        files={
            int(number): Shown(files[number]["sample_id"], files[number].get("frame_id"))
            for number in sorted(files, key=int)
        },
        jobs=tuple(sorted(results["job_ids"].get(str(task_id), ()))),
    )


def _ids(value: Any) -> tuple[str, ...]:
    """The ids of one sample, an empty one for a value that has none; stock keeps one by itself."""
    if value is True:
        return ("",)
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else ()
