"""The kernels of a GPU, computed by TensorFlow wherever it runs, beside NumPy's and FAISS's."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest

from relabel.compute.arrays import full_precision, gpu_arrays, gpu_arrays_for
from relabel.curation.distances import on_gpu
from relabel.curation.distances.neighbours import nearest_neighbours
from relabel.curation.distances.on_gpu import NearestOnGpu
from relabel.curation.distances.unit_rows import UnitRows
from relabel.curation.selecting.farthest import farthest_first

ON_GPU = partial(NearestOnGpu, ops=keras.ops)


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch):
    monkeypatch.setattr(on_gpu, "_ROWS", 300)


def vectors_with_copies(count=1000, seed=0):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 32)).astype(np.float32)
    copies = generator.integers(0, count, (2, count // 4))
    vectors[copies[0]] = vectors[copies[1]] * generator.uniform(0.5, 2, (count // 4, 1))
    return vectors


@pytest.mark.parametrize("seeds", [(), (3, 500)])
def test_farthest_first__the_same_choice(seeds):
    rows = UnitRows(vectors_with_copies())
    options = {"seeds": seeds, "alike": 1.0}
    found = farthest_first(rows, 200, nearest=ON_GPU, **options)
    expected = farthest_first(rows, 200, **options)
    ours, theirs = (rows.gather(np.array(one.order)) for one in (found, expected))
    assert np.allclose(ours, theirs, atol=1e-6)  # of copies either one
    assert found.distances == pytest.approx(expected.distances, abs=1e-5)
    assert found.radii == pytest.approx(expected.radii, abs=1e-5)
    assert found.covered == expected.covered


def test_farthest_first__copies_are_at_no_distance():
    vectors = vectors_with_copies(40)
    vectors[20:] = vectors[:20]
    rows = UnitRows(vectors)
    distinct = len(np.unique(vectors[:20] / np.linalg.norm(vectors[:20], axis=1)[:, None], axis=0))
    found = farthest_first(rows, 40, nearest=ON_GPU)
    assert min(found.distances[: distinct - 6]) > 0.1
    assert found.radii[-1] == 0


def test_nearest_neighbours__as_near_as_those_of_faiss():
    rows = UnitRows(vectors_with_copies())
    steps = []
    found = nearest_neighbours(rows, 3, ops=keras.ops, progress=lambda *step: steps.append(step))
    assert steps[-1] == (1000, 1000)
    each = np.arange(1000)
    assert not (found == each[:, None]).any()
    expected = nearest_neighbours(rows, 3)
    for place in range(3):
        ours, theirs = (
            rows.exact_squared(each, found[:, place]),
            rows.exact_squared(each, expected[:, place]),
        )
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_nearest_neighbours__no_room_on_the_gpu(monkeypatch):
    class ResourceExhaustedError(Exception):
        pass

    def full(*_args, **_options):
        raise ResourceExhaustedError

    rows = UnitRows(vectors_with_copies(100))
    monkeypatch.setattr("relabel.curation.distances.neighbours.EveryPairOnGpu", full)
    assert (nearest_neighbours(rows, 3, ops=keras.ops) == nearest_neighbours(rows, 3)).all()


def test_full_precision__is_put_back():
    from tensorflow.config import experimental

    before = experimental.tensor_float_32_execution_enabled()
    with full_precision():
        assert not experimental.tensor_float_32_execution_enabled()
    assert experimental.tensor_float_32_execution_enabled() == before


def test_gpu_arrays__none_where_keras_sees_no_gpu():
    there = bool(keras.distribution.list_devices("gpu"))
    assert (gpu_arrays() is not None) == there
    assert (gpu_arrays_for(1 << 40) is not None) == there
    assert gpu_arrays_for(1000) is None
