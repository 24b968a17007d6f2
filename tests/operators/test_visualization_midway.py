"""A layout that takes long: the App sees how far it is, and can end it in the middle."""

from __future__ import annotations

import json
import sys
import threading

import fiftyone.core.odm as foo
import numpy as np
import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService

from relabel.compute import steering

from .app import context, delegate, execute, form, operator, texts
from .test_cancelling import press_cancel, run_in_the_app

NAME = "compute_visualization"
OF_VECTORS = {"embeddings": "field", "vector_field": "vectors"}
UMAP = {**OF_VECTORS, "method": "umap"}
TSNE = {**OF_VECTORS, "method": "tsne"}
NEW_ONLY = {"new_only": True}
COMPARED, ITERATIONS = "images compared", "iterations of t-SNE"
EPOCHS, EPOCHS_OF_ADDING = "epochs of UMAP", "epochs of UMAP, adding"


@pytest.fixture
def shown(dataset):
    """A dataset whose odd samples are in a plot."""
    dataset.set_values("vectors", list(np.random.default_rng(0).normal(size=(6, 4))))
    params = {**UMAP, "view_target": "CURRENT_VIEW"}
    execute(NAME, dataset, params, view=dataset.match_tags("odd"))
    dataset.reload()
    return dataset


@pytest.fixture
def midway(monkeypatch):
    """Lets something happen in the middle of a layout; returns what is told from then on."""

    def arrange(step, done, act):
        module = sys.modules[type(operator(NAME)).__module__]
        reporter_of, told = module.steps_reporter, []

        def reporter(*args, **kwargs):
            tell = reporter_of(*args, **kwargs)

            def told_and_acted(*what):
                told.append(what)
                if what[:2] == (step, done):
                    act()
                tell(*what)

            return told_and_acted

        monkeypatch.setattr(module, "steps_reporter", reporter)
        return told

    return arrange


def plot_of(dataset):
    dataset.reload()
    dataset.clear_cache()
    results = dataset.load_brain_results("image_plot")
    return {
        "runs": dataset.list_brain_runs(),
        "made": dataset.get_brain_info("image_plot").timestamp,
        "points": results.points.tolist(),
        "sample_ids": list(results.sample_ids),
        "kept": sorted(file["_id"] for file in foo.get_db_conn()["fs.files"].find({}, {"_id": 1})),
    }


@pytest.mark.parametrize(
    ("params", "step", "done"),
    [
        (UMAP, EPOCHS, 3),
        (NEW_ONLY, EPOCHS_OF_ADDING, 3),
        (TSNE, COMPARED, 6),
        (TSNE, ITERATIONS, 260),
    ],
)
def test_cancel__amid_the_layout_leaves_the_old_plot(shown, midway, params, step, done):
    before = plot_of(shown)
    running = run_in_the_app(NAME, shown, params)
    _, begins = next(running)
    told = midway(step, done, lambda: press_cancel(begins, shown))
    *_, (_, result) = running
    assert "It was cancelled." in json.dumps(result["outputs"])
    assert [what[:2] for what in told][-1] == (step, done)
    assert plot_of(shown) == before
    assert execute(NAME, shown, params).result["added"] == (3 if params is NEW_ONLY else 6)


@pytest.mark.parametrize(("params", "step", "done"), [(UMAP, EPOCHS, 1), (TSNE, ITERATIONS, 1)])
def test_cancel__delegated_amid_the_layout_leaves_the_old_plot(shown, midway, params, step, done):
    before = plot_of(shown)
    service = DelegatedOperationService()

    def cancel():
        (run,) = service.list_operations(dataset_name=shown.name, run_state="running")
        steering.cancel(ObjectId(run.id))

    told = midway(step, done, cancel)
    assert delegate(NAME, shown, params).run_state == "failed"
    assert [what[:2] for what in told][-1] == (step, done)
    assert plot_of(shown) == before


def test_run_at_once__says_which_epoch_it_is_at(shown, midway):
    seen, labels = threading.Event(), []
    midway(EPOCHS, 4, lambda: seen.wait(60))
    for asked, params in run_in_the_app(NAME, shown, UMAP):
        if asked == "show_output" and "progress" in params["results"]:
            fields = params["outputs"]["type"]["properties"]
            labels.append(fields["progress"]["view"]["label"])
            if labels[-1].startswith("3 of 500 epochs of UMAP"):
                assert params["results"]["progress"] == 3 / 500
                seen.set()
    assert seen.is_set()


@pytest.mark.parametrize(
    ("params", "taken"),
    [
        ({}, {EPOCHS}),
        ({"method": "tsne"}, {COMPARED, ITERATIONS}),
        ({"method": "pca"}, set()),
        (NEW_ONLY, {EPOCHS_OF_ADDING}),
    ],
)
def test_form__how_long_a_layout_takes_is_that_of_its_method(shown, params, taken):
    ctx, steps = context(NAME, shown, params), (EPOCHS, EPOCHS_OF_ADDING, COMPARED, ITERATIONS)
    assert {step for step in steps if operator(NAME).units(ctx, step, 6)} == taken
    assert operator(NAME).units(ctx, "images", 6) == 6
    assert "as measured on" in texts(form(NAME, shown, {**OF_VECTORS, **params}))
