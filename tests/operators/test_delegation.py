from __future__ import annotations

import re

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.store import ExecutionStore

from relabel.compute import rates, worker
from relabel.compute.executors import STORE, Announcement
from relabel.compute.operations import claim_oldest
from relabel.compute.rates import GPU, Machine, measured, record

from .app import button, context, execute, form, module_of_plugin, operator, texts

NAME = "compute_uniqueness"
HEAVY = (
    "apply_model",
    "compute_similarity",
    "compute_uniqueness",
    "compute_visualization",
    "evaluate_detections",
    "find_duplicates",
    "find_label_errors",
    "select_for_active_learning",
    "select_unique",
)
BIG = Machine("big", "1 GPU: H200", GPU)
DESCRIPTOR = "the built-in descriptor"


def machine_here() -> Machine:
    return module_of_plugin("operators.running.forecasts").machine_here()


@pytest.fixture(autouse=True)
def _no_executors(database):
    ExecutionStore.create(STORE).clear()
    ExecutionStore.create(rates.STORE).clear()


@pytest.fixture
def two_executors():
    """One with a GPU for target ``gpu``, one without for ``cpu``."""
    with Announcement("cpu") as announcement:
        entry = {**announcement._entry(), "targets": ["gpu"], "host": "big", "gpus": ["H200"]}
        announcement._store.set("gpu@big:1", entry)
        yield


def _options(dataset, params=None):
    ctx = context(NAME, dataset, params)
    return operator(NAME).resolve_execution_options(ctx)


def test_form__no_executor(dataset):
    fields = form(NAME, dataset)
    assert "No executor is alive" in texts(fields)
    assert "make executor TARGET=gpu" in texts(fields)
    assert "Runs here, at once" in texts(fields)
    assert fields["run_on"]["type"]["values"] == ["later", "here"]
    assert fields["run_on"]["default"] == "here"
    assert button(NAME, dataset) == "Run here"


def test_form__no_executor_and_queued(dataset):
    params = {"run_on": "later"}
    assert "It is queued until an executor" in texts(form(NAME, dataset, params))
    assert button(NAME, dataset, params) == "Queue"
    queued = execute(NAME, dataset, params)
    service = DelegatedOperationService()
    run = service.get(ObjectId(queued.result["id"]))
    assert run.delegation_target is None
    service.delete_operation(run.id)


def test_form__says_how_long_as_measured(dataset, two_executors):
    """By the machine of the target, and by the model."""
    assert "not measured there yet" in texts(form(NAME, dataset))
    record(f"@relabel/cvat/{NAME}", BIG, DESCRIPTOR, "images", 60.0)
    assert "About 6 minutes, as measured on big (1 GPU: H200)." in texts(form(NAME, dataset))
    for place in ("cpu", "here"):
        assert "not measured there yet" in texts(form(NAME, dataset, {"run_on": place}))
    assert "(1 GPU: H200), if what runs it is as fast" in texts(
        form(NAME, dataset, {"run_on": "later"})
    )
    other = {"embeddings": "application", "application": "ConvNeXtTiny"}
    assert "with the built-in descriptor, not with this model yet" in texts(
        form(NAME, dataset, other)
    )


def test_form__says_how_long_on_each_machine_of_a_target(dataset, two_executors):
    twin = {**ExecutionStore.create(STORE).get("gpu@big:1"), "host": "slow", "gpus": ["T4"]}
    ExecutionStore.create(STORE).set("gpu@slow:1", twin)
    record(f"@relabel/cvat/{NAME}", BIG, DESCRIPTOR, "images", 60.0)
    record(f"@relabel/cvat/{NAME}", Machine("slow", "1 GPU: T4", GPU), DESCRIPTOR, "images", 600.0)
    said = texts(form(NAME, dataset))
    assert said.index("About 6 minutes, as measured on big") < said.index("About 60 minutes, as ")


def test_run__is_measured_where_it_runs_and_with_what(dataset):
    assert "not measured there yet" in texts(form(NAME, dataset))
    execute(NAME, dataset, {"batch_size": 2})
    assert f"as measured on {machine_here()}." in texts(form(NAME, dataset))
    [rate] = measured(f"@relabel/cvat/{NAME}")
    assert rate.model == DESCRIPTOR
    assert rate.steps["images"] > 0


def test_run__of_an_executor_is_measured_on_its_machine(dataset, two_executors):
    params = {"batch_size": 2}
    queued = execute(NAME, dataset, params, request_delegation=True, delegation_target="gpu")
    worker.run(claim_oldest(["gpu"], "gpu@big:1"))
    DelegatedOperationService().delete_operation(ObjectId(queued.result["id"]))
    assert [rate.machine for rate in measured(f"@relabel/cvat/{NAME}")] == [BIG]


def test_units__a_selection_of_more_takes_longer(dataset):
    """Each that is chosen is compared with all."""
    execute("select_unique", dataset, {"count": 3, "batch_size": 2})
    machine = machine_here()
    record("@relabel/cvat/select_unique", machine, DESCRIPTOR, "images", 0.0)
    record("@relabel/cvat/select_unique", machine, DESCRIPTOR, "samples chosen", 10.0)
    assert "About 2 minutes" in texts(form("select_unique", dataset, {"count": 2}))
    assert "About 5 minutes" in texts(form("select_unique", dataset, {"count": 5}))


