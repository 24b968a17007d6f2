from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from relabel.compute.lease import LEASE_SECONDS, Lease, now
from relabel.compute.lost import SILENT_SECONDS
from relabel.compute.working import Worker

from .conftest import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is paused")


@pytest.fixture
def worker(database):
    one = Worker()
    yield one
    one.kill()


def _status(worker):
    return psutil.Process(worker.pid).status()


def _stands_still(worker):
    return _status(worker) == psutil.STATUS_STOPPED


def test_lease__ends_before_another_may_begin():
    assert LEASE_SECONDS < SILENT_SECONDS - 2


def test_lease__over_pauses_and_renewed_wakes(worker):
    with Lease(worker, now(), seconds=0.5) as lease:
        assert not _stands_still(worker)
        wait_for(lambda: _stands_still(worker), "The pause")
        lease.renew(now() - 1)  # the answer took longer than a lease lasts
        assert _stands_still(worker)
        lease.renew(now())
        wait_for(lambda: not _stands_still(worker), "The waking")


def test_lease__runs_out_while_the_machine_sleeps(worker, monkeypatch):
    with Lease(worker, now()):
        monkeypatch.setattr(time, "CLOCK_BOOTTIME", time.CLOCK_REALTIME)  # decades further
        wait_for(lambda: _stands_still(worker), "The pause")


def test_lease__of_a_worker_that_is_gone(worker):
    with Lease(worker, now(), seconds=0.0) as lease:
        worker.kill()
        lease.renew(now())


@pytest.fixture
def parent():
    """A process that has started another."""
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"], start_new_session=True) as process:
        yield process
        os.killpg(process.pid, signal.SIGKILL)  # one that stands still would be waited for


def test_lease__over_pauses_what_the_worker_started(worker, parent, monkeypatch):
    monkeypatch.setattr(worker, "_process", parent)
    children = psutil.Process(parent.pid).children
    [child] = wait_for(children, "The child")
    with Lease(worker, now(), seconds=0.0) as lease:
        wait_for(lambda: child.status() == psutil.STATUS_STOPPED, "The pause")
        lease.renew(now() + 60)
        wait_for(lambda: child.status() != psutil.STATUS_STOPPED, "The waking")


def test_lease__released_is_not_looked_at_any_more(worker):
    with Lease(worker, now(), seconds=0.5) as lease:
        wait_for(lambda: _stands_still(worker), "The pause")
        lease.release()
        wait_for(lambda: not _stands_still(worker), "The waking")
        lease.renew(now() - 1)
        lease._watch.join(60)
        assert not lease._watch.is_alive()
    assert not _stands_still(worker)
