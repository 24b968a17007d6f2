"""What curation shows: in the grid, in the Embeddings panel, and on the way to annotators."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from relabel.curation.embedding.embeddings import read_embeddings
from relabel.curation.plotting.layouts import Layout
from relabel.curation.plotting.visualization import compute_visualization
from relabel.curation.selecting.selection import Wishes, select_unique
from relabel.curation.selecting.selection_runs import Marks, save_selection

SEND = "@relabel/cvat/send_to_cvat"


@pytest.fixture(scope="module")
def url(start_app, cvat_variables):
    return start_app(**cvat_variables)


@pytest.fixture
def app(url, open_app, dataset):
    dataset.persistent = True  # the App's server cleans up others when it starts
    vectors = [(1, 0, k / 20) if k < 3 else (0, 1, k / 20) for k in range(6)]
    dataset.set_values("vectors", list(np.array(vectors, dtype=float)))
    return open_app(url, dataset.name)


def test_select_unique__leads_to_the_form_that_sends_it(app, dataset):
    app.browse_operations("Select unique samples")
    form = app.prompt()
    form.get_by_role("spinbutton").first.fill("2")
    form.get_by_role("button", name="Run here").click()
    expect(app.page.get_by_text("2 selected")).to_be_visible()
    expect(app.cy("looker")).to_have_count(2)
    app.screenshot("select-1-output")
    app.page.get_by_role("button", name="Send 2 to CVAT").click()
    expect(app.prompt()).to_contain_text("This sends 2 images")
    assert dataset.count_sample_tags()["unique"] == 2


def test_lasso__is_what_goes_to_annotators(app, dataset):
    vectors = read_embeddings(dataset, "vectors")
    points = compute_visualization(dataset, vectors, "image_plot", Layout("pca")).points
    order = Marks("unique", number_field="choice")
    save_selection(dataset, select_unique(vectors, Wishes(4)), order, {})
    left = np.array(dataset.values("id"))[points[:, 0] < 0]

    app.page.reload()
    app.open_panel("Embeddings")
    app.page.get_by_text("image_plot").click()
    app.page.get_by_label("Color by").click()
    app.page.get_by_text("choice", exact=True).last.click()
    app.screenshot("lasso-1-order-of-choice")
    app.page.get_by_role("button", name="Select", exact=True).click()
    app.draw_lasso(app.cy("panel-content-Embeddings"), (0.05, 0.2), (0.5, 0.9))
    expect(app.page.get_by_text(re.compile(r"^3 samples$")).first).to_be_visible()

    app.cy("fo-grid-actions").get_by_test_id("ExpandMoreIcon").click()
    app.page.locator(f'[data-item-id="{SEND}"]').last.click()  # the toolbar has no room for it
    form = app.prompt()
    expect(form).to_contain_text("This sends 3 images")
    form.get_by_role("button", name="Send", exact=True).click()
    expect(app.page.get_by_text("Open task")).to_be_visible()
    dataset.reload()
    (key,) = dataset.list_annotation_runs()
    assert set(dataset.load_annotation_view(key).values("id")) == set(left)
