"""What curation and evaluation show in the grid."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def app(start_app, open_app, dataset):
    dataset.persistent = True  # the App's server cleans up others when it starts
    return open_app(start_app(), dataset.name)


def test_select_unique__shows_what_it_selected(app, dataset):
    app.run_operator("@relabel/cvat/select_unique", {"count": 2, "tag": "look"})
    expect(app.page.get_by_text(re.compile(r"^2 samples$"))).to_be_visible()
    expect(app.cy("looker")).to_have_count(2)
    assert dataset.count_sample_tags()["look"] == 2
