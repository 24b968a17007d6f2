from __future__ import annotations

import fiftyone as fo
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.store import ExecutionStore

from relabel.compute import rates
from relabel.compute.executors import STORE, Announcement
from relabel.compute.rates import record

from .app import button, context, execute, form, operator, texts

NAME = "compute_uniqueness"


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
    assert "not measured there yet" in texts(form(NAME, dataset))
    record(f"@relabel/cvat/{NAME}", "gpu", "images", 1, 60.0)
    assert "About 6 minutes, as measured on" in texts(form(NAME, dataset))
    assert "not measured there yet" in texts(form(NAME, dataset, {"run_on": "cpu"}))


def test_form__says_which_executor_runs_it(dataset, two_executors):
    fields = form(NAME, dataset)
    assert fields["run_on"]["type"]["values"] == ["gpu", "cpu", "here"]
    assert fields["run_on"]["default"] == "gpu"
    assert "Runs on executor gpu (big, 1 GPU)." in texts(fields)
    assert button(NAME, dataset) == "Schedule on gpu"


def test_form__says_that_it_may_wait(dataset):
    with Announcement("gpu") as announcement:
        announcement.busy_with("@relabel/cvat/apply_model")
        assert "1 of 1 busy: it may wait" in texts(form(NAME, dataset))


def test_form__here_though_executors_are_alive(dataset, two_executors):
    assert "Runs here, at once" in texts(form(NAME, dataset, {"run_on": "here"}))
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
