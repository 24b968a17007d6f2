"""Real processes, a real database: something dies while an operation runs, and nothing is lost.

``benchmarks/executors.py --faults 50`` plays many such rounds.
"""

from __future__ import annotations

import pytest

from benchmarks._executors import faults, world
from benchmarks._executors.jobs import JOBS


@pytest.fixture(scope="module")
def rounds(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    dataset = world.make_dataset(folder / "images", 24)
    jobs = [job for job in JOBS if job.operator in ("apply_model", "select_unique")]
    with faults.Rounds(dataset, folder / "executors.log", jobs=jobs) as played:
        played.learn()
        yield played
    dataset.delete()


@pytest.mark.parametrize(("number", "fault"), [*enumerate(["child", "connections", "cancel"])])
def test_operation__ends_as_if_nothing_had_happened(rounds, number, fault):
    told = rounds.play(number, seed=1, faults=[fault])
    assert told["wrong"] == ""
    assert told["ended"] == "completed" or fault == "cancel"
    assert told["attempts"] <= 2
