from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from relabel.curation.embeddings import Embeddings
from relabel.curation.errors import BrainKeyError
from relabel.curation.similarity import compute_similarity


def _embeddings(dataset, vectors):
    return Embeddings(tuple(dataset.values("id")), np.asarray(vectors, np.float32), source="test")


@pytest.fixture
def on_a_circle(dataset):
    angles = np.deg2rad([0, 10, 90, 100, 180, 270])
    return _embeddings(dataset, np.stack([np.cos(angles), np.sin(angles)], axis=1))


def test_compute_similarity__nearest_first(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    ids = dataset.values("id")
    view = dataset.sort_by_similarity(ids[2], k=2, brain_key="similarity")
    assert view.values("id") == [ids[2], ids[3]]


def test_compute_similarity__again_replaces(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    part = Embeddings(on_a_circle.sample_ids[:3], on_a_circle.vectors[:3], "test")
    assert compute_similarity(dataset, part, "similarity").total_index_size == 3
    assert dataset.list_brain_runs() == ["similarity"]


def test_compute_similarity__first_query_of_a_large_index(tmp_path):
    """FiftyOne's index answers its first query wrongly above 15,000 uncentred vectors."""
    count = 15_100
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/none/{k}.png") for k in range(count)])
    vectors = np.random.default_rng(0).normal(2.0, 1.0, (count, 8)).astype(np.float32)
    try:
        index = compute_similarity(dataset, _embeddings(dataset, vectors), "similarity")
        ids = dataset.values("id")
        nearest, _ = index._kneighbors(query=ids[7], k=5)
    finally:
        dataset.delete()
    centred = vectors - vectors.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    expected = np.argsort(-(unit @ unit[7]))[:5]
    assert nearest == [ids[k] for k in expected]


@pytest.mark.parametrize("key", ["", None, "1st", "a-b"])
def test_compute_similarity__bad_name(dataset, on_a_circle, key):
    with pytest.raises(BrainKeyError):
        compute_similarity(dataset, on_a_circle, key)


def test_compute_similarity__name_of_another_run(dataset, on_a_circle):
    from relabel.curation.uniqueness import compute_uniqueness

    compute_uniqueness(dataset, on_a_circle, "taken")
    with pytest.raises(BrainKeyError, match="another kind"):
        compute_similarity(dataset, on_a_circle, "taken")
    assert dataset.has_field("taken")
