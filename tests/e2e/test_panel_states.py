"""What the panel says before there is anything to show."""

import re

import pytest
from playwright.sync_api import expect

from demo.services import free_port


@pytest.fixture
def named(dataset):
    dataset.persistent = True  # the App's server cleans up others when it starts
    return dataset.name


def test_panel__says_what_to_set_up(start_app, open_app, named):
    app = open_app(start_app(FIFTYONE_CVAT_URL=""), named)
    panel = app.open_cvat_panel()
    expect(app.cy("relabel-unconfigured")).to_contain_text("FIFTYONE_CVAT_URL")
    expect(panel).to_contain_text("not set up")


def test_panel__says_what_to_do_when_nothing_is_out(start_app, open_app, named, cvat_variables):
    app = open_app(start_app(**cvat_variables), named)
    panel = app.open_cvat_panel()
    expect(app.cy("relabel-empty")).to_contain_text("Select samples in the grid")
    expect(panel).to_contain_text(re.compile(r"connected to 127\.0\.0\.1:\d+ as lead"))
    app.cy("relabel-send").click()
    expect(app.prompt()).to_contain_text("Send to CVAT")


def test_panel__says_why_the_server_cannot_be_asked(start_app, open_app, named, cvat_variables):
    nobody = f"http://127.0.0.1:{free_port()}"
    app = open_app(start_app(**{**cvat_variables, "FIFTYONE_CVAT_URL": nobody}), named)
    app.open_cvat_panel()
    expect(app.cy("relabel-error")).to_contain_text(nobody.removeprefix("http://"))
    with app.page.expect_response(re.compile("/operators/execute")):
        app.cy("relabel-retry").click()
