"""The whole loop, as one person at the App and one in CVAT go through it."""

import re

import pytest
from playwright.sync_api import expect

from tests.annotator import Annotator

SEND = "@relabel/cvat/send_to_cvat"
TAG = "@relabel/cvat/tag_for_annotation"
MOVED_BY = 5  # pixels of 64


@pytest.fixture
def app(start_app, open_app, dataset, cvat_variables):
    dataset.persistent = True  # the App's server cleans up others when it starts
    return open_app(start_app(**cvat_variables), dataset.name)


def test_loop__tag_send_watch_pull_see_undo(app, dataset, cvat):
    app.select_samples(2)
    app.press_toolbar(TAG)
    app.wait_until(lambda: dataset.match_tags("requires_annotation").count() == 2)

    app.press_toolbar(SEND)
    form = app.prompt()
    expect(form).to_contain_text("This sends 2 images")
    form.get_by_role("button", name="Send", exact=True).click()
    expect(app.page.get_by_text("Open task")).to_be_visible()
    app.page.get_by_role("button", name="Done").click()
    dataset.reload()
    (key,) = dataset.list_annotation_runs()

    app.cy("relabel-panel").wait_for()  # it opened by itself
    card = app.cy(f"relabel-round-{key}")
    expect(card).to_contain_text("0 of 2 images done")
    app.screenshot("loop-1-sent")

    annotator = Annotator(cvat, "lead")
    task_id = annotator.tasks(key)[0]["id"]
    (job,) = annotator.jobs(task_id)
    app.cy(f"relabel-job-more-{job['id']}").click()
    app.cy("relabel-job-assignee").select_option("ann.b")
    app.wait_until(
        lambda: (annotator.jobs(task_id)[0]["assignee"] or {}).get("username") == "ann.b"
    )
    app.screenshot("loop-1-assigned")
    app.page.keyboard.press("Escape")

    annotator.move_first_box(job["id"], MOVED_BY)
    annotator.set_state(job["id"], "completed")
    expect(card).to_contain_text("2 of 2 images done")  # nobody touched the App
    app.screenshot("loop-2-finished")

    card.get_by_role("button", name="Pull 1 finished job").click()
    app.cy("relabel-cancel").press("Escape")
    expect(app.cy("relabel-review")).to_be_hidden()
    card.get_by_role("button", name="Pull 1 finished job").click()
    expect(app.cy("relabel-figure-moved")).to_contain_text("1")
    app.cy("relabel-figure-moved").click()
    expect(app.page.get_by_text(re.compile(r"^1 sample$"))).to_be_visible()
    before = app.grid_image()
    app.screenshot("loop-3-preview")
    app.cy("relabel-merge").click()
    expect(app.cy("relabel-notice")).to_contain_text("1 moved")
    app.wait_until(lambda: app.grid_image() != before)  # the box is drawn elsewhere
    app.screenshot("loop-4-merged")
    dataset.reload()
    assert left_of_first_box(dataset) == pytest.approx((8 + MOVED_BY) / 64)
    expect(card).to_contain_text("all merged")

    app.cy("relabel-notice-undo").click()
    expect(app.cy("relabel-notice")).to_contain_text("as they were before")
    app.wait_until(lambda: app.grid_image() == before)
    dataset.reload()
    assert left_of_first_box(dataset) == 8 / 64


def left_of_first_box(dataset) -> float:
    return dataset.first().ground_truth.detections[0].bounding_box[0]
