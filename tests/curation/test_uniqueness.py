from __future__ import annotations

import numpy as np
import pytest

from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.errors import BrainKeyError, EmbeddingsError
from relabel.curation.uniqueness import compute_uniqueness, uniqueness


def _unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_uniqueness__exact_duplicate_is_not_unique():
    vectors = _unit(np.random.default_rng(0).normal(size=(50, 16)))
    scores = uniqueness(np.concatenate([vectors, vectors[:1]]))
    assert scores[0] == scores[-1] == 0.0
    assert scores.argsort()[:2].tolist() in ([0, 50], [50, 0])


def test_uniqueness__the_lonely_one_is_the_most_unique():
    rng = np.random.default_rng(0)
    crowd = np.array([1.0, 0.0, 0.0]) + rng.normal(scale=0.01, size=(20, 3))
    scores = uniqueness(_unit(np.concatenate([crowd, [[0.0, 0.0, 1.0]]])))
    assert scores.argmax() == 20
    assert scores.max() == 1.0


@pytest.mark.parametrize("count", [2, 3, 4])
def test_uniqueness__few_samples(count):
    scores = uniqueness(_unit(np.random.default_rng(0).normal(size=(count, 4))))
    assert scores.shape == (count,)
    assert np.isfinite(scores).all()


def test_uniqueness__all_alike():
    assert uniqueness(np.ones((5, 1), np.float32)).tolist() == [0.0] * 5


def test_uniqueness__one_alone():
    with pytest.raises(EmbeddingsError, match="alone"):
        uniqueness(np.ones((1, 2), np.float32))


@pytest.mark.parametrize("count", [100, 5000])
def test_uniqueness__duplicates_score_nothing_at_any_size(count):
    vectors = np.random.default_rng(0).normal(size=(count, 6)).astype(np.float32)
    scores = uniqueness(np.concatenate([vectors, vectors[:20], 5 * vectors[:20]]))
    assert not scores[:20].any()
    assert not scores[-40:].any()
    assert scores[20:count].min() > 0


def test_uniqueness__the_same_whatever_the_length_of_the_vectors():
    vectors = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    lengths = np.linspace(0.1, 10, 50, dtype=np.float32)[:, None]
    assert uniqueness(vectors * lengths) == pytest.approx(uniqueness(vectors), abs=1e-6)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_compute_uniqueness__unusable_vectors_leave_the_dataset_alone(dataset, value):
    vectors = np.eye(6, dtype=np.float32)
    vectors[2] = value
    unusable = Embeddings(tuple(dataset.values("id")), vectors, "test")
    with pytest.raises(EmbeddingsError, match="1 of 6 vectors"):
        compute_uniqueness(dataset, unusable, "uniqueness")
    assert not dataset.has_field("uniqueness")
    assert dataset.list_brain_runs() == []


@pytest.fixture
def embeddings(dataset):
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    return Embeddings(tuple(dataset.values("id")), vectors, "test")


def test_compute_uniqueness__a_brain_run_that_can_be_deleted(dataset, embeddings):
    compute_uniqueness(dataset, embeddings, "uniqueness")
    assert dataset.get_brain_info("uniqueness").config.type == "uniqueness"
    assert max(dataset.values("uniqueness")) == 1.0
    dataset.delete_brain_run("uniqueness")
    assert not dataset.has_field("uniqueness")


def test_compute_uniqueness__again_replaces(dataset, embeddings):
    compute_uniqueness(dataset, embeddings, "uniqueness")
    part = Embeddings(embeddings.sample_ids[:3], embeddings.vectors[:3], "test")
    compute_uniqueness(dataset, part, "uniqueness")
    assert dataset.exists("uniqueness").count() == 3
    assert dataset.list_brain_runs() == ["uniqueness"]


def test_compute_uniqueness__no_score_of_another_run_is_left(dataset, embeddings):
    """Scores are relative to the most unique: those of two runs do not compare."""
    dataset.set_values("uniqueness", [0.5] * 6)
    part = Embeddings(embeddings.sample_ids[:4], embeddings.vectors[:4], "test")
    compute_uniqueness(dataset[:5], part, "uniqueness")
    assert dataset.exists("uniqueness").values("id") == list(part.sample_ids)


def test_compute_uniqueness__not_into_what_is_read_only_or_anothers(dataset, embeddings):
    dataset.set_values("checked", [0.5] * 6)
    field = dataset.get_field("checked")
    field.read_only = True
    field.save()
    with pytest.raises(BrainKeyError, match="read-only"):
        compute_uniqueness(dataset, embeddings, "checked")
    compute_uniqueness(dataset, embeddings, "uniqueness")
    dataset.rename_brain_run("uniqueness", "other")
    with pytest.raises(BrainKeyError, match="made 'uniqueness'"):
        compute_uniqueness(dataset, embeddings, "other")
    assert dataset.values("checked") == [0.5] * 6


@pytest.mark.parametrize("field", ["filepath", "ground_truth", "not-a-name", "", "_private"])
def test_compute_uniqueness__bad_name_leaves_the_dataset_alone(dataset, embeddings, field):
    before = set(dataset.get_field_schema())
    with pytest.raises(BrainKeyError):
        compute_uniqueness(dataset, embeddings, field)
    assert set(dataset.get_field_schema()) == before
