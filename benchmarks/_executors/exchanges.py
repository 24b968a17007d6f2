"""Sending to a CVAT and pulling from it, among the operations that are disturbed."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from demo.cvat_server import running_server

from .jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relabel.cvat import CvatClient

_NEEDED = ("FIFTYONE_CVAT_URL", "FIFTYONE_CVAT_USERNAME", "FIFTYONE_CVAT_PASSWORD")
_SETTINGS = (*_NEEDED, "FIFTYONE_CVAT_TOKEN", "FIFTYONE_CVAT_ORGANIZATION")
FIELD, EVALUATION = "truth", "before"
# One task whose images travel in two requests and one of a single request, of several jobs each.
_IN_TASK, _IN_JOB = 250, 50
_VARIES = ("_id", "created_at", "last_modified_at", "_dataset_id", "cvat_job", "cvat_at", "issue")


@contextlib.contextmanager
def cvat(folder: Path) -> Iterator[CvatClient]:
    """A stand-in for a CVAT, to which everything in this environment sends meanwhile."""
    from relabel.cvat import CvatClient, CvatConfig

    with running_server(folder, options=("--anonymous-rate", "0")) as server:
        config = CvatConfig(server.url, "lead", server.users["lead"])
        settings = zip(_NEEDED, (config.url, config.username, config.password), strict=True)
        before = {name: os.environ.pop(name) for name in _SETTINGS if name in os.environ}
        os.environ.update({name: str(value) for name, value in settings})
        try:
            with CvatClient(config) as client:
                yield client
        finally:
            for name in _SETTINGS:
                os.environ.pop(name, None)
            os.environ.update(before)


@dataclass(frozen=True)
class Exchanges:
    """The two operations; each works on a copy of a dataset, of which a pull changes labels.

    Args:
        client: a CVAT that nobody else uses
        dataset: nobody else uses it
    """

    client: CvatClient
    dataset: Any

    def jobs(self) -> tuple[Job, ...]:
        """Both."""
        return (
            Job(
                "send_to_cvat",
                lambda name: {
                    "what": "dataset",
                    "key": name,
                    "label_field": FIELD,
                    "images_per_task": _IN_TASK,
                    "images_per_job": _IN_JOB,
                    "assignees": ["ann.a", "ann.b"],
                },
                self._sent,
                uses_cluster=False,
                asks_where=False,
                prepare=self._copy,
                left=self._left_of_send,
                tidy=self._remove,
                is_done=_is_out,
            ),
            Job(
                "pull_annotations",
                lambda name: {"key": name, "provenance": True, "issues": True},
                self._pulled,
                uses_cluster=False,
                asks_where=False,
                prepare=self._copy_and_annotate,
                left=self._left_of_pull,
                tidy=self._remove,
            ),
        )

    def _copy(self, _: Any, name: str) -> Any:
        copy = self.dataset.clone(f"for_{name}")
        copy.persistent = True  # the App's server cleans up others when it starts
        return copy

    def _copy_and_annotate(self, _: Any, name: str) -> Any:
        """A copy whose labels are out in a round, and were edited there."""
        from relabel.annotation import Request, RoundField, field_facts, make_plan, push
        from relabel.evaluation.detections import evaluate_detections
        from relabel.labels import LabelSchema

        copy = self._copy(None, name)
        evaluate_detections(copy, "found", FIELD, eval_key=EVALUATION)
        copy.tag_samples("requires_annotation")
        facts = field_facts(copy, FIELD)
        field = RoundField(FIELD, LabelSchema(facts.classes, facts.attributes))
        request = Request(name, (field,), images_per_task=_IN_TASK, images_per_job=_IN_JOB)
        record = push(copy, make_plan(copy, request), self.client)
        for task in record.tasks:
            self._annotate(task)
        return copy

    def _annotate(self, task: Any) -> None:
        """Moves the boxes of every second image, deletes, draws and comments on some."""
        from relabel.cvat import JobState

        shapes = self.client.task_annotations(task.id).shapes
        moved = [
            shape.to_json() | {"id": shape.id, "points": [1.0, 2.0, 33.0 + shape.frame % 9, 40.0]}
            for shape in shapes
            if shape.frame % 2
        ]
        deleted = [shape.to_json() | {"id": shape.id} for shape in shapes if shape.frame % 10 == 0]
        drawn = [
            replace(shape, id=None, frame=shape.frame, points=(3.0, 4.0, 20.0, 30.0)).to_json()
            for shape in shapes
            if shape.frame % 7 == 0
        ]
        for action, some in (("update", moved), ("delete", deleted), ("create", drawn)):
            body = {"version": 0, "tags": [], "tracks": [], "shapes": some}
            path = f"/api/tasks/{task.id}/annotations"
            self.client._transport.send_json("PATCH", path, body, {"action": action})  # noqa: SLF001
        for job in self.client.jobs([task.id]):
            self.client.add_issue(job.id, job.start_frame, (1.0, 1.0, 9.0, 9.0), "too wide")
            self.client.set_job(job.id, state=JobState.COMPLETED)

    def _sent(self, dataset: Any, name: str, _: Any) -> Any:
        """All that the send made on both sides, and what else of ours is on the server."""
        from relabel.annotation import load_round

        record = load_round(dataset, name)
        frames = list(_of_round("relabel_frames", record.id))
        numbers = {task.id: number for number, task in enumerate(record.tasks)}
        drawn = {shape for task in record.tasks for shape in self._shape_ids(task.id)}
        return {
            "state": str(record.state),
            "labels": record.labels,
            "tasks": [self._task(task, name) for task in record.tasks],
            "strays": sorted(set(self._own_tasks()) - set(numbers)),
            "unknown shapes": drawn ^ {one["shape_id"] for f in frames for one in f["labels"]},
            "frames": sorted(
                (
                    numbers[one["task_id"]],
                    one["frame"],
                    one["sample_id"],
                    [str(label["id"]) for label in one["labels"]],
                )
                for one in frames
            ),
            "runs": len(dataset.list_annotation_runs()),
            "samples": _documents(dataset),
        }

    def _task(self, task: Any, name: str) -> Any:
        classes = {spec.id: spec.name for spec in task.labels}
        shapes = self.client.task_annotations(task.id).shapes
        jobs = self.client.jobs([task.id])
        return {
            "name": task.name.replace(name, ""),
            "frames": self.client.frame_names(task.id),
            "jobs": [(j.start_frame, j.stop_frame, j.assignee, str(j.state)) for j in jobs],
            "shapes": sorted((s.frame, classes[s.label_id], tuple(s.points)) for s in shapes),
        }

    def _shape_ids(self, task_id: int) -> list[Any]:
        return [shape.id for shape in self.client.task_annotations(task_id).shapes]

    def _own_tasks(self) -> dict[int, str]:
        owned = json.dumps({"==": [{"var": "owner"}, self.client.user.username]})
        found = self.client._transport.pages("/api/tasks", filter=owned)  # noqa: SLF001
        return {task["id"]: task["name"] for task in found}

    def _pulled(self, dataset: Any, name: str, _: Any) -> Any:
        """The labels, what follows a pull, and whether it can be undone."""
        from relabel.annotation import load_round, undo_pull
        from relabel.evaluation.ledger.entries import load_entries

        record = load_round(dataset, name)
        scores = dataset.load_evaluation_results(EVALUATION).metrics()
        pulled = {
            "samples": _documents(dataset, name),
            "pulls": [(one.number, one.writing) for one in record.pulls],
            "open jobs": [j for task in record.tasks for j in task.jobs if j not in record.pulled],
            "scores": {key: round(value, 6) for key, value in scores.items()},
            "ledger": [
                (one.cause, one.pull, one.before.map, one.after.map)
                for one in load_entries(dataset)
            ],
        }
        undo_pull(dataset, name)
        dataset.reload()
        return {**pulled, "undone": _labels(dataset)}

    def _left_of_send(self, dataset: Any, _: str) -> bool:
        dataset.reload()
        of_dataset = {"dataset_id": dataset._doc.id}  # noqa: SLF001 - the id has no public name
        return bool(
            self._own_tasks()
            or _collection("relabel_rounds").count_documents(of_dataset)
            or dataset.list_annotation_runs()
            or dataset.count_sample_tags()
        )

    def _left_of_pull(self, dataset: Any, name: str) -> bool:
        from relabel.annotation import load_round

        dataset.reload()
        record = load_round(dataset, name)
        undo = list(_of_round("relabel_undo", record.id))
        marked = dataset.count(f"{FIELD}.detections.cvat_round") if undo else 0
        return bool(record.pulls or record.pulled or undo or marked or _has_issues(dataset))

    def _remove(self, dataset: Any, name: str) -> None:  # noqa: ARG002
        for task_id in self._own_tasks():
            self.client.delete_task(task_id)
        dataset.delete()


def _is_out(dataset: Any, name: str) -> bool:
    from relabel.annotation import RoundState, list_rounds

    return any(one.key == name and one.state is RoundState.OUT for one in list_rounds(dataset))


def _has_issues(dataset: Any) -> bool:
    return bool(dataset.has_field("cvat_issues") and dataset.count("cvat_issues.detections"))


def _of_round(name: str, round_id: Any) -> Any:
    return _collection(name).find({"round_id": round_id})


def _collection(name: str) -> Any:
    import fiftyone.core.odm as foo

    return foo.get_db_conn()[name]


def _labels(dataset: Any) -> Any:
    return [
        [(str(one.id), one.label, one.bounding_box) for one in found.detections]
        for found in dataset.values(FIELD)
    ]


def _documents(dataset: Any, key: str = "\0") -> Any:
    """All samples, without ids that differ in every run, the times, and the name of the round."""
    found = dataset._sample_collection.find().sort("_id", 1)  # noqa: SLF001
    return [str(_without(one)).replace(key, "the round") for one in found]


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: one for key, one in value.items() if key not in _VARIES}
        return {key: _without(one) for key, one in kept.items() if not key.endswith("_id")}
    return [_without(one) for one in value] if isinstance(value, list) else value
