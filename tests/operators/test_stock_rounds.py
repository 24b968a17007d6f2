"""Runs of stock FiftyOne in the forms: those that can be pulled, and why others cannot."""

from __future__ import annotations

import fiftyone.utils.labelstudio as fouls
import pytest

from relabel.annotation import list_rounds
from relabel.cvat import JobState
from tests.operators.app import execute, form, problems, texts

pytestmark = pytest.mark.cvat


@pytest.fixture
def elsewhere(dataset):
    """A run that was sent to another tool."""
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")


@pytest.fixture
def by_stock(dataset, server, cvat_url, cvat_admin):
    """A run of stock FiftyOne that no panel has seen yet; returns the ids of its tasks."""
    name, password = cvat_admin
    who = {"url": cvat_url, "username": name, "password": password}
    results = dataset.annotate("stock_1", backend="cvat", label_field="ground_truth", **who)
    yield results.task_ids
    for task_id in results.task_ids:
        server.delete_task(task_id)


@pytest.mark.parametrize("name", ["pull_annotations", "review_changes", "send_to_review"])
def test_form__offers_a_run_of_stock_and_says_why_another_is_none(
    dataset, server, by_stock, elsewhere, name
):
    fields = form(name, dataset)
    assert problems(fields) == []
    assert fields["key"]["type"]["values"] == ["stock_1"]
    assert "sent to labelstudio, and not to CVAT. Load it with" in texts(fields)
    assert list_rounds(dataset) == [], "a form reads no results and makes no rounds"


def test_form__without_a_round_says_why_a_run_is_none(dataset, server, elsewhere):
    fields = form("pull_annotations", dataset)
    assert len(problems(fields)) == 1
    assert "sent to labelstudio" in texts(fields)


def test_pull_annotations__of_a_run_that_nobody_has_looked_at(dataset, server, by_stock):
    for job in server.jobs(by_stock):
        server.set_job(job.id, state=JobState.COMPLETED)
    result = execute("pull_annotations", dataset, {"key": "stock_1"}).result
    assert (result["jobs"], result["changes"]) == (1, "none")
