from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relabel.curation.distances import neighbours
from relabel.curation.distances.neighbours import nearest_neighbours
from relabel.curation.distances.unit_rows import UnitRows


def on_a_surface(count, seed=0):
    """Vectors of 64 numbers that six decide, in groups: as embeddings of images are."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(20, 6))
    latent = centres[generator.integers(0, 20, count)] + generator.normal(
        scale=0.5, size=(count, 6)
    )
    return np.tanh(latent @ generator.normal(size=(6, 64))).astype(np.float32)


def similarities(vectors, found):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.einsum("nd,nkd->nk", unit, unit[found])


def truth(vectors, count):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    products = unit @ unit.T
    np.fill_diagonal(products, -2)
    return -np.sort(-products, axis=1)[:, :count]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(count=st.integers(2, 60), wanted=st.integers(1, 3), copies=st.integers(0, 5))
def test_nearest_neighbours__exact(count, wanted, copies):
    vectors = np.random.default_rng(count).normal(size=(count, 5)).astype(np.float32)
    vectors = np.concatenate([vectors, *[vectors[:1]] * copies])
    wanted = min(wanted, len(vectors) - 1)
    found = nearest_neighbours(UnitRows(vectors), wanted)
    assert found.shape == (len(vectors), wanted)
    assert not (found == np.arange(len(vectors))[:, None]).any()
    assert similarities(vectors, found) == pytest.approx(truth(vectors, wanted), abs=1e-5)


@pytest.mark.parametrize(
    "make",
    [on_a_surface, lambda n: np.random.default_rng(0).normal(size=(n, 64)).astype(np.float32)],
)
def test_nearest_neighbours__in_cells_nearly_all(make):
    vectors = make(2000)
    found = nearest_neighbours(UnitRows(vectors), 3, exact_below=0)
    assert not (found == np.arange(2000)[:, None]).any()
    right = similarities(vectors, found) >= truth(vectors, 3) - 1e-5
    assert right.mean() >= 0.99


def test_nearest_neighbours__copies_find_each_other_in_cells():
    vectors = on_a_surface(3000)
    found = nearest_neighbours(UnitRows(np.concatenate([vectors, 2 * vectors])), 3, exact_below=0)
    nearest = np.concatenate([np.arange(3000, 6000), np.arange(3000)])
    assert (found == nearest[:, None]).any(axis=1).all()


def test_nearest_neighbours__progress_can_cancel():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nearest_neighbours(UnitRows(on_a_surface(100)), 3, progress=stop)


@pytest.mark.parametrize("exact_below", [0, 10_000])
def test_nearest_neighbours__tells_of_none_while_the_index_is_built(exact_below):
    rows, told = UnitRows(on_a_surface(5000)), []
    nearest_neighbours(rows, 3, progress=lambda *step: told.append(step), exact_below=exact_below)
    assert told[:3] == [(0, 5000)] * 3
    assert told[-3:] == [(2048, 5000), (4096, 5000), (5000, 5000)]
    assert told == sorted(told)


def test_nearest_neighbours__more_than_the_cells_near_a_row_hold():
    generator = np.random.default_rng(0)
    sizes = [*[150] * 40, 10, 10]
    groups = np.repeat(generator.normal(size=(len(sizes), 64)), sizes, axis=0)
    vectors = (groups + generator.normal(scale=0.001, size=groups.shape)).astype(np.float32)
    found = nearest_neighbours(UnitRows(vectors), 91, exact_below=0)
    assert found.min() >= 0
    right = similarities(vectors, found) >= truth(vectors, 91) - 1e-5
    assert right.mean() >= 0.99


def test_near_pairs__no_more_at_once_than_fit(monkeypatch):
    """Once many were found, fewer rows are looked up together."""
    monkeypatch.setattr(neighbours, "_PAIRS_AT_ONCE", 3000)
    vectors = np.concatenate([np.eye(500, 520), np.full((500, 520), 2.0)]).astype(np.float32)
    vectors[500:] *= np.arange(1, 501, dtype=np.float32)[:, None]
    told, pairs = [], 0
    found = neighbours.near_pairs(UnitRows(vectors), 0.1, progress=lambda *done: told.append(done))
    for first, second in found:
        assert (second < first).all()
        pairs += len(first)
    assert pairs == 500 * 499 // 2
    looked_up = np.diff([done for done, _ in told])
    assert max(looked_up[:10]) == 256
    assert set(looked_up[-20:-1].tolist()) == {6}
    assert told[-1] == (1000, 1000)
