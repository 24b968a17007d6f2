from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

import pytest

from relabel.compute.executors import STORE, Announcement, alive


@pytest.fixture(autouse=True)
def _no_executors(database):
    from fiftyone.operators.store import ExecutionStore

    ExecutionStore.create(STORE).clear()


def earlier(heartbeat: str, **by: float) -> str:
    return (datetime.fromisoformat(heartbeat) - timedelta(**by)).isoformat()


def test_alive__nobody():
    assert alive() == []


def test_alive__what_an_executor_says_of_itself():
    with Announcement("gpu", also_untargeted=True) as announcement:
        [found] = alive()
        assert found.id == announcement.id
        assert (found.targets, found.also_untargeted) == (("gpu",), True)
        assert (found.host, found.pid) == (socket.gethostname(), os.getpid())
        assert found.cpus >= 1
        assert found.memory_bytes > 2**28
        assert found.versions["fiftyone"]
        assert found.operation is None
    assert alive() == []


def test_alive__busy():
    with Announcement("gpu") as announcement:
        announcement.busy_with("@relabel/cvat/apply_model")
        assert alive()[0].operation == "@relabel/cvat/apply_model"
        announcement.busy_with(None)
        assert alive()[0].operation is None


def test_alive__stale_ones_are_left_out():
    with Announcement("gpu") as announcement:
        entry = announcement._entry()
        entry["heartbeat"] = earlier(entry["heartbeat"], seconds=60)
        announcement._store.set("gpu@gone:1", entry)
        assert [found.id for found in alive()] == [announcement.id]
        fresh, stale = sorted(one.silent_seconds for one in alive(within_seconds=120))
        assert 0 <= fresh < 15
        assert 60 <= stale < 75


def test_alive__one_with_a_gpu_comes_first():
    with Announcement("z") as announcement:
        entry = {**announcement._entry(), "targets": ["cpu"], "gpus": []}
        announcement._store.set("cpu@host:1", entry)
        announcement._store.set("gpu@host:2", {**entry, "targets": ["gpu"], "gpus": ["H200"]})
        found = alive()
    assert found[0].targets == ("gpu",)
    assert str(found[0]) == f"gpu ({socket.gethostname()}, 1 GPU)"
    assert f"{found[0].cpus} CPU" in str(found[1])


def test_alive__a_wrong_clock_does_not_kill(monkeypatch):
    """Ages are measured by the database's clock."""
    from datetime import UTC

    import relabel.compute.executors as module

    class Late(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz or UTC) - timedelta(hours=1)

    monkeypatch.setattr(module, "datetime", Late)
    with Announcement("gpu") as announcement:
        assert [found.id for found in alive()] == [announcement.id]


def test_announcement__each_has_an_id_of_its_own():
    with Announcement("gpu"), Announcement("gpu"):  # of the same host and pid, as containers have
        assert len(alive()) == 2


def test_announcement__forgets_the_long_dead():
    from fiftyone.operators.store import ExecutionStore

    store = ExecutionStore.create(STORE)
    with Announcement("gpu") as announcement:
        entry = announcement._entry()
        entry["heartbeat"] = earlier(entry["heartbeat"], days=2)
        store.set("gpu@gone:1", entry)
    with Announcement("gpu"):
        assert not store.has("gpu@gone:1")


def test_alive__is_one_read(database):
    import fiftyone.core.odm as foo

    with Announcement("gpu"), Announcement("cpu"):
        profile = foo.get_db_conn()["system.profile"]
        foo.get_db_conn().command("profile", 2)
        try:
            alive()
        finally:
            foo.get_db_conn().command("profile", 0)
        reads = profile.count_documents({"op": "query", "command.filter.store_name": STORE})
        profile.drop()
    assert reads == 1
