from __future__ import annotations

import numpy as np
import pytest

from relabel.curation.distances import copies
from relabel.curation.distances.copies import first_of_each


@pytest.mark.parametrize("at_once", [1, 20, 1 << 18])
def test_first_of_each__as_python_finds_it(monkeypatch, at_once):
    monkeypatch.setattr(copies, "_NUMBERS_AT_ONCE", at_once)
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(9, 7)).astype(np.float32)[generator.integers(9, size=60)]
    seen: dict[bytes, int] = {}
    expected = [seen.setdefault(row.tobytes(), place) for place, row in enumerate(vectors)]
    assert first_of_each(vectors).tolist() == expected
    assert first_of_each(np.asfortranarray(vectors)).tolist() == expected


def test_first_of_each__a_hash_that_others_have_too(monkeypatch):
    """Of those nothing is said: at worst all of them are compared."""

    class Constant:
        def integers(self, *_, size, dtype):
            return np.full(size, -1, np.int64).astype(dtype)

    monkeypatch.setattr(np.random, "default_rng", lambda _: Constant())
    vectors = np.array([[1, 2], [2, 1], [1, 2], [2, 1]], np.float32)
    assert first_of_each(vectors).tolist() == [0, 1, 0, 3]
