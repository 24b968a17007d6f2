from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from demo.services import app_server
from scripts.browser import MISSING, find_browser
from tests.e2e.app import OUTSIDE, QUIET, App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.cvat_server import RunningServer

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


# One browser for each file: Playwright's event loop must not outlive it, because FiftyOne behaves
# differently in a thread that has one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def start_app(database: dict[str, str]) -> Iterator[Callable[..., str]]:
    """Starts the App's server with some more variables; returns its address."""
    with contextlib.ExitStack() as servers:
        yield lambda **env: servers.enter_context(app_server({**database, **env}))


@pytest.fixture
def open_app(
    browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], App]]:
    """Opens a dataset in the App at an address. Leaves a screenshot; no script may have failed."""
    with contextlib.ExitStack() as closing:

        def open_app(url: str, dataset: str) -> App:
            context = browser.new_context(viewport={"width": 1500, "height": 900})
            closing.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            context.route(OUTSIDE, lambda route: route.abort())
            context.add_init_script(QUIET)
            app = App(context.new_page(), url)
            closing.callback(app.screenshot, request.node.name)
            app.open_dataset(dataset)
            opened.append(app)
            return app

        opened: list[App] = []
        yield open_app
        assert [error for app in opened for error in app.page_errors] == []


@pytest.fixture(scope="session")
def cvat_variables(cvat: RunningServer) -> dict[str, str]:
    """The variables under which the App's server works as the lead of the annotators."""
    return {
        "FIFTYONE_CVAT_URL": cvat.url,
        "FIFTYONE_CVAT_USERNAME": "lead",
        "FIFTYONE_CVAT_PASSWORD": cvat.users["lead"],
    }
