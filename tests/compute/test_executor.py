from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from relabel.compute.executor import (
    accepted_targets,
    oldest_queued,
    reap_lost_runs,
    require_plugin,
)
from relabel.compute.executors import Announcement, alive

from .conftest import wait_for

if TYPE_CHECKING:
    from pathlib import Path


def _ended(service, run):
    def ended():
        document = service.get(run)
        return document if document.run_state in ("completed", "failed") else None

    return wait_for(ended, f"The end of run {run}")


def _started(path: Path) -> int:
    return int(wait_for(lambda: path.exists() and path.read_text(), "The start of the run"))


def test_oldest_queued__by_target_in_order(service, queue):
    first = queue("gpu")
    other = queue("cpu")
    queue("gpu")
    untargeted = queue(None)
    assert oldest_queued(service, ["gpu"]).id == first
    assert oldest_queued(service, ["cpu"]).id == other
    assert oldest_queued(service, accepted_targets("tpu", also_untargeted=True)).id == untargeted
    assert oldest_queued(service, accepted_targets("tpu", also_untargeted=False)) is None


def test_oldest_queued__handed_back_keeps_its_place(service, queue):
    first, second = queue("place"), queue("place")
    service.set_running(first)
    assert oldest_queued(service, ["place"]).id == second
    service.set_queued(first)
    assert oldest_queued(service, ["place"]).id == first


def test_require_plugin__visible_here(work_plugin):
    require_plugin()


def test_main__refuses_without_the_plugin(database, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-m", "relabel.compute.executor", "--target", "x"],
        env={**os.environ, **database, "FIFTYONE_PLUGINS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "FIFTYONE_PLUGINS_DIR" in ended.stderr


def test_executors__each_takes_its_own_target_oldest_first(service, queue, start_executor):
    runs = [queue("gpu", name=1), queue("cpu", name=2), queue("gpu", name=3)]
    nobodys = queue("tpu")
    start_executor("gpu")
    start_executor("cpu")
    ended = [_ended(service, run) for run in runs]
    assert [document.run_state for document in ended] == ["completed"] * 3
    assert [document.result.result["name"] for document in ended] == [1, 2, 3]
    executors = [document.run_link.split("@")[0] for document in ended]
    assert executors == ["relabel:gpu", "relabel:cpu", "relabel:gpu"]
    assert ended[0].started_at < ended[2].started_at
    assert service.get(nobodys).run_state == "queued"
    service.delete_operation(nobodys)


def test_executor__announces_what_it_runs(service, queue, start_executor, tmp_path, work_plugin):
    run = queue("seen", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    process = start_executor("seen", "--also-untargeted")
    _started(tmp_path / "s")
    [found] = [executor for executor in alive() if executor.target == "seen"]
    assert (found.pid, found.operation, found.also_untargeted) == (process.pid, work_plugin, True)
    (tmp_path / "go").touch()
    _ended(service, run)
    wait_for(
        lambda: [e for e in alive() if e.target == "seen" and e.operation is None], "Idleness"
    )
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert [executor for executor in alive() if executor.target == "seen"] == []


def test_executor__failure_keeps_its_traceback(service, queue, start_executor):
    run = queue("fails", fail=True)
    start_executor("fails")
    ended = _ended(service, run)
    assert ended.run_state == "failed"
    assert "told to fail" in ended.result.error


def test_executor__killed_child_ends_in_failed_with_a_cause(
    service, queue, start_executor, tmp_path
):
    run = queue("killed", started=str(tmp_path / "s"), until=str(tmp_path / "never"))
    after = queue("killed", name="next")
    process = start_executor("killed")
    os.kill(_started(tmp_path / "s"), signal.SIGKILL)
    ended = _ended(service, run)
    assert ended.run_state == "failed"
    assert "memory ran out" in ended.result.error
    assert _ended(service, after).result.result["name"] == "next"
    assert process.poll() is None


def test_executor__sigterm_hands_the_run_back_and_leaves_no_orphan(
    service, queue, start_executor, tmp_path
):
    run = queue("handed", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    process = start_executor("handed")
    child = _started(tmp_path / "s")
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    assert service.get(run).run_state == "queued"
    assert not psutil.pid_exists(child)
    (tmp_path / "go").touch()
    start_executor("handed")
    assert _ended(service, run).run_state == "completed"


def test_executor__killed_itself_takes_its_child_along_and_is_reaped(
    service, queue, start_executor, tmp_path
):
    run = queue("lost", started=str(tmp_path / "s"), until=str(tmp_path / "never"))
    process = start_executor("lost")
    child = _started(tmp_path / "s")
    process.kill()
    process.wait()
    wait_for(lambda: not psutil.pid_exists(child), "The end of the orphan")
    assert service.get(run).run_state == "running"
    with Announcement("other") as reaper:
        lost = wait_for(lambda: reap_lost_runs(service, reaper.id, 2), "The reaping")
    assert run in lost
    assert "was lost" in service.get(run).result.error


def test_reap_lost_runs__leaves_the_living_alone(service, queue):
    run = queue("alive")
    with Announcement("alive") as announcement:
        link = f"relabel:{announcement.id}"
        service.set_running(run, run_link=link, monitored=True)
        assert reap_lost_runs(service, "another") == []
        assert reap_lost_runs(service, announcement.id) == [run]  # the idle one runs nothing
    assert service.get(run).run_state == "failed"


@pytest.mark.parametrize(("minutes", "reaped"), [(1, False), (60, True)])
def test_reap_lost_runs__of_other_workers_by_their_last_sign(service, queue, minutes, reaped):
    run = queue("foreign")
    service.set_running(run, run_link="stock", monitored=True)
    seen = datetime.now(UTC) - timedelta(minutes=minutes)
    service._repo._collection.update_one({"_id": run}, {"$set": {"updated_at": seen}})
    assert (run in reap_lost_runs(service, "reaper")) is reaped
    service.delete_operation(run)
