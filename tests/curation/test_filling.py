from __future__ import annotations

import fiftyone.brain as fob
import numpy as np
import pytest

from relabel.curation import filling
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import Embeddings, compute_embeddings
from relabel.curation.errors import VectorStoreError
from relabel.curation.similarity import add_to_similarity, compute_similarity, read_index

from . import batched_store

KEY = "similarity"
# Those that take vectors batch by batch.
in_batches = pytest.mark.parametrize("backend", [batched_store.NAME, "milvus"], indirect=True)


class Enough(Exception):
    pass


@pytest.fixture
def six(dataset):
    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    return Embeddings(tuple(dataset.values("id")), vectors, source="test")


@pytest.fixture
def batched(monkeypatch):
    """A back end that takes two vectors at once; returns what it notes."""
    known = fob.brain_config.similarity_backends
    monkeypatch.setitem(known, batched_store.NAME, batched_store.KNOWN)
    monkeypatch.setattr(filling, "AT_ONCE", 2)
    index = batched_store.BatchedSimilarityIndex
    for name, value in {"taken": [], "removed": [], "at": 0, "act": lambda: None}.items():
        monkeypatch.setattr(index, name, value)
    return index


def end_at(count):
    def progress(done, total):
        assert done <= total
        if done == count:
            raise Enough

    return progress


def held(dataset, patches_field=None):
    dataset.clear_cache()
    found = read_index(dataset, KEY, patches_field)
    return dataset.list_brain_runs(), dict(zip(found.ids, found.vectors.tolist(), strict=True))


def test_add_vectors__batch_by_batch(dataset, six, batched):
    told = []

    def before_writing():
        told.append("writing")

    index = compute_similarity(
        dataset,
        six,
        KEY,
        backend=batched_store.NAME,
        progress=lambda *step: told.append(step),
        before_writing=before_writing,
    )
    assert told == [(0, 6), (2, 6), (4, 6), "writing", (6, 6)]
    assert batched.taken == [2, 2, 2]
    assert index.embeddings.tolist() == six.vectors.tolist()
    assert list(index.sample_ids) == list(six.sample_ids)


@pytest.mark.parametrize("backend", ["sklearn", "lancedb", "pgvector"], indirect=True)
def test_add_vectors__at_once_where_batches_cost_more(dataset, six, batched, backend):
    told = []
    compute_similarity(
        dataset, six, KEY, backend=backend, progress=lambda *step: told.append(step)
    )
    assert told == [(0, 6), (6, 6)]
    with pytest.raises(Enough):
        compute_similarity(dataset, six, KEY, backend=backend, progress=end_at(0))
    assert dataset.list_brain_runs() == [KEY]
    assert len(read_index(dataset, KEY)) == 6


@in_batches
def test_compute_similarity__cancelled_between_batches_leaves_the_old_index(
    dataset, six, batched, backend
):
    four = Embeddings(six.sample_ids[:4], six.vectors[:4], "test")
    compute_similarity(dataset, four, KEY, backend=backend)
    before = held(dataset)
    with pytest.raises(Enough):
        compute_similarity(dataset, six, KEY, backend=backend, progress=end_at(4))
    assert held(dataset) == before
    if backend == batched_store.NAME:
        assert (batched.taken, batched.removed) == ([2, 2, 2, 2], [])


@in_batches
@pytest.mark.parametrize("at", [0, 2])
def test_add_to_similarity__cancelled_between_batches_takes_out_what_it_added(
    dataset, six, batched, backend, at
):
    first = Embeddings(six.sample_ids[:2], six.vectors[:2], "test")
    rest = Embeddings(six.sample_ids[2:], six.vectors[2:], "test")
    compute_similarity(dataset[:2], first, KEY, backend=backend)
    before = held(dataset)
    with pytest.raises(Enough):
        add_to_similarity(dataset[2:], rest, KEY, progress=end_at(at))
    assert dataset.load_brain_results(KEY).total_index_size == 2
    assert held(dataset) == before
    add_to_similarity(dataset[2:], rest, KEY)
    assert held(dataset)[1] == dict(zip(six.sample_ids, six.vectors.tolist(), strict=True))


@in_batches
def test_add_to_similarity__cancelled_leaves_other_patches_of_its_samples(
    dataset, batched, backend
):
    patches = compute_embeddings(
        dataset, ImageDescriptor(), source="descriptor", patches_field="ground_truth"
    )
    first, rest = (
        Embeddings(
            patches.sample_ids[part],
            patches.vectors[part],
            "test",
            label_ids=patches.label_ids[part],
            patches_field="ground_truth",
        )
        for part in (slice(0, None, 2), slice(1, None, 2))
    )
    assert set(first.sample_ids) & set(rest.sample_ids)
    compute_similarity(dataset, first, KEY, backend=backend)
    before = held(dataset, "ground_truth")
    with pytest.raises(Enough):
        add_to_similarity(dataset, rest, KEY, progress=end_at(4))
    assert held(dataset, "ground_truth") == before


def test_add_to_similarity__a_failing_back_end_holds_none_of_it(dataset, six, batched):
    def fail():
        raise ValueError("the disk is full")

    first = Embeddings(six.sample_ids[:2], six.vectors[:2], "test")
    compute_similarity(dataset[:2], first, KEY, backend=batched_store.NAME)
    before = held(dataset)
    batched.at, batched.act = 3, fail
    rest = Embeddings(six.sample_ids[2:], six.vectors[2:], "test")
    with pytest.raises(VectorStoreError, match="the disk is full"):
        add_to_similarity(dataset[2:], rest, KEY)
    assert batched.taken == [2, 2, 2]
    assert held(dataset) == before


@pytest.fixture
def begun(dataset, six, batched):
    """The vectors to add to an index that holds others."""
    first = Embeddings(six.sample_ids[:2], six.vectors[:2], "test")
    compute_similarity(dataset[:2], first, KEY, backend=batched_store.NAME)
    return Embeddings(six.sample_ids[2:], six.vectors[2:], "test")


def test_add_to_similarity__takes_out_no_more_at_once_than_back_ends_take(
    dataset, begun, batched, monkeypatch
):
    monkeypatch.setattr(filling, "_TAKEN_OUT_AT_ONCE", 1)
    before = held(dataset)
    with pytest.raises(Enough):
        add_to_similarity(dataset, begun, KEY, progress=end_at(2))
    assert batched.removed == [1, 1]
    assert held(dataset) == before


def test_add_to_similarity__takes_out_what_cannot_be_saved(dataset, begun, batched, monkeypatch):
    def fail(_):
        raise ConnectionError("The database is gone")

    monkeypatch.setattr(filling, "save_results", fail)
    with pytest.raises(VectorStoreError, match="The database is gone"):
        add_to_similarity(dataset, begun, KEY)
    assert batched.removed == [4]


def test_add_to_similarity__tells_what_cannot_be_taken_out(
    dataset, begun, batched, monkeypatch, caplog
):
    def fail(*_, **__):
        raise ConnectionError("The server is gone")

    monkeypatch.setattr(batched, "remove_from_index", fail)
    with pytest.raises(Enough):
        add_to_similarity(dataset, begun, KEY, progress=end_at(2))
    assert "2 vectors are left in the index 'similarity'" in caplog.text
