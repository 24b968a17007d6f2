"""Heavy operators say where they run, and their button sends them there."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from relabel.compute.executors import STORE, Announcement


def _queued(dataset):
    from fiftyone.operators.delegated import DelegatedOperationService

    service = DelegatedOperationService()
    return service.list_operations(dataset_id=dataset._doc.id, run_state="queued")


def _forget_executors():
    from fiftyone.operators.store import ExecutionStore

    ExecutionStore.create(STORE).clear()


# "Schedule" is offered only where the App's server is told so; ours must work without, too.
@pytest.mark.parametrize("can_schedule", ["true", "false"])
def test_form__button_sends_it_to_the_executor(start_app, open_app, dataset, can_schedule):
    _forget_executors()
    dataset.persistent = True  # the App's server cleans up others when it starts
    url = start_app(FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS=can_schedule)
    with Announcement("gpu") as announcement:
        app = open_app(url, dataset.name)
        app.page.keyboard.press("Backquote")
        app.page.keyboard.type("Compute uniqueness")
        app.page.get_by_text("Compute uniqueness", exact=True).first.click()
        form = app.prompt()
        expect(form).to_contain_text("Runs on executor gpu")
        app.screenshot(f"delegation-form-{can_schedule}")
        form.get_by_role("button", name="Schedule").first.click()
        app.wait_until(lambda: len(_queued(dataset)) == 1)
        assert _queued(dataset)[0].delegation_target == "gpu"
        assert announcement.id
