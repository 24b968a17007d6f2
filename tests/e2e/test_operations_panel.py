"""The panel of operations, with a real executor: start, watch, cancel, run again."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect


@pytest.fixture
def named(dataset):
    from fiftyone.operators.store import ExecutionStore

    from relabel.compute.executors import STORE

    ExecutionStore.create(STORE).clear()
    dataset.persistent = True  # the App's server cleans up others when it starts
    return dataset.name


@pytest.fixture
def executor(database, tmp_path):
    """Starts an executor for target ``gpu``."""
    command = [sys.executable, "-m", "relabel.compute.executor", "--target", "gpu"]
    with (tmp_path / "executor.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **database})
        yield process
        process.terminate()
        process.wait(30)


def _open(app):
    app.page.evaluate(
        "(done) => window.__foo__.executeOperator('open_panel',"
        " {name: 'operations', layout: 'horizontal', isActive: true})"
    )
    app.cy("relabel-operations").wait_for()
    return app.cy("relabel-operations")


def _queue(app, name="compute_uniqueness", **params):
    app.run_operator(f"@relabel/cvat/{name}", {"run_on": "gpu", **params})


def test_panel__says_how_to_start_an_executor(start_app, open_app, named):
    app = open_app(start_app(), named)
    panel = _open(app)
    expect(app.cy("relabel-no-executor")).to_contain_text("make executor TARGET=gpu")
    expect(panel).to_contain_text("no executor")


def test_panel__cancel_and_run_again(start_app, open_app, named, request):
    app = open_app(start_app(), named)
    panel = _open(app)
    _queue(app)
    app.cy("relabel-refresh").click()
    expect(app.cy("relabel-standstill")).to_contain_text("No executor for gpu is alive")
    app.cy("relabel-cancel").click()
    expect(panel.locator('[data-stage="cancelled"]')).to_be_visible()
    app.cy("relabel-repeat").click()
    expect(panel.locator('[data-stage="queued"]')).to_be_visible()
    expect(app.cy("relabel-repeat")).to_have_count(0)
    request.getfixturevalue("executor")
    done = panel.locator('[data-stage="completed"]')
    app.wait_until(lambda: _refreshed(app) and done.count() == 1, 90)
    expect(panel).to_contain_text(re.compile(r"took .* on gpu@"))
    expect(app.cy("relabel-executors")).to_contain_text("GiB")
    _queue(app, "apply_model", model_path="/none/of/this/name")
    failed = panel.locator('[data-stage="failed"]')
    app.wait_until(lambda: _refreshed(app) and failed.count() == 1, 30)
    expect(app.cy("relabel-cause")).to_contain_text("/none/of/this/name")
    app.screenshot("operations-panel")
    failed.get_by_label(re.compile("Log of")).click()
    expect(app.cy("relabel-log")).to_contain_text("Traceback")
    expect(app.cy("relabel-log")).to_contain_text("apply_model begins")
    expect(app.cy("relabel-asked")).to_contain_text("model path/none/of/this/name")
    app.cy("relabel-result").click()
    expect(app.page.get_by_text("Samples compared")).to_be_visible()


def _refreshed(app) -> bool:
    with app.page.expect_response(re.compile("/operators/execute")):
        app.cy("relabel-refresh").click()
    return True
