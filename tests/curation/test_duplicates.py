from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.curation.duplicates import find_exact_duplicates, find_near_duplicates
from relabel.curation.embedding.embeddings import Embeddings
from relabel.curation.errors import EmbeddingsError, SelectionError


def _embeddings(vectors):
    ids = tuple(str(k) for k in range(len(vectors)))
    return Embeddings(ids, np.asarray(vectors, np.float32), "test")


def _copy(dataset, source, *targets):
    paths = dataset.values("filepath")
    for target in targets:
        shutil.copy(paths[source], paths[target])


def test_find_exact_duplicates__same_bytes_in_other_files(dataset):
    ids = dataset.values("id")
    _copy(dataset, 1, 3, 4)
    found = find_exact_duplicates(dataset)
    assert found.groups == ((ids[1], ids[3], ids[4]),)
    assert found.redundant == {ids[3], ids[4]}


def test_find_exact_duplicates__same_size_is_not_the_same(dataset):
    paths = dataset.values("filepath")
    for number, path in enumerate(paths):
        Path(path).write_bytes(bytes([number]) * 100)
    assert find_exact_duplicates(dataset).groups == ()


def test_find_exact_duplicates__files_that_cannot_be_read_are_named(dataset):
    ids, paths = dataset.values(["id", "filepath"])
    _copy(dataset, 1, 3)
    for bad in (paths[0], paths[4], paths[5]):
        Path(bad).unlink()
    for folder in paths[4:]:  # of one size, so that they would be read
        Path(folder).mkdir()
    found = find_exact_duplicates(dataset)
    assert found.groups == ((ids[1], ids[3]),)
    named = [(bad.sample_id, bad.filepath) for bad in found.unreadable]
    assert named == [(ids[row], paths[row]) for row in (0, 4, 5)]
    assert "directory" in found.unreadable[0].reason
    assert "directory" in found.unreadable[1].reason


def test_find_exact_duplicates__progress_ends_with_all(dataset):
    steps = []
    _copy(dataset, 0, 1, 2, 3, 4, 5)
    find_exact_duplicates(dataset, progress=lambda *step: steps.append(step))
    assert steps[-1] == (6, 6)


def _angles(*degrees):
    radians = np.deg2rad(degrees)
    return _embeddings(np.stack([np.cos(radians), np.sin(radians)], axis=1))


def test_find_near_duplicates__a_chain_is_one_group_but_its_ends_stay():
    found = find_near_duplicates(_angles(0, 1, 2, 90, 180, 90.5), 0.02)
    assert found.groups == (("0", "2", "1"), ("3", "5"))
    assert found.redundant == {"1", "5"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(
    degrees=st.lists(st.integers(0, 60), min_size=1, max_size=40),
    distance=st.sampled_from([0, 0.02, 0.05, 0.3]),
)
def test_find_near_duplicates__what_goes_has_one_that_stays(degrees, distance):
    embeddings = _angles(*degrees)
    found = find_near_duplicates(embeddings, distance)
    apart = np.linalg.norm(embeddings.vectors[:, None] - embeddings.vectors[None], axis=2)
    stays = [k for k in range(len(degrees)) if str(k) not in found.redundant]
    for row in map(int, found.redundant):
        assert apart[row, stays].min() <= distance + 1e-3
    for place, row in enumerate(stays):
        assert (apart[row, stays[:place]] > distance - 1e-3).all()
    linked = np.argwhere(np.triu(apart < distance - 1e-3, 1) | (np.triu(apart == 0, 1)))
    group_of = {int(key): group for group in found.groups for key in group}
    for first, second in linked.tolist():
        assert group_of[first] == group_of[second]
    assert len(group_of) == sum(map(len, found.groups))


def test_find_near_duplicates__a_crowd_of_copies():
    vectors = np.concatenate([np.eye(5), np.ones((700, 5)), 3 * np.ones((700, 5))])
    found = find_near_duplicates(_embeddings(vectors), 0)
    assert [len(group) for group in found.groups] == [1400]
    assert len(found.redundant) == 1399


def test_find_near_duplicates__many_copies_take_little_memory():
    """As much for each sample, whatever the number of pairs: there are 200 million here."""
    vectors = np.ones((20_000, 8), np.float32)
    vectors[7_000:] *= -3
    vectors[9_000] = [1, 1, 1, 1, 1, 1, 1, 1.01]
    embeddings = _embeddings(vectors)
    tracemalloc.start()
    try:
        found = find_near_duplicates(embeddings, 0.1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [len(group) for group in found.groups] == [12_999, 7_001]
    assert len(found.redundant) == 19_998
    assert most < 1000 * len(vectors)


def test_across__only_groups_of_several_splits():
    found = find_near_duplicates(_angles(0, 0, 90, 90, 180, 180), 0.01)
    splits = {"0": "train", "1": "test", "2": "train", "3": "train", "4": "test"}
    splits = {key: {split} for key, split in splits.items()}
    leaks = found.across(splits)
    assert leaks.groups == (("0", "1"),)
    assert leaks.redundant == {"1"}


def test_across__a_sample_of_two_splits_leaks_into_either():
    found = find_near_duplicates(_angles(0, 0, 90, 90), 0.01)
    splits = {"0": {"train", "test"}, "1": {"test"}, "2": {"train"}, "3": {"train"}}
    assert found.across(splits).groups == (("0", "1"),)


@pytest.mark.parametrize("distance", [-0.1, 2.1, float("nan")])
def test_find_near_duplicates__no_distance(distance):
    with pytest.raises(SelectionError):
        find_near_duplicates(_angles(0, 1), distance)


def test_find_near_duplicates__unusable_vectors():
    with pytest.raises(EmbeddingsError, match="1 of 3"):
        find_near_duplicates(_embeddings([[1, 0], [0, 0], [0, 1]]), 0.1)


def test_find_near_duplicates__one_sample():
    assert find_near_duplicates(_angles(7), 0.1).groups == ()