def test_form__says_which_executor_runs_it(dataset, two_executors):
    fields = form(NAME, dataset)
    assert fields["run_on"]["type"]["values"] == ["gpu", "cpu", "here"]
    assert fields["run_on"]["default"] == "gpu"
    assert re.search(r"Runs on executor gpu \(big, 1 GPU\), heard of \d+ s ago\.", texts(fields))
    assert button(NAME, dataset) == "Schedule on gpu"


@pytest.mark.parametrize("name", HEAVY)
def test_form__each_says_where_and_how_long_and_offers_other_targets(dataset, two_executors, name):
    fields = form(name, dataset)
    assert fields["run_on"]["type"]["values"] == ["gpu", "cpu", "here"]
    assert re.search(r"gpu \(big, 1 GPU\), heard of \d+ s ago. How long it takes", texts(fields))
    assert "Runs on executor cpu" in texts(form(name, dataset, {"run_on": "cpu"}))
    assert button(name, dataset, {"run_on": "cpu"}) == "Schedule on cpu"


@pytest.mark.parametrize("name", HEAVY)
def test_form__each_offers_to_run_at_once_or_to_be_queued(dataset, name):
    fields = form(name, dataset)
    assert fields["run_on"]["type"]["values"] == ["later", "here"]
    assert "No executor is alive (make executor TARGET=gpu starts one)." in texts(fields)
    assert [button(name, dataset, {"run_on": one}) for one in ("later", "here")] == [
        "Queue",
        "Run here",
    ]


def test_heavy__is_every_operator_that_asks_where_to_run():
    ours = [
        one for one in foo.list_operators(builtin=False) if one.uri.startswith("@relabel/cvat/")
    ]
    asks = {one.name for one in ours if hasattr(one, "ask_where_to_run")}
    assert asks == set(HEAVY)


def test_form__says_that_it_may_wait(dataset):
    with Announcement("gpu") as announcement:
        announcement.busy_with("@relabel/cvat/apply_model")
        assert "1 of 1 busy: it may wait" in texts(form(NAME, dataset))


def test_form__here_though_executors_are_alive(dataset, two_executors):
    said = texts(form(NAME, dataset, {"run_on": "here"}))
    assert "Runs here, at once" in said
    assert "only an executor cuts that short" in said
    assert button(NAME, dataset, {"run_on": "here"}) == "Run here"


def test_resolve_execution_options__delegated_when_an_executor_is_alive(dataset, two_executors):
    options = _options(dataset)
    assert options.default_choice_to_delegated
    assert options.allow_immediate_execution
    assert not _options(dataset, {"run_on": "here"}).default_choice_to_delegated


def test_resolve_execution_options__immediate_when_none_is(dataset):
    options = _options(dataset)
    assert not options.default_choice_to_delegated
    assert options.allow_delegated_execution


@pytest.mark.parametrize("can_schedule", [True, False])
def test_resolve_execution_options__one_usable_button(
    dataset, two_executors, monkeypatch, can_schedule
):
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", can_schedule)
    options = _options(dataset, {"run_on": "cpu"})
    assert options.allow_immediate_execution is not can_schedule
    assert options.allow_delegated_execution


@pytest.mark.parametrize(
    ("params", "request_params", "target"),
    [
        ({"run_on": "cpu"}, {}, "cpu"),
        ({"run_on": "cpu"}, {"request_delegation": True}, "cpu"),
        ({}, {"request_delegation": True}, "gpu"),
        ({}, {"request_delegation": True, "delegation_target": "tpu"}, "tpu"),
    ],
)
def test_resolve_delegation__target(dataset, two_executors, params, request_params, target):
    queued = execute(NAME, dataset, params, **request_params)
    assert queued.delegated
    service = DelegatedOperationService()
    run = service.get(ObjectId(queued.result["id"]))
    assert run.delegation_target == target
    service.delete_operation(run.id)


def test_resolve_delegation__chosen_executor_died_meanwhile(dataset, two_executors):
    assert "No executor for tpu is alive" in texts(form(NAME, dataset, {"run_on": "tpu"}))
    queued = execute(NAME, dataset, {"run_on": "tpu"})
    assert queued.delegated
    DelegatedOperationService().delete_operation(ObjectId(queued.result["id"]))


@pytest.mark.parametrize("params", [{}, {"run_on": "here"}])
def test_resolve_delegation__a_notebook_gets_its_result_at_once(dataset, two_executors, params):
    done = execute(NAME, dataset, params)
    assert not done.delegated
    assert done.result["samples"] == 6


def test_resolve_delegation__none_alive_has_no_target(dataset):
    queued = execute(NAME, dataset, request_delegation=True)
    service = DelegatedOperationService()
    run = service.get(ObjectId(queued.result["id"]))
    assert run.delegation_target is None
    service.delete_operation(run.id)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("select_unique", {"embeddings": "descriptor", "count": 2}),
        ("send_to_cvat", {"what": "dataset", "key": "r"}),
    ],
)
def test_queued__is_called_what_the_operator_is(dataset, server, name, params):
    queued = execute(name, dataset, params, request_delegation=True).result
    DelegatedOperationService().delete_operation(ObjectId(queued["id"]))
    assert queued["label"] == operator(name).config.label
