"""An index that takes long to fill: the App sees how far it is, and can end it between batches."""

from __future__ import annotations

import json
import threading

import fiftyone.brain as fob
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService

from relabel.compute import steering
from tests.curation import batched_store

from .app import context, delegate, execute, form, module_of_plugin, operator, texts
from .test_cancelling import press_cancel, run_in_the_app

NAME, KEY = "compute_similarity", "image_similarity"
BATCHED = {"backend": batched_store.NAME}
NEW_ONLY = {"new_only": True}
STEP = "vectors in batched"


@pytest.fixture
def batches(dataset, monkeypatch):
    """The odd samples in a back end that takes vectors one by one; returns what it notes."""
    monkeypatch.setattr(module_of_plugin("relabel.curation.filling"), "AT_ONCE", 1)
    known = fob.brain_config.similarity_backends
    monkeypatch.setitem(known, batched_store.NAME, batched_store.KNOWN)
    index = batched_store.BatchedSimilarityIndex
    for name, value in {"taken": [], "at": 0, "act": lambda: None}.items():
        monkeypatch.setattr(index, name, value)
    here = {"view": dataset.match_tags("odd")}
    execute(NAME, dataset, {**BATCHED, "view_target": "CURRENT_VIEW"}, **here)
    dataset.reload()
    index.taken.clear()
    return index


def index_of(dataset):
    dataset.reload()
    dataset.clear_cache()
    held = dataset.load_brain_results(KEY)
    made = dataset.get_brain_info(KEY).timestamp
    return dataset.list_brain_runs(), made, list(held.sample_ids), held.embeddings.tolist()


@pytest.mark.parametrize(("params", "count"), [(BATCHED, 6), (NEW_ONLY, 3)])
def test_cancel__between_batches_leaves_the_index_as_it_was(dataset, batches, params, count):
    before = index_of(dataset)
    running = run_in_the_app(NAME, dataset, params)
    _, begins = next(running)
    batches.at, batches.act = 2, lambda: press_cancel(begins, dataset)
    *_, (_, result) = running
    assert "It was cancelled." in json.dumps(result["outputs"])
    assert batches.taken == [1, 1]
    assert index_of(dataset) == before
    assert execute(NAME, dataset, params).result["added"] == count


def test_cancel__in_the_last_batch_says_what_was_done(dataset, batches):
    running = run_in_the_app(NAME, dataset, NEW_ONLY)
    _, begins = next(running)
    batches.at, batches.act = 3, lambda: press_cancel(begins, dataset)
    *_, (asked, result) = running
    assert (asked, result["results"]["added"]) == ("show_output", 3)
    assert len(index_of(dataset)[2]) == 6


def test_cancel__delegated_between_batches_leaves_the_index_as_it_was(dataset, batches):
    before = index_of(dataset)
    service = DelegatedOperationService()

    def cancel():
        (run,) = service.list_operations(dataset_name=dataset.name, run_state="running")
        steering.cancel(ObjectId(run.id))

    batches.at, batches.act = 1, cancel
    assert delegate(NAME, dataset, BATCHED).run_state == "failed"
    assert index_of(dataset) == before


def test_run_at_once__says_how_many_are_added(dataset, batches):
    seen, shares = threading.Event(), []
    batches.at, batches.act = 3, lambda: seen.wait(60)
    for asked, params in run_in_the_app(NAME, dataset, BATCHED):
        if asked == "show_output" and "progress" in params["results"]:
            view = params["outputs"]["type"]["properties"]["progress"]["view"]
            if view["label"].startswith(f"2 of 6 {STEP}"):
                shares.append(params["results"]["progress"])
                seen.set()
    assert shares == [2 / 6]


@pytest.mark.parametrize(("params", "counts"), [(BATCHED, True), (NEW_ONLY, True), ({}, False)])
def test_form__how_long_it_takes_is_that_of_its_back_end(dataset, batches, params, counts):
    assert bool(operator(NAME).units(context(NAME, dataset, params), STEP, 6)) == counts
    assert operator(NAME).units(context(NAME, dataset, params), "images", 6) == 6
    assert "as measured on" in texts(form(NAME, dataset, params))
