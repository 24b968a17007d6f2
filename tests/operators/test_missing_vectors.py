"""Forms say how many samples have no vector; what is done then leaves out as many."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import execute, form, problems, texts

LEFT_OUT = "2 of 6 samples have no vector: they are left out."
SOURCES = [{"embeddings": "field"}, {"embeddings": "index", "index": "of_four"}]
OPERATORS = [
    ("compute_similarity", {"brain_key": "another"}),
    ("compute_uniqueness", {}),
    ("compute_visualization", {"method": "pca"}),
    ("find_duplicates", {"by": "vectors"}),
    ("select_unique", {"count": 2}),
    ("select_for_active_learning", {"count": 2, "predictions": "predicted"}),
]


@pytest.fixture
def four(dataset):
    """Four samples of six have a vector, in a field and in an index."""
    dataset.set_values("vectors", [*np.eye(6)[:4], None, None])
    dataset.set_values("predicted", [fo.Classification(label="cat", confidence=0.5)] * 6)
    execute("compute_similarity", dataset, {"embeddings": "field", "brain_key": "of_four"})
    dataset.reload()
    return dataset


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("name", "params"), OPERATORS)
def test_form__some_have_no_vector(four, name, params, source):
    fields = form(name, four, {**params, **source})
    assert LEFT_OUT in texts(fields)
    assert problems(fields) == []
    done = execute(name, four, {**params, **source})
    assert done.result["without_vector"] == 2


@pytest.mark.parametrize("source", SOURCES)
def test_form__each_has_a_vector(four, source):
    params = {**source, "view_target": "CURRENT_VIEW"}
    fields = form("compute_uniqueness", four, params, view=four[:4]._serialize())
    assert "no vector" not in texts(fields)
    assert problems(fields) == []


@pytest.mark.parametrize(
    ("name", "params", "source", "problem"),
    [
        ("compute_uniqueness", {}, 0, "No sample has a vector in 'vectors'"),
        ("compute_uniqueness", {}, 1, "The index 'of_four' holds none of these samples"),
        ("find_duplicates", {"by": "vectors"}, 1, "holds none of these samples"),
        ("select_unique", {"count": 2}, 0, "No sample has a vector in 'vectors'"),
    ],
)
def test_form__none_has_a_vector(four, name, params, source, problem):
    params = {**params, **SOURCES[source], "view_target": "CURRENT_VIEW"}
    (shown,) = problems(form(name, four, params, view=four[4:]._serialize()))
    assert problem in shown
    with pytest.raises(ExecutionError) as raised:
        execute(name, four, params, view=four[4:])
    assert shown in str(raised.value)


@pytest.mark.parametrize(
    ("name", "params", "first", "problem"),
    [
        ("compute_uniqueness", {}, 3, "One sample alone is not comparable"),
        ("compute_visualization", {"method": "pca"}, 2, "2 samples make no plot"),
        ("select_unique", {"count": 4}, 1, "4 samples cannot be selected out of 3. 2 more have"),
    ],
)
def test_form__too_few_have_a_vector(four, name, params, first, problem):
    params = {**params, "embeddings": "field", "view_target": "CURRENT_VIEW"}
    (shown,) = problems(form(name, four, params, view=four[first:]._serialize()))
    assert problem in shown
    with pytest.raises(ExecutionError) as raised:
        execute(name, four, params, view=four[first:])
    assert shown in str(raised.value)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("compute_similarity", {"brain_key": "of_four"}),
        ("compute_visualization", {"brain_key": "plot", "method": "pca"}),
    ],
)
def test_form__of_new_samples_only(four, name, params):
    params = {**params, "embeddings": "field", "view_target": "CURRENT_VIEW"}
    execute(name, four, params, view=four[:4])
    more = {**params, "new_only": True}
    for view, said in ((four.view(), "2 of 6"), (four[4:], "2 of 2")):
        fields = form(name, four, more, view=view._serialize())
        assert f"{said} samples have no vector: none of them is added." in texts(fields)
        assert problems(fields) == []


def test_form__anew_once_vectors_were_written(four):
    params = {"embeddings": "field"}
    assert LEFT_OUT in texts(form("compute_uniqueness", four, params))
    four.set_values("vectors", list(np.eye(6)))
    assert "no vector" not in texts(form("compute_uniqueness", four, params))
    by_index = {"embeddings": "index", "index": "of_four"}
    assert LEFT_OUT in texts(form("compute_uniqueness", four, by_index))
    execute("compute_similarity", four, {**params, "brain_key": "of_four", "new_only": True})
    assert "no vector" not in texts(form("compute_uniqueness", four, by_index))


def test_form__of_patches_that_are_shown(four):
    """Those on one image are one sample."""
    params = {"embeddings": "field", "view_target": "CURRENT_VIEW"}
    view = four[2:].to_patches("ground_truth")._serialize()
    fields = form("compute_uniqueness", four, params, view=view)
    assert "2 of 4 samples have no vector: they are left out." in texts(fields)


def test_form__of_an_index_of_patches(dataset):
    of_patches = {"patches_field": "ground_truth"}
    params = {**of_patches, "embeddings": "descriptor", "brain_key": "patches"}
    execute(
        "compute_similarity", dataset, {**params, "view_target": "CURRENT_VIEW"}, view=dataset[:4]
    )
    dataset.reload()
    params = {**of_patches, "embeddings": "index", "index": "patches", "method": "pca"}
    fields = form("compute_visualization", dataset, params)
    assert "2 of 6 samples with ground_truth have no vector: they are left out." in texts(fields)
    assert execute("compute_visualization", dataset, params).result["without_vector"] == 2


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"embeddings": "field", "vector_field": "other"}, "'other' "),
        ({"embeddings": "index", "index": "other"}, "'other' "),
        ({"embeddings": "field", "view_target": "SELECTED_SAMPLES"}, "No samples are selected"),
    ],
)
def test_form__counts_nothing_where_something_else_is_wrong(four, params, problem):
    fields = form("compute_uniqueness", four, params)
    assert problems(fields)
    assert all(problem in text for text in problems(fields))
    assert "vectors_problem" not in fields
    assert "no vector" not in texts(fields)
