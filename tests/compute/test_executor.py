from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
from pymongo.errors import AutoReconnect

from relabel.compute import executor, operations, steering
from relabel.compute.executor import LEAVE_SECONDS, require_plugin
from relabel.compute.executors import Announcement, alive
from relabel.compute.lease import LEASE_SECONDS, Lease, now
from relabel.compute.lost import LostRuns

from .conftest import wait_for

if TYPE_CHECKING:
    from pathlib import Path


def _ended(service, run):
    def ended():
        document = service.get(run)
        return document if document.run_state in ("completed", "failed") else None

    return wait_for(ended, f"The end of run {run}")


def _starts(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _started(path: Path, times: int = 1) -> int:
    """Waits until a run has started for the n-th time; returns its process."""
    return wait_for(lambda: _starts(path)[times - 1 : times], "The start of the run")[0]


def _workers(executor: int) -> list[psutil.Process]:
    children = psutil.Process(executor).children()
    return [child for child in children if "relabel.compute.worker" in child.cmdline()]


def _idle(target: str):
    return [e for e in alive() if e.takes(target) and e.operation is None]


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


def test_main__says_that_the_database_is_away(database):
    nobody = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"
    ended = subprocess.run(
        [sys.executable, "-m", "relabel.compute.executor", "--target", "x"],
        env={**os.environ, **database, "FIFTYONE_DATABASE_URI": nobody},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert "FIFTYONE_DATABASE_URI" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_executors__each_takes_its_own_targets_oldest_first(service, queue, start_executor):
    runs = [queue("gpu", name=1), queue("cpu", name=2), queue("big", name=3), queue("gpu", name=4)]
    nobodys = queue("tpu")
    start_executor("gpu", "--target", "big")
    start_executor("cpu")
    ended = [_ended(service, run) for run in runs]
    assert [document.run_state for document in ended] == ["completed"] * 4
    assert [document.result.result["name"] for document in ended] == [1, 2, 3, 4]
    executors = [document.run_link.split("@")[0] for document in ended]
    assert executors == [f"relabel:{name}" for name in ("gpu+big", "cpu", "gpu+big", "gpu+big")]
    assert ended[0].started_at < ended[2].started_at < ended[3].started_at
    assert service.get(nobodys).run_state == "queued"


def test_executors__race_for_200_operations(service, queue, start_executor, tmp_path):
    for name in ("one", "two"):
        start_executor("race", "--also-untargeted", RELABEL_TEST_NAME=name)
    wait_for(lambda: len(_idle("race")) == 2, "Both executors")
    runs = [queue("race", name=n, started=str(tmp_path / str(n))) for n in range(200)]
    ended = [_ended(service, run) for run in runs]
    assert {document.run_state for document in ended} == {"completed"}
    assert [len(_starts(tmp_path / str(n))) for n in range(200)] == [1] * 200
    assert len(Counter(document.run_link for document in ended)) == 2


def test_executor__announces_what_it_runs(service, queue, start_executor, tmp_path, work_plugin):
    run = queue("seen", started=str(tmp_path / "s"), until=str(tmp_path / "go"), name="this")
    process = start_executor("seen", "--also-untargeted")
    _started(tmp_path / "s")
    [found] = [executor for executor in alive() if executor.takes("seen")]
    assert (found.pid, found.operation, found.also_untargeted) == (process.pid, work_plugin, True)
    wait_for(lambda: "working on this" in (service.get(run).log_tail or ""), "The log")
    (tmp_path / "go").touch()
    _ended(service, run)
    wait_for(lambda: _idle("seen"), "Idleness")
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    assert [executor for executor in alive() if executor.takes("seen")] == []


def test_executor__what_is_loaded_stays_loaded(service, queue, start_executor):
    start_executor("warm")
    first, second = queue("warm"), queue("warm")
    processes = [_ended(service, run).result.result["pid"] for run in (first, second)]
    assert processes[0] == processes[1]
    wait_for(lambda: _idle("warm"), "Idleness")
    third = _ended(service, queue("warm"))
    assert (third.started_at - third.queued_at).total_seconds() < 2


def test_executor__failure_keeps_its_traceback_and_is_not_repeated_alone(
    service, queue, start_executor, tmp_path
):
    run = queue("fails", fail=True, started=str(tmp_path / "s"))
    start_executor("fails")
    ended = _ended(service, run)
    assert ended.run_state == "failed"
    assert "told to fail" in ended.result.error
    assert len(_starts(tmp_path / "s")) == 1


def test_executor__failure_is_tried_once_on_another(service, queue, start_executor, tmp_path):
    start_executor("again", RELABEL_TEST_NAME="one")
    start_executor("again", RELABEL_TEST_NAME="two")
    wait_for(lambda: len(_idle("again")) == 2, "Both executors")
    run = queue("again", fail=True, started=str(tmp_path / "s"))
    ended = _ended(service, run)
    assert "told to fail" in ended.result.error
    assert "tried 2 times" in ended.result.error
    assert len(set(_starts(tmp_path / "s"))) == 2


def test_executor__killed_child_is_tried_again_then_failed_with_a_cause(
    service, queue, start_executor, tmp_path
):
    run = queue("killed", started=str(tmp_path / "s"), until=str(tmp_path / "never"))
    after = queue("killed", name="next")
    process = start_executor("killed")
    for times in (1, 2):
        os.kill(_started(tmp_path / "s", times), signal.SIGKILL)
    ended = _ended(service, run)
    assert ended.run_state == "failed"
    assert "memory ran out" in ended.result.error
    assert _ended(service, after).result.result["name"] == "next"
    assert process.poll() is None


def test_executor__killed_child_is_tried_again_where_others_take_other_targets(
    service, queue, start_executor, tmp_path
):
    run = queue("mine", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    with Announcement("other", also_untargeted=True):
        start_executor("mine", "--also-untargeted")
        os.kill(_started(tmp_path / "s"), signal.SIGKILL)
        _started(tmp_path / "s", 2)
    (tmp_path / "go").touch()
    assert _ended(service, run).run_state == "completed"


def test_executor__cancelled_run_ends_within_two_seconds(service, queue, start_executor, tmp_path):
    run = queue("cancelled", started=str(tmp_path / "s"), until=str(tmp_path / "never"))
    start_executor("cancelled")
    child = _started(tmp_path / "s")
    asked = time.monotonic()
    steering.cancel(run)
    wait_for(lambda: not psutil.pid_exists(child), "The end of the run's process")
    assert time.monotonic() - asked < 2
    assert _ended(service, run).result.error == steering.CANCELLED
    assert _ended(service, queue("cancelled")).run_state == "completed"


def test_executor__cancelled_run_has_time_to_take_back_what_it_made(
    service, queue, start_executor, tmp_path
):
    run = queue("takes_back", takes_back=str(tmp_path / "it"))
    start_executor("takes_back")
    wait_for((tmp_path / "it.made").exists, "What is made")
    steering.cancel(run)
    wait_for((tmp_path / "it.taken back").exists, "The end of it")
    assert _ended(service, run).result.error == steering.CANCELLED
    assert _ended(service, queue("takes_back")).run_state == "completed"
    service.delete_operation(steering.repeat(run))


def test_executor__leaves_in_order_while_a_run_takes_back_what_it_made(
    service, queue, start_executor, tmp_path
):
    run = queue("leaves", takes_back=str(tmp_path / "it"), seconds=60)
    process = start_executor("leaves")
    wait_for((tmp_path / "it.made").exists, "What is made")
    steering.cancel(run)
    wait_for(lambda: "takes it back" in (service.get(run).log_tail or ""), "The log")
    process.terminate()
    assert process.wait(LEAVE_SECONDS) == 128 + signal.SIGTERM
    assert not _idle("leaves")


def test_executor__asks_again_whether_a_run_takes_back_what_it_made(queue, monkeypatch):
    """A database that is away for a moment is no reason to kill it."""
    run = queue("asked")
    claim = operations.claim_oldest(["asked"], "a")
    operations.takes_back(claim)
    steering.cancel(run)
    is_taking_back, errors = operations.is_taking_back, [AutoReconnect("away")]

    def ask(claim):
        if errors:
            raise errors.pop()
        return is_taking_back(claim)

    ends = [False, False, True]
    worker = SimpleNamespace(ended=lambda _: ends.pop(0), log_tail=lambda: "")
    leaving = threading.Event()
    leaving.worker = None
    monkeypatch.setattr(executor, "Worker", lambda: worker)
    monkeypatch.setattr(operations, "is_taking_back", ask)
    asking = executor.Executor(SimpleNamespace(id="a"), ["asked"], leaving)
    assert asking._watch(claim, Lease(worker, now()))


def test_executor__sigterm_hands_the_run_back_within_five_seconds(
    service, queue, start_executor, tmp_path
):
    run = queue("handed", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    process = start_executor("handed")
    child = _started(tmp_path / "s")
    process.terminate()
    assert process.wait(5) == 128 + signal.SIGTERM
    assert service.get(run).run_state == "queued"
    assert not psutil.pid_exists(child)
    (tmp_path / "go").touch()
    start_executor("handed")
    assert _ended(service, run).run_state == "completed"


def test_executor__sigterm_while_the_database_is_silent(tmp_path, service, queue, database):
    """The last resort: it leaves though nobody answers it, and takes its child along."""
    from demo import services

    log = (tmp_path / "log").open("ab")
    with log, services.mongod(tmp_path / "database") as uri:
        environment = {**os.environ, **database, "FIFTYONE_DATABASE_URI": uri}
        process = subprocess.Popen(
            [sys.executable, "-m", "relabel.compute.executor", "--target", "silent"],
            env=environment,
            stdout=log,
            stderr=log,
        )
        wait_for(lambda: b"waits for operations" in (tmp_path / "log").read_bytes(), "The start")
        worker = wait_for(lambda: _workers(process.pid), "The worker")[0]
        [mongod] = [
            found
            for found in psutil.Process().children()
            if str(tmp_path / "database") in found.cmdline()
        ]
        mongod.suspend()
        try:
            process.terminate()
            assert process.wait(LEAVE_SECONDS + 2) == 128 + signal.SIGTERM
        finally:
            mongod.resume()
    assert not worker.is_running()


def test_executor__killed_itself_takes_its_child_along_and_another_runs_it(
    service, queue, start_executor, tmp_path
):
    run = queue("lost", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    process = start_executor("lost")
    child = _started(tmp_path / "s")
    process.kill()
    process.wait()
    wait_for(lambda: not psutil.pid_exists(child), "The end of the orphan")
    assert service.get(run).run_state == "running"
    wait_for(LostRuns("other", silent_seconds=3).pass_on, "The loss")
    start_executor("lost")
    _started(tmp_path / "s", 2)
    (tmp_path / "go").touch()
    assert _ended(service, run).run_state == "completed"


def test_executor__does_not_lose_its_run_with_its_connections(
    service, queue, start_executor, tmp_path, line
):
    run = queue("cut", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    start_executor("cut", FIFTYONE_DATABASE_URI=line.uri)
    _started(tmp_path / "s")
    assert line.cut() > 2
    (tmp_path / "go").touch()
    assert _ended(service, run).run_state == "completed"
    assert len(_starts(tmp_path / "s")) == 1
    assert line.cut() > 2
    assert _ended(service, queue("cut")).run_state == "completed"


def test_executor__cut_off_stands_still_before_another_begins(
    service, queue, start_executor, tmp_path, line
):
    """Each process that works on it notes when; the two do not overlap."""
    beats, go = tmp_path / "beats", tmp_path / "go"
    run = queue("fenced", beats=str(beats), until=str(go), started=str(tmp_path / "s"))
    start_executor("fenced", FIFTYONE_DATABASE_URI=line.uri)
    first = _started(tmp_path / "s")
    start_executor("fenced", RELABEL_TEST_NAME="other")
    wait_for(lambda: _idle("fenced"), "The other executor")
    line.silence(30)
    second = _started(tmp_path / "s", 2)
    assert psutil.Process(first).status() == psutil.STATUS_STOPPED
    wait_for(lambda: not psutil.pid_exists(first), "The end of the first process")
    go.touch()
    assert _ended(service, run).run_state == "completed"
    noted = [line.split() for line in beats.read_text().splitlines()]
    moments = {
        process: [float(moment) for pid, moment in noted if int(pid) == process]
        for process in (first, second)
    }
    assert max(moments[first]) < min(moments[second])


def test_executor__cut_off_alone_goes_on_when_the_database_is_back(
    service, queue, start_executor, tmp_path, line
):
    run = queue("alone", started=str(tmp_path / "s"), until=str(tmp_path / "go"))
    start_executor("alone", FIFTYONE_DATABASE_URI=line.uri)
    worker = psutil.Process(_started(tmp_path / "s"))
    line.silence(LEASE_SECONDS + 4)
    wait_for(lambda: worker.status() == psutil.STATUS_STOPPED, "The pause")
    wait_for(lambda: worker.status() != psutil.STATUS_STOPPED, "The end of the pause")
    (tmp_path / "go").touch()
    assert _ended(service, run).run_state == "completed"
    assert len(_starts(tmp_path / "s")) == 1


def test_executor__killed_while_its_child_is_paused_takes_it_along(
    queue, start_executor, tmp_path, line
):
    queue("paused", started=str(tmp_path / "s"), until=str(tmp_path / "never"))
    executor = start_executor("paused", FIFTYONE_DATABASE_URI=line.uri)
    worker = psutil.Process(_started(tmp_path / "s"))
    line.silence(60)
    wait_for(lambda: worker.status() == psutil.STATUS_STOPPED, "The pause")
    executor.kill()
    executor.wait()
    wait_for(lambda: not worker.is_running(), "The end of the orphan")
