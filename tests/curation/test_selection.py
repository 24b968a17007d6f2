from __future__ import annotations

import itertools

import numpy as np
import pytest

from relabel.curation.embeddings import Embeddings
from relabel.curation.errors import SelectionError
from relabel.curation.selection import farthest_first, select_unique


def _embeddings(vectors):
    ids = tuple(str(k) for k in range(len(vectors)))
    return Embeddings(ids, np.asarray(vectors, np.float32), "test")


def test_select_unique__one_of_each_cluster():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.eye(5), 20, axis=0) + rng.normal(scale=0.01, size=(100, 5))
    chosen = select_unique(_embeddings(clusters), 5).sample_ids
    assert sorted(int(key) // 20 for key in chosen) == [0, 1, 2, 3, 4]


def test_select_unique__distances_never_grow_and_duplicates_come_last():
    vectors = np.random.default_rng(0).normal(size=(30, 8))
    selection = select_unique(_embeddings(np.concatenate([vectors, vectors])), 60)
    later = selection.distances[1:]
    assert all(a >= b - 1e-6 for a, b in itertools.pairwise(later))
    assert len({int(key) % 30 for key in selection.sample_ids[:30]}) == 30
    assert len(set(selection.sample_ids)) == 60


def test_farthest_first__each_is_the_farthest_from_all_before():
    vectors = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order, distances = farthest_first(vectors, 10)
    for step in range(1, 10):
        apart = np.linalg.norm(vectors[:, None] - vectors[order[:step]][None], axis=2).min(axis=1)
        assert apart.argmax() == order[step]
        assert distances[step] == pytest.approx(apart.max(), abs=1e-5)


def test_select_unique__at_least_as_far_apart_as_fiftyones_own(dataset):
    import fiftyone as fo
    import fiftyone.brain as fob

    vectors = np.random.default_rng(2).normal(size=(400, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    large = fo.Dataset()
    large.add_samples([fo.Sample(filepath=f"/none/{k}.png") for k in range(400)])
    try:
        index = fob.compute_similarity(
            large, embeddings=vectors.copy(), backend="sklearn", metric="euclidean", progress=False
        )
        index.find_unique(40)
        theirs = [large.values("id").index(key) for key in index.unique_ids]
    finally:
        large.delete()
    ours = [int(key) for key in select_unique(_embeddings(vectors), 40).sample_ids]

    def smallest_distance(rows):
        distances = np.linalg.norm(vectors[rows][:, None] - vectors[rows][None], axis=2)
        return distances[np.triu_indices(len(rows), 1)].min()

    assert smallest_distance(ours) >= smallest_distance(theirs)


@pytest.mark.parametrize("count", [0, -1, None, 7])
def test_select_unique__impossible_count(count):
    with pytest.raises(SelectionError):
        select_unique(_embeddings(np.eye(6)), count)
