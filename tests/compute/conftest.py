"""A second plugin whose operators wait, fail and die on command, and executors that run them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks._executors.line import Line, line_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLUGIN = "@relabel-tests/compute"
DEADLINE_SECONDS = 120.0
_SOURCE = '''
import os
import threading
import time
import fiftyone.operators as foo


class Work(foo.Operator):
    """Notes its process, waits for a file if told to, and notes when it did; ends as told to."""

    @property
    def config(self):
        return foo.OperatorConfig(name="work", allow_delegated_execution=True)

    def execute(self, ctx):
        if "started" in ctx.params:
            with open(ctx.params["started"], "a") as file:
                print(os.getpid(), file=file)
        print("working on", ctx.params.get("name"), flush=True)
        while "until" in ctx.params and not os.path.exists(ctx.params["until"]):
            if "beats" in ctx.params:
                with open(ctx.params["beats"], "a") as file:
                    print(os.getpid(), time.monotonic(), file=file)
            threading.Event().wait(0.05)
        if "takes_back" in ctx.params:
            self._go_on_until_cancelled(ctx)
        if ctx.params.get("fail"):
            raise ValueError("told to fail")
        return {"pid": os.getpid(), "name": ctx.params.get("name")}

    def _go_on_until_cancelled(self, ctx):
        from relabel.compute import operations

        claim = operations.Claim.from_json(ctx.request_params[operations.CLAIM])
        assert operations.takes_back(claim)
        open(ctx.params["takes_back"] + ".made", "w").close()
        while operations.holds(claim):
            threading.Event().wait(0.05)
        print("takes it back", flush=True)
        threading.Event().wait(ctx.params.get("seconds", 2))
        os.rename(ctx.params["takes_back"] + ".made", ctx.params["takes_back"] + ".taken back")


def register(plugin):
    plugin.register(Work)
'''


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Waits until a condition holds; returns what it returned."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen within {DEADLINE_SECONDS:.0f} s")


@pytest.fixture(scope="session")
def work_plugin(database) -> str:
    """The URI of an operator that works on command, visible to every process of these tests."""
    folder = Path(os.environ["FIFTYONE_PLUGINS_DIR"]) / PLUGIN
    folder.mkdir(parents=True)
    (folder / "fiftyone.yml").write_text(f'name: "{PLUGIN}"\noperators:\n  - work\n')
    (folder / "__init__.py").write_text(_SOURCE)
    return f"{PLUGIN}/work"


@pytest.fixture
def service():
    from fiftyone.operators.delegated import DelegatedOperationService

    return DelegatedOperationService()


@pytest.fixture
def queue(work_plugin, dataset, service) -> Iterator[Callable[..., Any]]:
    """Queues the operator that works on command; returns the id of the run."""
    import fiftyone.operators as foo
    from bson import ObjectId

    runs = []

    def queue_work(target: str | None = None, **params: Any) -> ObjectId:
        queued = foo.execute_operator(
            work_plugin,
            dataset=dataset,
            params=params,
            request_delegation=True,
            delegation_target=target,
        )
        runs.append(ObjectId(queued.result["id"]))
        return runs[-1]

    yield queue_work
    for run in runs:
        service.delete_operation(run)


@pytest.fixture
def start_executor(database, tmp_path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts executors, and ends those that the test left."""
    with contextlib.ExitStack() as running:

        def start(target: str, *arguments: str, **environment: str) -> subprocess.Popen:
            log = running.enter_context((tmp_path / f"{target}.log").open("ab"))
            process = subprocess.Popen(
                [sys.executable, "-m", "relabel.compute.executor", "--target", target, *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, **database, **environment},
            )
            running.callback(_end, process)
            return process

        yield start


@pytest.fixture
def line(database) -> Iterator[Line]:
    """A way to the database of these tests that can be cut."""
    with line_to(database["FIFTYONE_DATABASE_URI"]) as line:
        yield line


def _end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
