from __future__ import annotations

from types import SimpleNamespace

import pytest

from .app import module_of_plugin


@pytest.fixture
def clock(monkeypatch):
    """The time that the module sees; and the module."""
    pace, clock = module_of_plugin("operators.running.pace"), SimpleNamespace(now=100.0)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: clock.now))
    clock.module = pace
    return clock


def test_pace__by_what_was_done_since_it_was_first_told(clock):
    pace = clock.module.Pace()
    assert pace.left(0.5) == ""  # an earlier run had done half of it
    clock.now += 0.5
    assert pace.left(0.55) == ""  # that is too short to tell
    clock.now += 59.5
    assert pace.left(0.6) == ", 4 minutes left"
    assert pace.left(1.0) == ""


def test_pace__begins_anew_with_the_next_part(clock):
    pace = clock.module.Pace()
    pace.left(0.0)
    clock.now += 1000
    assert pace.left(1.0) == pace.left(0.1) == ""
    clock.now += 20
    assert pace.left(0.2) == ", 3 minutes left"


def test_paced__adds_it_to_what_is_told(clock):
    told = []
    report = clock.module.paced(lambda share, label: told.append((share, label)))
    report(0.0, "Checking")
    clock.now += 30
    report(0.5, "Sent 3 of 6 MB")
    assert told == [(0.0, "Checking"), (0.5, "Sent 3 of 6 MB, 30 seconds left")]
