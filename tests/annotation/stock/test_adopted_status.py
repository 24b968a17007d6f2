"""Rounds that stock FiftyOne made are shown and planned around; other runs with the reason."""

from __future__ import annotations

import fiftyone.core.odm as foo
import fiftyone.utils.labelstudio as fouls
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    UnknownRound,
    field_facts,
    make_plan,
    other_runs,
    pull,
    review_pull,
    rounds_status,
)
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat


def test_rounds_status__runs_of_other_backends_are_shown_with_the_reason(
    dataset, client, stock, odd
):
    stock.annotate(label_field="ground_truth")
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")
    other, ours = rounds_status(dataset, client)
    assert (other.key, other.state, other.label_fields) == ("elsewhere", "left", ("ground_truth",))
    assert (other.tasks, other.images, other.server) == ((), 0, "http://x")
    assert "sent to labelstudio, and not to CVAT" in other.problem.message
    assert other.problem.advice == "Load it with dataset.load_annotations('elsewhere')."
    assert (ours.key, ours.problem) == ("stock_1", None)
    for call in (pull, review_pull):
        with pytest.raises(UnknownRound, match=r"load_annotations\('elsewhere'\)"):
            call(dataset, "elsewhere", client)


def test_rounds_status__a_stock_run_that_was_not_sent_to_its_end(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    runs = foo.get_db_conn()["runs"]
    query = {"key": "stock_1", "_dataset_id": dataset._doc.id}
    results = runs.find_one(query)["results"]
    runs.update_one(query, {"$set": {"results": None}})
    (status,) = rounds_status(dataset, client)
    assert "not sent to its end" in status.problem.message
    with pytest.raises(UnknownRound, match=r"delete_annotation_run\('stock_1'\)"):
        pull(dataset, "stock_1", client)
    runs.update_one(query, {"$set": {"results": results}})
    (status,) = rounds_status(dataset, client)
    assert (status.problem, status.images) == (None, 6)


def test_other_runs__names_them_without_reading_results(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")
    may, (left,) = other_runs(dataset)
    assert (may, left.key) == (["stock_1"], "elsewhere")
    rounds_status(dataset, client)
    may, (left,) = other_runs(dataset)
    assert (may, left.key) == ([], "elsewhere")


def test_rounds_status__a_stock_run_that_was_cleaned_up(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    stock.load(cleanup=True)
    (status,) = rounds_status(dataset, client)
    assert [task.missing for task in status.tasks] == [True]
    before = stored(dataset)
    report = pull(dataset, "stock_1", client)
    assert (report.jobs, report.counts) == (0, {})
    assert any("was deleted, or is not ours" in problem for problem in report.problems)
    assert stored(dataset) == before


def test_rounds_status__nothing_of_a_stock_run_is_written(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    database = foo.get_db_conn()
    before = [list(database[name].find()) for name in ("runs", "datasets", "fs.files")]
    samples = stored(dataset)
    rounds_status(dataset, client)
    assert stored(dataset) == samples
    assert [list(database[name].find()) for name in ("runs", "datasets", "fs.files")] == before


def test_make_plan__images_in_a_stock_round_are_out(dataset, client, stock, odd):
    stock.annotate(samples=dataset.limit(4), label_field="ground_truth")
    schema = field_facts(dataset, "ground_truth").to_schema()
    plan = make_plan(dataset, Request("next", (RoundField("ground_truth", schema),)))
    assert (plan.images, plan.out_elsewhere) == (2, {"stock_1": 4})
