"""The operators on a Ray cluster, under the package name that FiftyOne gives the plugin."""

from __future__ import annotations

import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import execute, form, texts

ADDRESS = "RELABEL_RAY_ADDRESS"
VECTORS = {"embeddings": "field", "vector_field": "vectors"}
ON_CLUSTER = ("compute_similarity", "apply_model", "compute_uniqueness", "select_unique")


@pytest.fixture
def vectors(dataset):
    """A vector for each image."""
    generator = np.random.default_rng(0)
    dataset.set_values("vectors", list(generator.normal(size=(6, 4))))
    return dataset


@pytest.mark.parametrize("name", ON_CLUSTER)
def test_form__says_that_a_cluster_works_and_asks_nobody(dataset, monkeypatch, name):
    monkeypatch.setenv(ADDRESS, "198.51.100.1:6379")  # nobody has it
    fields = form(name, dataset)
    assert "goes to the nodes of the Ray cluster at 198.51.100.1:6379" in texts(fields)
    monkeypatch.delenv(ADDRESS)
    assert "Ray" not in texts(form(name, dataset))


def test_execute__nobody_answers(vectors, monkeypatch):
    monkeypatch.setenv(ADDRESS, "127.0.0.1:9")
    with pytest.raises(ExecutionError, match=r"Ray cluster at 127.0.0.1:9 does not answer"):
        execute("compute_uniqueness", vectors, VECTORS)
    assert not vectors.has_field("uniqueness")


def test_execute__selects_and_scores_as_here(vectors, ray_nodes, monkeypatch):
    params = {**VECTORS, "count": 3}
    here = execute("select_unique", vectors, params).result["sample_ids"]
    execute("compute_uniqueness", vectors, VECTORS)
    vectors.reload()
    scores = vectors.values("uniqueness")
    monkeypatch.setenv(ADDRESS, ray_nodes.address)
    assert execute("select_unique", vectors, params).result["sample_ids"] == here
    execute("compute_uniqueness", vectors, {**VECTORS, "field": "there"})
    vectors.reload()
    assert vectors.values("there") == scores


def test_execute__embeds_and_predicts_as_here(dataset, saved_models, ray_nodes, monkeypatch):
    model = {"model_path": str(saved_models / "any_batch"), "confidence": 0.5}
    monkeypatch.setenv(ADDRESS, ray_nodes.address)
    assert execute("compute_similarity", dataset).result["added"] == 6
    assert execute("apply_model", dataset, model).result["labels"] == 6
    dataset.reload()
    assert dataset.values("predictions.detections.label") == [["dog"]] * 6
