from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relabel.curation.distances.unit_rows import UnitRows
from relabel.curation.selecting.farthest import farthest_first
from relabel.curation.selecting.rules import NO_GROUP, Rules

# Small whole numbers in few dimensions: many ties and many duplicates.
LATTICE = hnp.arrays(
    np.float32, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=st.integers(-2, 2)
).map(lambda vectors: vectors[np.abs(vectors).sum(axis=1) > 0])
RULES = st.fixed_dictionaries(
    {
        "apart": st.sampled_from([0.0, 0.3, 1.2]),
        "weighted": st.booleans(),
        "balanced": st.booleans(),
        "most": st.sampled_from([None, 1, 3]),
    }
)


def distances_of(vectors):
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return np.linalg.norm(unit[:, None] - unit[None], axis=2)


def rules_of(count, wish, seed=0):
    generator = np.random.default_rng(seed)
    return Rules(
        apart=wish["apart"],
        weights=generator.choice([0.5, 1.0, 2.0], count).astype(np.float32)
        if wish["weighted"]
        else None,
        balance=generator.integers(NO_GROUP, 3, count) if wish["balanced"] else None,
        limit=generator.integers(NO_GROUP, 3, count) if wish["most"] else None,
        most=wish["most"] or 1,
    )


def allowed(rules, seeds, order, nearest):
    """The rows that may be next, by the words of `Rules`."""
    free = np.ones(len(nearest), bool)
    free[[*seeds, *order]] = False
    free &= nearest >= rules.apart - 1e-4
    if rules.limit is not None:
        for group in set(rules.limit.tolist()) - {NO_GROUP}:
            if (rules.limit[list(order)] == group).sum() >= rules.most:
                free &= rules.limit != group
    if rules.balance is not None and free.any():
        had = {group: int((rules.balance[list(order)] == group).sum()) for group in rules.balance}
        fewest = min(had[group] for group in rules.balance[free])
        free &= np.array([had[group] == fewest for group in rules.balance])
    return free


def assert_farthest_first(vectors, rules, seeds, found):
    """Every choice is as good as the best that there is."""
    distances = distances_of(vectors)
    weights = np.ones(len(vectors)) if rules.weights is None else rules.weights
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    from_mean = np.linalg.norm(unit - unit.mean(axis=0), axis=1)
    for step, row in enumerate(found.order):
        before = [*seeds, *found.order[:step]]
        if not before:  # nothing is too close to what is not there yet
            assert (from_mean * weights)[row] >= (from_mean * weights).max() - 1e-3
            continue
        nearest = distances[:, before].min(axis=1)
        free = allowed(rules, seeds, [*found.order[:step]], nearest)
        wanted = nearest * weights
        assert found.distances[step] == pytest.approx(nearest[row], abs=1e-3)
        assert free[row]
        assert wanted[row] >= wanted[free].max() - 1e-3
        assert found.radii[step] == pytest.approx(nearest.max(), abs=1e-3)
        assert found.covered[step] == np.count_nonzero(nearest <= 0.5)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(vectors=LATTICE, wish=RULES, data=st.data())
def test_farthest_first__as_good_as_brute_force(vectors, wish, data):
    if not len(vectors):
        return
    count = data.draw(st.integers(1, len(vectors)))
    seeds = data.draw(st.lists(st.integers(0, len(vectors) - 1), max_size=3, unique=True))
    rules = rules_of(len(vectors), wish)
    found = farthest_first(UnitRows(vectors), count, seeds=seeds, rules=rules, alike=0.5)
    assert len(set(found.order) | set(seeds)) == len(found.order) + len(seeds)
    assert_farthest_first(vectors, rules, seeds, found)
    if len(found.order) < count and (found.order or seeds):
        nearest = distances_of(vectors)[:, [*seeds, *found.order]].min(axis=1)
        assert not allowed(rules, seeds, list(found.order), nearest - 2e-4).any()


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("seeds", [(), (3, 700, 1200)])
def test_farthest_first__the_pool_changes_nothing(seeds, balanced):
    """Enough rows that most are outside the pool."""
    generator = np.random.default_rng(0)
    vectors = np.repeat(generator.normal(size=(40, 12)), 50, axis=0)
    vectors = (vectors + generator.normal(scale=0.3, size=vectors.shape)).astype(np.float32)
    wish = {"apart": 0.2, "weighted": True, "balanced": balanced, "most": 40}
    rules = rules_of(len(vectors), wish)
    found = farthest_first(UnitRows(vectors), 40, seeds=seeds, rules=rules, alike=0.5)
    assert len(found.order) == 40
    assert found.passes < 40
    assert_farthest_first(vectors, rules, seeds, found)


