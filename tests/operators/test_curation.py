from __future__ import annotations

import asyncio
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import context, delegate, execute, form, operator, problems, requests_of, texts


def test_compute_uniqueness__one_image_alone(dataset):
    params = {"view_target": "CURRENT_VIEW"}
    fields = form("compute_uniqueness", dataset, params, view=dataset[:1]._serialize())
    assert any("One sample alone" in text for text in problems(fields))


def test_compute_similarity__built_in_descriptor(dataset):
    done = execute("compute_similarity", dataset)
    assert done.result == {
        "brain_key": "image_similarity",
        "added": 6,
        "compared_by": "descriptor",
        "samples": 6,
        "without_vector": 0,
        "unreadable": [],
        "unusable": [],
    }
    dataset.reload()
    first = dataset.first().id
    view = dataset.sort_by_similarity(first, k=1, brain_key="image_similarity")
    assert view.values("id") == [first]


def test_compute_uniqueness__vectors_in_a_field(dataset):
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    vectors[5] = vectors[0]
    dataset.set_values("vectors", list(vectors))
    params = {"embeddings": "field", "vector_field": "vectors"}
    done = execute("compute_uniqueness", dataset, params)
    assert (done.result["field"], done.result["compared_by"]) == ("uniqueness", "vectors")
    dataset.reload()
    scores = dataset.values("uniqueness")
    assert scores[0] == scores[5] == min(scores)


def test_select_unique__tags_and_shows(dataset):
    done = execute("select_unique", dataset, {"count": 3})
    assert done.result["selected"] == len(set(done.result["sample_ids"])) == 3
    assert dataset.count_sample_tags()["unique"] == 3
    assert requests_of(done)[-1] == "set_view"


def test_select_unique__without_a_tag_in_a_view(dataset):
    view = dataset.match_tags("odd")
    params = {"count": 2, "tag": "", "view_target": "CURRENT_VIEW"}
    done = execute("select_unique", dataset, params, view=view)
    assert set(done.result["sample_ids"]) <= set(view.values("id"))
    assert set(dataset.count_sample_tags()) == {"even", "odd"}


@pytest.mark.parametrize(
    ("name", "params"),
    [("compute_similarity", {}), ("compute_uniqueness", {}), ("select_unique", {"count": 2})],
)
def test_delegated(dataset, name, params):
    run = delegate(name, dataset, params)
    assert run.run_state == "completed", run.result.error
    assert run.result.result["samples"] == 6


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("compute_similarity", {}),
        ("compute_uniqueness", {}),
        ("compute_visualization", {"method": "pca"}),
        ("select_unique", {"count": 2}),
        ("find_duplicates", {"by": "vectors", "distance": 2}),
    ],
)
def test_output__says_that_an_image_was_unreadable(dataset, name, params):
    Path(dataset.first().filepath).write_bytes(b"")
    ctx = context(name, dataset, params)
    ctx.request_params["results"] = execute(name, dataset, params).result
    shown = operator(name).resolve_output(ctx).to_json()["type"]["properties"]
    assert shown["unreadable"]["type"]["name"] == "List"
    assert name != "select_unique" or "1 have no vector" in str(shown)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("compute_similarity", {}),
        ("compute_uniqueness", {}),
        *(("compute_visualization", {"method": method}) for method in ("umap", "pca", "tsne")),
        ("select_unique", {"count": 2}),
        ("select_for_active_learning", {"count": 2, "predictions": "predicted"}),
        ("find_duplicates", {"by": "vectors"}),
    ],
)
def test_output__names_samples_whose_vectors_have_no_direction(dataset, name, params):
    """Zero, no number, endless, or too short for float32 to say where they point."""
    bad = [[0.0] * 3, [np.nan, 1, 1], [np.inf, 1, 1], [1e-42, 0, 0]]
    good = [[1, 0, 0], [0, 1, 0], [0, 0, 1e-20], [0, 0, 1e20]]
    dataset.add_samples([dataset.first().copy(), dataset.last().copy()])
    dataset.set_values("vectors", [np.array(vector) for vector in [*bad, *good]])
    dataset.set_values("predicted", [fo.Classification(label="cat", confidence=0.5)] * 8)
    params = {"embeddings": "field", "vector_field": "vectors", **params}
    done = execute(name, dataset, params)
    assert (done.result["samples"], done.result["without_vector"]) in {(4, 4), (2, 4)}
    assert done.result["unusable"] == dataset.values("id")[:4]
    ctx = context(name, dataset, params)
    ctx.request_params["results"] = done.result
    shown = operator(name).resolve_output(ctx).to_json()["type"]["properties"]
    assert "zero or no numbers" in str(shown["unusable"])


@pytest.mark.parametrize("name", ["compute_similarity", "compute_uniqueness", "select_unique"])
def test_resolve_input__says_what_it_compares_by(dataset, name):
    fields = form(name, dataset)
    assert problems(fields) == []
    assert "No network and no GPU needed" in texts(fields)


@pytest.mark.parametrize(
    ("name", "params", "problem"),
    [
        ("compute_similarity", {"brain_key": "a b"}, "cannot name a brain run"),
        ("compute_uniqueness", {"field": "filepath"}, "holds no numbers"),
        ("select_unique", {"count": 7}, "7 samples cannot be selected out of 6"),
        ("select_unique", {"count": 0}, "cannot be selected"),
        ("select_unique", {"embeddings": "field"}, "not a field of vectors"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(dataset, name, params, problem):
    found = problems(form(name, dataset, params))
    assert any(problem in text for text in found)
    with pytest.raises(ExecutionError):
        execute(name, dataset, params)
    assert dataset.list_brain_runs() == []
    assert set(dataset.count_sample_tags()) == {"even", "odd"}


def test_execute__in_a_notebook(dataset):
    """Where an event loop runs already, FiftyOne returns a task."""

    async def cell():
        done = await execute("select_unique", dataset, {"count": 2})
        return done.result

    assert asyncio.run(cell())["selected"] == 2
