"""The result of a delegated operation, shown as if it had been done at once."""

from __future__ import annotations

import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError

from relabel.curation.selecting.selection_runs import discard_selection

from .app import delegate, execute, requests_of

NAME = "show_result"


@pytest.fixture
def chosen(dataset):
    """A completed operation that has chosen two samples."""
    run = delegate("select_unique", dataset, {"count": 2, "run_on": "gpu"})
    yield str(run.id)
    DelegatedOperationService().delete_operation(run.id)


def show(dataset, operation):
    """What is asked of the App, and the output that it is to show."""
    asked = execute(NAME, dataset, {"operation": operation})
    return requests_of(asked), asked.executor._requests[-1].params


def test_show_result__opens_what_was_made_and_says_what_the_operator_says(dataset, chosen):
    asked, shown = show(dataset, chosen)
    assert asked == ["reload_dataset", "set_view", "show_output"]
    assert shown["outputs"]["view"]["label"] == "Selected"
    assert "Send 2 to CVAT" in str(shown["outputs"]["type"]["properties"]["send"])
    assert shown["results"]["selected"] == 2


def test_show_result__what_it_made_is_gone(dataset, chosen):
    discard_selection(dataset, "unique")
    assert show(dataset, chosen)[0] == ["notify", "reload_dataset", "show_output"]


@pytest.mark.parametrize("state", ["queued", "unknown", "of another dataset"])
def test_show_result__nothing_to_show(dataset, chosen, state):
    service, ours, operation = DelegatedOperationService(), dataset, chosen
    if state == "unknown":
        operation = str(ObjectId())
    elif state == "queued":
        queued = execute("select_unique", dataset, {"run_on": "gpu"}, request_delegation=True)
        operation = queued.result["id"]
    else:
        ours = dataset.clone()
    with pytest.raises(ExecutionError, match="NoOutcome"):
        execute(NAME, ours, {"operation": operation})
    if state == "queued":
        service.delete_operation(ObjectId(operation))
    elif ours is not dataset:
        ours.delete()