@given(vectors=LATTICE, wish=RULES)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_farthest_first__the_first_n_are_the_answer_for_n(vectors, wish):
    if not len(vectors):
        return
    rules = rules_of(len(vectors), wish)
    whole = farthest_first(UnitRows(vectors), len(vectors), rules=rules).order
    for count in {1, len(vectors) // 2, len(vectors)} - {0}:
        assert farthest_first(UnitRows(vectors), count, rules=rules).order == whole[:count]


@pytest.mark.parametrize("seeds", [(), (3, 700, 1200)])
@pytest.mark.parametrize("options", itertools.product([0.0, 0.2], *[[False, True]] * 2, [None, 9]))
def test_farthest_first__the_first_n_with_every_combination(seeds, options):
    """Of many more rows than the pool holds, with many that are as near."""
    generator = np.random.default_rng(7)
    vectors = generator.integers(-1, 2, (3000, 6)).astype(np.float32)
    vectors = vectors[vectors.any(axis=1)]
    rules = rules_of(
        len(vectors), dict(zip(("apart", "weighted", "balanced", "most"), options, strict=True))
    )
    rows = UnitRows(vectors)
    whole = farthest_first(rows, 60, seeds=seeds, rules=rules, alike=0.5)
    for count in (1, 2, 3, 7, 26, 59):
        part = farthest_first(rows, count, seeds=seeds, rules=rules, alike=0.5)
        assert part.order == whole.order[:count]
        chosen = len(part.order)
        assert part.distances == whole.distances[:chosen]
        assert part.radii == whole.radii[: chosen + 1]
        assert part.covered == whole.covered[: chosen + 1]


def test_farthest_first__of_equals_the_first():
    found = farthest_first(UnitRows(np.eye(300, dtype=np.float32)), 300)
    assert list(found.order) == list(range(300))


def test_farthest_first__identical_rows_take_few_passes():
    found = farthest_first(UnitRows(np.ones((3000, 4), np.float32)), 500)
    assert list(found.order) == list(range(500))
    assert found.passes < 20
    assert found.radii[1] == 0


def test_farthest_first__duplicates_only_when_all_is_covered():
    vectors = np.random.default_rng(0).normal(size=(200, 32)).astype(np.float32)
    copies = np.concatenate([vectors, 3 * vectors, vectors])
    found = farthest_first(UnitRows(copies), 300)
    assert sorted(row % 200 for row in found.order[:200]) == list(range(200))
    assert found.distances[200:] == (0.0,) * 100


def test_farthest_first__balance_holds_at_every_moment():
    generator = np.random.default_rng(1)
    groups = np.repeat([0, 1, 2], [900, 90, 10])
    vectors = generator.normal(size=(1000, 8)).astype(np.float32)
    order = farthest_first(UnitRows(vectors), 60, rules=Rules(balance=groups)).order
    for count in range(3, 31, 3):
        assert np.bincount(groups[list(order[:count])]).tolist() == [count // 3] * 3
    assert np.bincount(groups[list(order)]).tolist() == [25, 25, 10]


def test_farthest_first__of_a_file_as_in_memory(tmp_path):
    vectors = np.random.default_rng(2).normal(size=(500, 16)).astype(np.float32)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert (
        farthest_first(UnitRows(mapped), 50).order == farthest_first(UnitRows(vectors), 50).order
    )


def test_farthest_first__progress_can_cancel():
    def stop(done, total):
        steps.append((done, total))
        raise KeyboardInterrupt

    steps = []
    vectors = np.random.default_rng(3).normal(size=(500, 16)).astype(np.float32)
    with pytest.raises(KeyboardInterrupt):
        farthest_first(UnitRows(vectors), 400, progress=stop)
    assert steps[0][1] == 400


def test_farthest_first__distances_never_grow():
    vectors = np.random.default_rng(4).normal(size=(600, 5)).astype(np.float32)
    distances = farthest_first(UnitRows(vectors), 600).distances[1:]
    assert all(a >= b - 1e-5 for a, b in itertools.pairwise(distances))
