"""The panel's methods as the React half calls them. None may ever raise."""

import json

import fiftyone.operators as foo
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from fiftyone.operators.store import ExecutionStore

from relabel.compute import operations
from relabel.compute.executors import STORE, Announcement
from relabel.compute.operations import claim_oldest

PANEL = "@relabel/cvat/operations"


@pytest.fixture(autouse=True)
def _no_executors(database):
    ExecutionStore.create(STORE).clear()


@pytest.fixture
def run(dataset):
    """A queued operation."""
    ctx = {"dataset": dataset, "params": {}, "request_delegation": True}
    queued = foo.execute_operator("@relabel/cvat/compute_uniqueness", ctx, delegation_target="gpu")
    service, run = DelegatedOperationService(), ObjectId(queued.result["id"])
    yield run
    service.delete_operation(run)


def call(dataset, method, **params):
    request = {"panel_id": "p", "__method__": method, "panel_state": {}, **params}
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": request},
        executor=Executor(),
        operator_uri=PANEL,
    )
    answer = foo.get_operator(PANEL).execute(ctx)
    asked = [sent.operator_uri.rsplit("/", 1)[-1] for sent in ctx.executor._requests]
    return json.loads(json.dumps(answer)), asked


def test_render__hands_over_every_method(dataset):
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": {}}, operator_uri=PANEL
    )
    view = foo.get_operator(PANEL).render(ctx).to_json()["view"]
    assert view["component"] == "RelabelOperations"
    for method in ("refresh", "cancel", "repeat"):
        assert view[method] == f"{PANEL}#{method}"


def test_refresh__nothing_there(dataset):
    answer, _ = call(dataset, "refresh")
    assert (answer["operations"], answer["executors"]) == ([], [])
    assert set(answer["elsewhere"]) == {"queued", "running"}


def test_refresh__operations_and_who_runs_them(dataset, run):
    [waits] = call(dataset, "refresh")[0]["operations"]
    assert (waits["stage"], waits["target"], waits["has_executor"]) == ("queued", "gpu", False)
    assert waits["label"] == "Compute uniqueness"
    with Announcement("gpu") as announcement:
        claim = claim_oldest(["gpu"], announcement.id)
        announcement.busy_with(claim.operator)
        operations.keep(claim, "loading")
        answer, _ = call(dataset, "refresh", opened=[str(run)])
    [runs], [executor] = answer["operations"], answer["executors"]
    assert (runs["stage"], runs["has_executor"], runs["log_tail"]) == ("running", True, "loading")
    assert runs["executor"] == executor["id"]
    assert executor["alive"]
    assert executor["operation"] == "@relabel/cvat/compute_uniqueness"
    assert executor["memory_gib"] > 0
    assert "fiftyone" in executor["versions"]


@pytest.fixture
def queue():
    """Queues an operation on a dataset for a target."""
    runs = []

    def queue_one(dataset, target):
        ctx = {"dataset": dataset, "params": {}, "request_delegation": True}
        queued = foo.execute_operator(
            "@relabel/cvat/compute_uniqueness", ctx, delegation_target=target
        )
        runs.append(ObjectId(queued.result["id"]))

    yield queue_one
    for one in runs:
        DelegatedOperationService().delete_operation(one)


def test_refresh__how_many_are_claimed_before(dataset, queue):
    """Of those that an executor could take instead, also of other datasets."""
    other = dataset.clone()
    queue(dataset, "gpu")
    for target in ("gpu", "cpu", None):
        queue(other, target)
    queue(dataset, "gpu")

    def between():
        first, last = (one["before"] for one in call(dataset, "refresh")[0]["operations"])
        return last - first

    assert between() == 0, "nobody takes them"
    with Announcement("gpu"):
        assert between() == 2
        with Announcement("gpu", "more", also_untargeted=True):
            assert between() == 3
        [cancelled, _] = call(dataset, "refresh")[0]["operations"]
        call(dataset, "cancel", operation=cancelled["id"])
        _, cancelled = call(dataset, "refresh")[0]["operations"]
        assert (cancelled["stage"], cancelled["before"]) == ("cancelled", 0)
    other.delete()


def test_cancel_and_repeat(dataset, run):
    assert call(dataset, "cancel", operation=str(run))[0] == {"cancelled": str(run)}
    [cancelled] = call(dataset, "refresh")[0]["operations"]
    assert cancelled["stage"] == "cancelled"
    again = call(dataset, "repeat", operation=str(run))[0]["queued"]
    shown = call(dataset, "refresh")[0]["operations"]
    assert [one["stage"] for one in shown] == ["queued", "cancelled"]
    assert shown[1]["again"] == again
    DelegatedOperationService().delete_operation(ObjectId(again))


@pytest.mark.parametrize("method", ["cancel", "repeat"])
def test_refusals_are_answered(dataset, run, method):
    operations.complete(claim_oldest(["gpu"], "a"), _nothing())
    error = call(dataset, method, operation=str(run))[0]["error"]
    assert error["message"]
    assert error["advice"]
    assert call(dataset, method, operation="nonsense")[0]["error"]["message"]


def _nothing():
    from fiftyone.operators.executor import ExecutionResult

    return ExecutionResult(result={})
