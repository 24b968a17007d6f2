"""Real processes, a real database: something dies while an operation runs, and nothing is lost.

``make test-faults`` plays fifty random rounds. With ``RELABEL_FAULT_SEED`` those of a seed are
played again; the moments are then about the same.
"""

from __future__ import annotations

import os
import random
import sys

import pytest

from benchmarks._executors import exchanges, faults, world
from benchmarks._executors.jobs import JOBS
from benchmarks._executors.places import Places, describe, is_on_ray

ROUNDS = int(os.environ.get("RELABEL_FAULT_ROUNDS", "2"))
SEED = int(os.environ.get("RELABEL_FAULT_SEED") or random.randrange(10**6))


@pytest.fixture(scope="module")
def rounds(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    dataset = world.make_dataset(folder / "images", 24)
    jobs = [job for job in JOBS if job.operator in ("apply_model", "select_unique")]
    # A target of its own: its executors know nothing of the CVAT of the rounds below.
    log = folder / "executors.log"
    with faults.Rounds(dataset, log, target="three", jobs=jobs) as played:
        yield played
    dataset.delete()


@pytest.mark.parametrize(("number", "fault"), [*enumerate(["child", "connections", "cancel"])])
def test_operation__ends_as_if_nothing_had_happened(rounds, number, fault):
    told = rounds.play(number, seed=1, faults=[fault])
    assert told["wrong"] == ""
    assert told["ended"] == "completed" or fault == "cancel"
    assert told["attempts"] <= 2


@pytest.fixture(scope="module")
def places(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rounds")
    times = 2 if ROUNDS > 10 else 1
    with exchanges.cvat(folder / "cvat") as client, Places(folder, client, times=times) as found:
        yield found


@pytest.mark.parametrize("number", sorted(range(ROUNDS), key=is_on_ray))
def test_any_operation__any_fault_at_any_moment(places, number, capsys):
    told = describe(places.play(number, SEED))
    with capsys.disabled():
        sys.stdout.write(f"\nRELABEL_FAULT_SEED={SEED}: {told}\n")
    assert told.endswith("As undisturbed.")
