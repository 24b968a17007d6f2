from __future__ import annotations

import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError
from fiftyone.server.app import app
from starlette.testclient import TestClient

from .app import SERVER, delegate, execute, form, module_of_plugin, problems, requests_of, texts

NAME = "compute_visualization"


def test_compute_visualization__shows_the_panel(dataset):
    done = execute(NAME, dataset, {"method": "pca"})
    assert (done.result["brain_key"], done.result["added"]) == ("image_plot", 6)
    assert requests_of(done)[-1] == "open_panel"
    dataset.reload()
    assert dataset.load_brain_results("image_plot").points.shape == (6, 2)


def test_compute_visualization__new_samples_only(dataset):
    dataset.set_values("vectors", list(np.random.default_rng(0).normal(size=(6, 4))))
    params = {"view_target": "CURRENT_VIEW", "embeddings": "field", "vector_field": "vectors"}
    execute(NAME, dataset, params, view=dataset.match_tags("odd"))
    fields = form(NAME, dataset, {"new_only": True})
    assert problems(fields) == []
    assert "What is shown stays where it is" in texts(fields)
    assert execute(NAME, dataset, {"new_only": True}).result["added"] == 3
    assert execute(NAME, dataset, {"new_only": True}).result["added"] == 0


def test_compute_visualization__more_new_patches_than_a_view_can_name(dataset, monkeypatch):
    params = {"patches_field": "ground_truth", "method": "pca"}
    of_some = {**params, "view_target": "CURRENT_VIEW"}
    execute(NAME, dataset, of_some, view=dataset[:3])
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 4)
    assert execute(NAME, dataset, {**params, "new_only": True}).result["added"] == 6
    dataset.clear_cache()
    shown = dataset.load_brain_results("image_plot").label_ids
    assert sorted(shown) == sorted(dataset.values("ground_truth.detections.id", unwind=True))


def test_compute_visualization__of_patches_that_are_indexed(dataset):
    """No model is needed again, neither for the plot nor for what is added to it."""
    patches = {"patches_field": "ground_truth", "brain_key": "patches"}
    of_some = {**patches, "view_target": "CURRENT_VIEW"}
    execute("compute_similarity", dataset, of_some, view=dataset[:4])
    dataset.reload()
    assert "ground_truth" in str(form(NAME, dataset)["patches_field"])
    params = {"patches_field": "ground_truth", "method": "pca"}
    fields = form(NAME, dataset, params)
    assert (problems(fields), fields["embeddings"]["default"]) == ([], "index")
    done = execute(NAME, dataset, params)
    assert (done.result["compared_by"], done.result["added"]) == ("patches", 8)
    assert done.result["without_vector"] == 2
    execute("compute_similarity", dataset, {**patches, "new_only": True})
    assert execute(NAME, dataset, {**params, "new_only": True}).result["added"] == 4
    dataset.clear_cache()
    shown = dataset.load_brain_results("image_plot").label_ids
    assert sorted(shown) == sorted(dataset.values("ground_truth.detections.id", unwind=True))


def test_compute_visualization__delegated(dataset):
    run = delegate(NAME, dataset, {"method": "tsne"})
    assert run.run_state == "completed", run.result.error
    dataset.reload()
    fields = form(NAME, dataset, {"new_only": True})
    assert any("Nothing can be added to a plot by tsne" in text for text in problems(fields))


def test_lasso__is_what_send_to_cvat_sends(dataset, monkeypatch, cvat_url, cvat_admin):
    """The App asks its server for the stage of a lasso, and hands it to every operator."""
    for name, value in zip(SERVER, (cvat_url, *cvat_admin), strict=True):
        monkeypatch.setenv(name, value)
    execute(NAME, dataset, {"method": "pca"})
    inside = dataset.values("id")[1:3]
    with TestClient(app) as client:
        shown = client.post(
            "/embeddings/plot",
            json={
                "datasetName": dataset.name,
                "brainKey": "image_plot",
                "view": [],
                "filters": {},
                "labelField": "tags",
                "slices": None,
            },
        ).json()
        stage = client.post(
            "/embeddings/extended-stage",
            json={
                "datasetName": dataset.name,
                "view": [],
                "patchesField": None,
                "selection": inside,
                "slices": None,
            },
        ).json()
    assert (shown["style"], shown["available_count"]) == ("categorical", 6)
    assert set(shown["traces"]) == {"even", "odd"}
    fields = form("send_to_cvat", dataset, extended={stage["_cls"]: stage["kwargs"]})
    assert fields["what"]["default"] == "view"
    labels = [choice["label"] for choice in fields["what"]["view"]["choices"]]
    assert "current view: 2" in labels
    assert "This sends 2 images" in texts(fields)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"brain_key": "a b"}, "cannot name a brain run"),
        ({"embeddings": "field"}, "not a field of vectors"),
        ({"embeddings": "index"}, "no similarity index"),
        ({"patches_field": "ground_truth", "embeddings": "index"}, "no similarity index"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(dataset, params, problem):
    assert any(problem in text for text in problems(form(NAME, dataset, params)))
    with pytest.raises(ExecutionError):
        execute(NAME, dataset, params)
    assert dataset.list_brain_runs() == []


def test_bad_input__one_image(dataset):
    one = {"view": dataset[:1], "view_target": "CURRENT_VIEW"}
    params = {"view_target": "CURRENT_VIEW"}
    fields = form(NAME, dataset, params, view=dataset[:1]._serialize())
    assert any("1 samples make no plot" in text for text in problems(fields))
    with pytest.raises(ExecutionError, match="make no plot"):
        execute(NAME, dataset, params, view=one["view"])
