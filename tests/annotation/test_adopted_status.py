"""Rounds that stock FiftyOne made are shown and planned around, and other runs are not."""

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
    pull,
    rounds_status,
)
from tests.annotation.stock_rounds import stored

pytestmark = pytest.mark.cvat


def test_rounds_status__runs_of_other_backends_are_no_rounds(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")
    assert [status.key for status in rounds_status(dataset, client)] == ["stock_1"]
    with pytest.raises(UnknownRound, match=r"load_annotations\('elsewhere'\)"):
        pull(dataset, "elsewhere", client)


def test_rounds_status__stock_runs_of_frames_are_no_rounds(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    database = foo.get_db_conn()
    run = database["runs"].find_one({"key": "stock_1", "_dataset_id": dataset._doc.id})
    schema = {"frames.labels": run["config"]["label_schema"]["ground_truth"]}
    database["runs"].update_one({"_id": run["_id"]}, {"$set": {"config.label_schema": schema}})
    assert rounds_status(dataset, client) == []
    with pytest.raises(UnknownRound, match=r"load_annotations\('stock_1'\)"):
        pull(dataset, "stock_1", client)


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
