"""Real processes, a real database: something dies while an operation runs, and nothing is lost.

``benchmarks/executors.py --faults 50`` plays many such rounds.
"""

from __future__ import annotations

import pytest

from benchmarks._executors import faults, world
from benchmarks._executors.line import line_to


@pytest.fixture(scope="module")
def rounds(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    with line_to(database["FIFTYONE_DATABASE_URI"]) as line:
        running = world.Executors(faults.TARGET, folder / "executors.log")
        played = faults.Rounds(
            folder,
            running,
            environment={"FIFTYONE_DATABASE_URI": line.uri},
            cut=line.cut,
            images=24,
            jobs=[job for job in faults.JOBS if job.operator in ("apply_model", "select_unique")],
        )
        try:
            played.ready()
            played.learn()
            yield played
        finally:
            running.end()
            played.dataset.delete()


@pytest.mark.parametrize(("number", "fault"), [*enumerate(["child", "connections", "cancel"])])
def test_operation__ends_as_if_nothing_had_happened(rounds, number, fault):
    told = rounds.play(number, seed=1, fault=fault)
    assert told["wrong"] == ""
    assert told["state"] == "completed" or fault == "cancel"
    assert told["attempts"] <= 2
