from __future__ import annotations

import itertools

import numpy as np
import pytest

from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.errors import EmbeddingsError, SelectionError
from relabel.curation.selecting.selection import Wishes, select_unique


def _embeddings(vectors):
    ids = tuple(str(k) for k in range(len(vectors)))
    return Embeddings(ids, np.asarray(vectors, np.float32), "test")


def test_select_unique__one_of_each_cluster():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.eye(5), 20, axis=0) + rng.normal(scale=0.01, size=(100, 5))
    chosen = select_unique(_embeddings(clusters), Wishes(5)).sample_ids
    assert sorted(int(key) // 20 for key in chosen) == [0, 1, 2, 3, 4]


def test_select_unique__distances_never_grow_and_duplicates_come_last():
    vectors = np.random.default_rng(0).normal(size=(30, 8))
    selection = select_unique(_embeddings(np.concatenate([vectors, vectors])), Wishes(60))
    later = selection.distances[1:]
    assert all(a >= b - 1e-6 for a, b in itertools.pairwise(later))
    assert len({int(key) % 30 for key in selection.sample_ids[:30]}) == 30
    assert len(set(selection.sample_ids)) == 60


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
    ours = [int(key) for key in select_unique(_embeddings(vectors), Wishes(40)).sample_ids]

    def smallest_distance(rows):
        distances = np.linalg.norm(vectors[rows][:, None] - vectors[rows][None], axis=2)
        return distances[np.triu_indices(len(rows), 1)].min()

    assert smallest_distance(ours) >= smallest_distance(theirs)


@pytest.mark.parametrize("count", [0, -1, None, 7])
def test_select_unique__impossible_count(count):
    with pytest.raises(SelectionError):
        select_unique(_embeddings(np.eye(6)), Wishes(count))


@pytest.fixture(scope="module")
def planted():
    """Twenty clusters of twenty near-duplicates, in order, and an outlier."""
    rng = np.random.default_rng(5)
    clusters = np.repeat(rng.normal(size=(20, 24)), 20, axis=0)
    near = clusters + rng.normal(scale=0.02, size=clusters.shape)
    outlier = -near.mean(axis=0, keepdims=True) + 3 * rng.normal(size=(1, 24))
    return _embeddings(np.concatenate([near, outlier]))


def _clusters(sample_ids):
    return [int(key) // 20 for key in sample_ids]


def test_select_unique__no_near_duplicate_before_all_clusters_are_covered(planted):
    clusters = _clusters(select_unique(planted, Wishes(21)).sample_ids)
    assert sorted(clusters) == list(range(21))


def test_select_unique__an_outlier_is_among_the_first():
    rng = np.random.default_rng(0)
    crowd = np.ones(16) + rng.normal(scale=0.3, size=(500, 16))
    vectors = np.concatenate([crowd[:250], -np.ones((1, 16)), crowd[250:]])
    assert "250" in select_unique(_embeddings(vectors), Wishes(2)).sample_ids


def test_select_unique__not_again_what_is_labelled(planted):
    seeds = [str(20 * cluster + 3) for cluster in range(12)]
    found = select_unique(planted, Wishes(9, seeds=seeds))
    assert sorted(_clusters(found.sample_ids)) == list(range(12, 21))
    assert found.seeds == 12


def test_select_unique__near_duplicates_are_left_out(planted):
    found = select_unique(planted, Wishes(100, apart=0.3))
    assert sorted(_clusters(found.sample_ids)) == list(range(21))


def test_select_unique__weights_make_samples_farther():
    vectors = np.random.default_rng(0).normal(size=(200, 64))
    weights = {str(k): 10.0 if k < 20 else 1.0 for k in range(190)}
    found = select_unique(_embeddings(vectors), Wishes(20, weights=weights))
    assert {int(key) for key in found.sample_ids} == set(range(20))


def test_select_unique__weights_that_say_nothing_change_nothing(planted):
    alike = dict.fromkeys(planted.sample_ids, 0.0)
    found = select_unique(planted, Wishes(30, weights=alike))
    assert found == select_unique(planted, Wishes(30))


def test_select_unique__balance_and_limit_together(planted):
    kinds = {key: "day" if int(key) < 40 else "night" for key in planted.sample_ids}
    scenes = {key: int(key) // 20 for key in planted.sample_ids}
    found = select_unique(planted, Wishes(16, balance=kinds, limit=scenes, most=3)).sample_ids
    days = [kinds[key] for key in found]
    assert days.count("day") == 6
    assert days[:12:2] != days[1:12:2]
    assert max(_clusters(found).count(cluster) for cluster in range(20)) <= 3


def test_select_unique__coverage(planted):
    found = select_unique(planted, Wishes(25, alike=0.3)).coverage
    assert (found.radii[0], found.shares[0]) == (None, 0.0)
    assert found.radii[20] > 0.3 > found.radii[21]
    assert found.needed(1.0) == 21
    assert found.shares[1] == pytest.approx(20 / 401, abs=0.05)
    assert [point[0] for point in found.curve(6)] == [0, 5, 10, 15, 20, 25]


@pytest.mark.parametrize("seeds", [[], ["5", "250", "399"]])
def test_select_unique__coverage_as_counted_one_by_one(planted, seeds):
    weights = {key: 1 + int(key) % 3 for key in planted.sample_ids}
    wishes = Wishes(40, seeds=seeds, alike=0.4, weights=weights, apart=0.02)
    found = select_unique(planted, wishes)
    unit = planted.vectors / np.linalg.norm(planted.vectors, axis=1, keepdims=True)
    for count, (radius, share) in enumerate(
        zip(found.coverage.radii, found.coverage.shares, strict=True)
    ):
        chosen = [int(key) for key in (*seeds, *found.sample_ids[:count])]
        if not chosen:
            assert (radius, share) == (None, 0.0)
            continue
        nearest = np.linalg.norm(unit[:, None] - unit[chosen][None], axis=2).min(axis=1)
        assert radius == pytest.approx(nearest.max(), abs=1e-5)
        assert share == pytest.approx((nearest <= 0.4).mean(), abs=1e-9)


def test_select_unique__coverage_before_is_that_of_the_seeds(planted):
    seeds = [key for key in planted.sample_ids if int(key) % 20 == 0]
    found = select_unique(planted, Wishes(1, seeds=seeds, alike=0.3)).coverage
    assert found.radii[0] < 0.3
    assert found.shares[0] == 1.0


@pytest.mark.parametrize(
    ("wishes", "problem"),
    [
        (Wishes(7), "out of 6"),
        (Wishes(3, seeds=list("0123")), "out of 2 beside the 4"),
        (Wishes(1, seeds=list("012345")), "out of 0"),
        (Wishes(1, apart=3), "no distance"),
        (Wishes(1, apart=float("nan")), "no distance"),
        (Wishes(1, weights={}), "has a weight"),
        (Wishes(1, weights={"0": -1.0}), "negative"),
        (Wishes(1, weights={"0": float("nan")}), "negative or endless"),
        (Wishes(1, weights={"0": 1.0, "1": float("nan"), "2": 2.0}), "negative or endless"),
        (Wishes(1, limit={}, most=0), "leaves none"),
    ],
)
def test_select_unique__impossible_wishes(wishes, problem):
    with pytest.raises(SelectionError, match=problem):
        select_unique(_embeddings(np.eye(6)), wishes)


@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_select_unique__unusable_vectors(value):
    vectors = np.eye(6)
    vectors[3] = value
    with pytest.raises(EmbeddingsError, match="1 of 6 vectors"):
        select_unique(_embeddings(vectors), Wishes(2))


def test_select_unique__one_sample():
    found = select_unique(_embeddings(np.ones((1, 3))), Wishes(1))
    assert found.sample_ids == ("0",)
    assert found.coverage.shares == (0.0, 1.0)
