from __future__ import annotations

import numpy as np
import pytest

from relabel.curation.distances.unit_rows import UnitRows
from relabel.curation.errors import EmbeddingsError


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_gather__length_one_whatever_the_scale(scale):
    vectors = (np.random.default_rng(0).normal(size=(20, 8)) * scale).astype(np.float32)
    rows = UnitRows(vectors).gather(np.arange(20))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, -np.inf])
def test_unit_rows__unusable_vector(value):
    vectors = np.ones((5, 3), np.float32)
    vectors[2] = value
    with pytest.raises(EmbeddingsError, match="1 of 5 vectors"):
        UnitRows(vectors)


def test_exact_squared__where_the_product_is_not_exact():
    generator = np.random.default_rng(0)
    first = generator.normal(size=(300, 512)).astype(np.float32)
    second = (first + generator.normal(scale=1e-3, size=first.shape)).astype(np.float32)
    rows = UnitRows(np.concatenate([first, second]))
    found = rows.exact_squared(np.arange(300), np.arange(300, 600))
    a, b = (x.astype(np.float64) for x in (first, second))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    assert found == pytest.approx(((a - b) ** 2).sum(axis=1), rel=1e-12)


def test_exact_squared__copies_are_at_no_distance():
    vectors = np.random.default_rng(0).normal(size=(10, 64)).astype(np.float32)
    rows = UnitRows(np.concatenate([vectors, vectors, vectors * np.float32(0.1)]))
    for offset in (10, 20):
        assert not rows.exact_squared(np.arange(10), np.arange(10) + offset).any()


def test_squared_to_point__of_the_mean():
    vectors = np.random.default_rng(0).normal(size=(700, 6)).astype(np.float32)
    rows = UnitRows(vectors)
    unit = rows.gather(np.arange(700))
    assert rows.mean() == pytest.approx(unit.mean(axis=0), abs=1e-6)
    expected = ((unit - unit.mean(axis=0)) ** 2).sum(axis=1)
    assert rows.squared_to_point(rows.mean()) == pytest.approx(expected, abs=1e-5)
