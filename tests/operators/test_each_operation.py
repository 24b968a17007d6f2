"""What each operator does on an executor: is seen, is cancelled, is run again, from the panel.

Real executors, a real database. To look at an operation in mid-work its process is stopped there
for a moment, as a system that has too much to do would.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
import psutil
import pytest
import requests
from bson import ObjectId
from fiftyone.operators.executor import ExecutionError

from benchmarks._executors import world as executing
from relabel.annotation import list_rounds
from relabel.compute.executors import alive
from relabel.compute.operations import collection
from relabel.cvat import JobState
from tests.operators.app import SERVER, execute, uri
from tests.panels.test_operations import call

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "each"
MOST_SECONDS = 2.0  # that cancelling may take
DESCRIPTOR = {"embeddings": "descriptor", "batch_size": 2}
FIELDS = {"predictions": "found", "ground_truth": "truth"}


@dataclass(frozen=True)
class Case:
    """An operator at work.

    Args:
        operator: its name
        params: what it is asked with
        samples: on how many
        prepare: does what has to be done before
        writes: whether it changes the dataset
    """

    operator: str
    params: dict[str, Any] = field(default_factory=dict)
    samples: int = 200
    prepare: Callable[..., None] = lambda *_: None
    writes: bool = True

    def __str__(self) -> str:
        by = self.params.get("by")
        return f"{self.operator}-{by}" if by else self.operator


def _send(dataset, server, monkeypatch):
    """A round is out, and annotators have moved every first box."""
    execute("send_to_cvat", dataset, {"what": "dataset", "key": "r", "label_field": "truth"})
    (record,) = list_rounds(dataset)
    for task in record.tasks:
        shapes = [
            shape.to_json() | {"id": shape.id, "points": [0.0, 0.0, 32.0, 24.0]}
            for shape in server.task_annotations(task.id).shapes
        ]
        body = {"version": 0, "tags": [], "tracks": [], "shapes": shapes}
        path = f"/api/tasks/{task.id}/annotations"
        server._transport.send_json("PATCH", path, body, {"action": "update"})
        for job in task.jobs:
            server.set_job(job, state=JobState.COMPLETED)


def _interrupt(dataset, server, monkeypatch):
    """The labels of a round never arrived."""
    send = requests.adapters.HTTPAdapter.send

    def failing(adapter, request, **options):
        if request.method == "PUT":
            raise requests.exceptions.ConnectionError("reset")
        return send(adapter, request, **options)

    with monkeypatch.context() as context:
        context.setattr(requests.adapters.HTTPAdapter, "send", failing)
        params = {"what": "dataset", "key": "r", "label_field": "truth"}
        with pytest.raises(ExecutionError, match="same name"):
            execute("send_to_cvat", dataset, params)


def _suspect(dataset, server, monkeypatch):
    """A round is out, and there is a queue of suspicions."""
    params = {"what": "dataset", "key": "r", "label_field": "truth"}
    execute("send_to_cvat", dataset, params)
    execute("find_label_errors", dataset, {**FIELDS, "least": 0.0})


def _have_more(dataset, server, monkeypatch):
    for _ in range(3):
        dataset.add_collection(dataset.limit(600), new_ids=True)


def _have_many_of_one_file(dataset, server, monkeypatch):
    """Only files of one size are read."""
    _have_more(dataset, server, monkeypatch)
    dataset.set_values("filepath", [dataset.first().filepath] * len(dataset))


def _evaluate(dataset, server, monkeypatch):
    execute("evaluate_detections", dataset, {**FIELDS, "eval_key": "e"})


def _select(dataset, server, monkeypatch):
    execute("select_unique", dataset, {**DESCRIPTOR, "count": 9, "name": "mine"})


MIDWAY = [
    Case("compute_similarity", DESCRIPTOR),
    Case("compute_uniqueness", DESCRIPTOR),
    Case("compute_visualization", {**DESCRIPTOR, "method": "pca"}),
    Case("select_unique", {**DESCRIPTOR, "count": 9, "name": "mine"}),
    Case(
        "select_for_active_learning",
        {**DESCRIPTOR, "count": 9, "name": "mine", "predictions": "found"},
    ),
    Case("find_duplicates", {"by": "files", "name": "mine"}, 600, prepare=_have_many_of_one_file),
    Case("find_duplicates", {**DESCRIPTOR, "by": "vectors", "distance": 1.0, "name": "mine"}),
    Case("apply_model", executing.model_params(label_field="p", batch_size=2), samples=24),
    Case("evaluate_detections", {**FIELDS, "eval_key": "eval"}, 600, prepare=_have_more),
    Case("find_label_errors", {**FIELDS, "least": 0.0}),
    Case("send_to_cvat", {"what": "dataset", "key": "r", "label_field": "truth"}, writes=False),
    Case(
        "resume_round",
        {"key": "r"},
        prepare=_interrupt,
        writes=False,
    ),
    Case("pull_annotations", {"key": "r"}, samples=600, prepare=_send),
    Case("show_suspects", {"key": "r"}, samples=60, prepare=_suspect, writes=False),
]


@pytest.fixture(scope="module")
def pool(database, tmp_path_factory):
    """A dataset from which each test takes what it needs."""
    dataset = executing.make_dataset(tmp_path_factory.mktemp("pool"), 600)
    view = dataset.limit(600)
    for sample in view.iter_samples(autosave=True):  # some are wrong, some twice
        sample.found.detections[0].label = "cat"
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def executor(database, cvat_url, cvat_admin, tmp_path_factory):
    """One that takes what is queued here."""
    log = tmp_path_factory.mktemp("executor") / "log"
    running = executing.Executors(TARGET, log)
    process = running.start(**dict(zip(SERVER, (cvat_url, *cvat_admin), strict=True)))
    executing.wait_for(_idle, "The start of the executor")
    yield process
    running.end()


def _idle() -> bool:
    return any(one.takes(TARGET) and one.operation is None for one in alive())


def _worker(executor) -> int:
    def found():
        children = psutil.Process(executor.pid).children()
        return [one.pid for one in children if "relabel.compute.worker" in one.cmdline()]

    return executing.wait_for(found, "The worker")[0]


def _queue(dataset, case) -> ObjectId:
    queued = foo.execute_operator(
        uri(case.operator),
        dataset=dataset,
        params=dict(case.params),
        request_delegation=True,
        delegation_target=TARGET,
    )
    return ObjectId(queued.result["id"])


def _document(run) -> dict[str, Any]:
    return collection().find_one({"_id": run})


def _stopped(worker, run, says: Callable[[float, str], bool]) -> dict[str, Any]:
    """Stops a process as soon as its operation says something; returns the operation."""

    def said():
        document = _document(run)
        assert document["run_state"] in ("queued", "running"), document["result"]
        status = document["status"] or {}
        return says(status.get("progress") or 0.0, status.get("label") or "")

    deadline = time.monotonic() + executing.PATIENCE_SECONDS
    while not said():
        assert time.monotonic() < deadline, "it said nothing of the kind"
    os.kill(worker, signal.SIGSTOP)
    return _document(run)


def _shown(dataset, run) -> dict[str, Any]:
    """An operation as the panel shows it, opened."""
    operations = call(dataset, "refresh", opened=[str(run)])[0]["operations"]
    return next(one for one in operations if one["id"] == str(run))


def _state(dataset) -> Any:
    """Everything that an operator could leave on a dataset."""
    dataset.reload()
    documents = [sample.to_mongo_dict(include_id=True) for sample in dataset]
    for document in documents:
        document.pop("_last_modified_at", None)
        document.pop("last_modified_at", None)
    return [
        sorted(dataset.get_field_schema(flat=True)),
        dataset.list_brain_runs(),
        dataset.list_evaluations(),
        dataset.list_runs(),
        dataset.list_saved_views(),
        documents,
    ]


@pytest.mark.parametrize("case", MIDWAY, ids=str)
def test_operation__is_seen_cancelled_and_run_again(case, pool, executor, server, monkeypatch):
    dataset = pool.limit(case.samples).clone()
    try:
        case.prepare(dataset, server, monkeypatch)
        before = _state(dataset)
        executing.wait_for(_idle, "Idleness")
        worker = _worker(executor)
        run = _queue(dataset, case)
        _stopped(worker, run, lambda share, label: 0 < share < 1 or label.startswith("0 of"))
        _says_how_long(run, worker)
        _is_seen_midway(dataset, case, run)
        _is_cancelled(dataset, run, worker)
        assert _state(dataset) == before
        _runs_again(dataset, case, run, before)
    finally:
        _end_all(executor, dataset)
        for record in list_rounds(dataset):
            for task in record.tasks:
                if server.task_exists(task.id):
                    server.delete_task(task.id)
        dataset.delete()


def _end_all(executor, dataset) -> None:
    """Whatever a test that failed has left."""
    unended = {"$in": ["queued", "running"]}
    for one in collection().find({"dataset_id": dataset._doc.id, "run_state": unended}):
        call(dataset, "cancel", operation=str(one["_id"]))
    os.kill(_worker(executor), signal.SIGCONT)
    executing.wait_for(_idle, "Idleness")


SHORT = [
    Case("tag_for_annotation", {"tag": "t", "view_target": "DATASET"}),
    Case("find_false_positives", {"eval_key": "e", "tag_samples": True}, prepare=_evaluate),
    Case("discard_selection", {"name": "mine"}, prepare=_select),
]


@pytest.mark.parametrize("case", SHORT, ids=str)
def test_short_operation__is_cancelled_before_it_writes(case, pool, executor, server, monkeypatch):
    dataset = pool.limit(case.samples).clone()
    try:
        case.prepare(dataset, server, monkeypatch)
        before = _state(dataset)
        executing.wait_for(_idle, "Idleness")
        worker = _worker(executor)
        os.kill(worker, signal.SIGSTOP)
        run = _queue(dataset, case)
        executing.wait_for(lambda: _document(run)["run_state"] == "running", "Its start")
        _is_cancelled(dataset, run, worker)
        assert _state(dataset) == before
        _runs_again(dataset, case, run, before)
    finally:
        _end_all(executor, dataset)
        dataset.delete()


def _is_seen_midway(dataset, case, run) -> None:
    def logged():
        found = _shown(dataset, run)
        return found["doing"].split(",")[0] in found["log_tail"] and found

    shown = executing.wait_for(logged, "What it does, in its log")
    assert (shown["stage"], shown["has_executor"]) == ("running", True)
    assert 0 < shown["progress"] < 1
    assert shown["doing"]
    assert f"{uri(case.operator)} begins" in shown["log_tail"]


def _says_how_long(run, worker) -> None:
    time.sleep(1.1)  # a pace of less than a second says nothing
    os.kill(worker, signal.SIGCONT)
    stopped = _stopped(worker, run, lambda share, label: share > 0 and label.endswith(" left"))
    assert stopped["run_state"] == "running"
    assert not stopped["relabel"].get("writing")


def _is_cancelled(dataset, run, worker) -> None:
    began = time.monotonic()
    answer, _ = call(dataset, "cancel", operation=str(run))
    assert answer == {"cancelled": str(run)}
    os.kill(worker, signal.SIGCONT)
    executing.wait_for(_idle, "The end of the cancelled operation")
    assert time.monotonic() - began < MOST_SECONDS
    assert _shown(dataset, run)["stage"] == "cancelled"


def _runs_again(dataset, case, run, before) -> None:
    again = ObjectId(call(dataset, "repeat", operation=str(run))[0]["queued"])
    ended = executing.end_of(again)
    assert ended["run_state"] == "completed", ended["result"]["error"]
    assert _state(dataset) != before or not case.writes
    shown = executing.wait_for(
        lambda: "at its end" in (found := _shown(dataset, again))["log_tail"] and found, "The log"
    )
    assert shown["stage"] == "completed"
    assert shown["doing"]
