"""The pause of the garbage collector ends with the work, however it ends."""

from __future__ import annotations

import gc

import pytest

from relabel.annotation.pulling.collector import collector_paused


@collector_paused()
def fail():
    raise KeyError


def test_collector_paused__comes_back_after_an_error():
    with pytest.raises(KeyError):
        fail()
    assert gc.isenabled()


def test_collector_paused__leaves_a_pause_around_it_alone():
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
