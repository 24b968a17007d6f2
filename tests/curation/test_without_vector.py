"""What is counted for a form is what reading the vectors finds later."""

from __future__ import annotations

import fiftyone.brain as fob
import numpy as np
import pytest

from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import Embeddings, compute_embeddings, read_embeddings
from relabel.curation.errors import NoVectors
from relabel.curation.similarity import add_to_similarity, compute_similarity, read_index
from relabel.curation.without_vector import (
    WithoutVector,
    without_vector_in_field,
    without_vector_in_index,
)

UNKNOWN = WithoutVector()


@pytest.fixture
def four(dataset):
    """Four samples of six have a vector, the first and the last have none."""
    vectors = np.eye(6, dtype=np.float32)
    dataset.set_values("vectors", [None, *vectors[1:5], None])
    return Embeddings(tuple(dataset.values("id")[1:5]), vectors[1:5], "test")


def missing_when_read(read, view, *args):
    try:
        return read(view, *args).missing
    except NoVectors as error:
        return error.missing


def views_of(dataset):
    return [dataset, dataset[1:5], dataset[3:], dataset.match_tags("odd"), dataset[:1]]


def test_without_vector_in_field(dataset, four):
    found = [without_vector_in_field(view, "vectors") for view in views_of(dataset)]
    assert [one.samples for one in found] == [6, 4, 3, 3, 1]
    assert [one.missing for one in found] == [2, 0, 1, 1, 1]
    assert [one.vectors for one in found] == [4, 4, 2, 2, 0]
    read = [missing_when_read(read_embeddings, view, "vectors") for view in views_of(dataset)]
    assert [one.missing for one in found] == read


def test_without_vector_in_index(dataset, four):
    compute_similarity(dataset, four, "ours")
    fob.compute_similarity(
        dataset[1:5], embeddings=four.vectors, brain_key="stock", backend="sklearn"
    )
    fob.compute_similarity(dataset, embeddings="vectors", brain_key="field", backend="sklearn")
    for key in ("ours", "stock", "field"):
        found = [without_vector_in_index(view, key) for view in views_of(dataset)]
        assert [one.samples for one in found] == [6, 4, 3, 3, 1]
        read = [missing_when_read(read_index, view, key) for view in views_of(dataset)]
        assert [one.missing for one in found] == read == [2, 0, 1, 1, 1]


def test_without_vector_in_index__that_was_added_to(dataset, four):
    compute_similarity(dataset, four, "index")
    ids = tuple(dataset.values("id")[:1])
    more = Embeddings(ids, np.eye(6, dtype=np.float32)[:1], "test")
    add_to_similarity(dataset, more, "index")
    assert without_vector_in_index(dataset, "index") == WithoutVector(1, 6)


def test_without_vector_in_index__of_patches(dataset):
    view, of = dataset[1:5], "ground_truth"
    patches = compute_embeddings(view, ImageDescriptor(), source="descriptor", patches_field=of)
    compute_similarity(view, patches, "patches")
    dataset.delete_labels(view=dataset[:1], fields=of)  # has none that could have a vector
    found = [without_vector_in_index(some, "patches", of) for some in views_of(dataset)]
    assert [one.samples for one in found] == [5, 4, 3, 3, 0]
    read = [missing_when_read(read_index, some, "patches", of) for some in views_of(dataset)]
    assert [one.missing for one in found] == read == [1, 0, 1, 1, 0]


def test_without_vector_in_index__is_not_told_of_another_back_end(dataset, four, tmp_path):
    options = {"uri": str(tmp_path / "lance")}
    compute_similarity(dataset, four, "index", backend="lancedb", options=options)
    assert without_vector_in_index(dataset, "index") == UNKNOWN


def test_without_vector_in_index__whose_field_is_gone(dataset, four):
    fob.compute_similarity(dataset, embeddings="vectors", brain_key="index", backend="sklearn")
    dataset.delete_sample_field("vectors")
    assert without_vector_in_index(dataset, "index") == UNKNOWN
