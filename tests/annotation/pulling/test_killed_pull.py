"""Killed at any write of a pull or of its undoing: the next call finds all of it or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from relabel.annotation import pull, rounds_status, undo_pull
from tests.annotation.pulling.test_crash import edited, undo_if_there_is_one
from tests.annotation.sending.test_resume import environment_of

__all__ = ["edited"]

pytestmark = pytest.mark.cvat


@pytest.fixture
def killed(dataset, cvat_config):
    """Pulls or undoes in a process that is killed at a write; says whether it was."""
    dataset.persistent = True
    with subprocess.Popen(
        [sys.executable, "-m", "tests.annotation.pulling.killed_pull"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env=environment_of(cvat_config),
    ) as process:

        def killed(action, writes):
            order = {"action": action, "dataset": dataset.name, "writes": writes}
            process.stdin.write(f"{json.dumps({**order, 'key': 'round_1'})}\n")
            process.stdin.flush()
            status = int(process.stdout.readline())
            assert status in {0, -9}
            dataset.reload()
            return status == -9

        yield killed
        process.stdin.close()


def test_pull__killed_at_any_write(dataset, client, edited, killed):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    undo_pull(dataset, "round_1")
    for writes in count():
        if not killed("pull", writes):
            break
        finished = edited() == after
        rounds_status(dataset, client)
        assert edited() == (after if finished else before), f"killed at write {writes}"
        pull(dataset, "round_1", client)
        assert edited() == after
        undo_if_there_is_one(dataset)
        assert edited() == before
    assert writes > 6
    assert edited() == after


def test_undo_pull__killed_at_any_write(dataset, client, edited, killed):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    for writes in count():
        if not killed("undo", writes):
            break
        not_begun = edited() == after
        rounds_status(dataset, client)
        assert edited() == (after if not_begun else before), f"killed at write {writes}"
        pull(dataset, "round_1", client)
        assert edited() == after
    assert writes > 5
    assert edited() == before
