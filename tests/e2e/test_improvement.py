"""What the ledger's panel shows of a round that mended a label, and the samples behind it."""

import csv
import io
import re

import fiftyone.operators as foo
import pytest
from playwright.sync_api import expect

from relabel.annotation import Request, RoundField, connect, field_facts, make_plan, push
from relabel.evaluation.detections import evaluate_detections
from tests.annotator import Annotator

PULL = "@relabel/cvat/pull_annotations"
WRONG_BY = 5  # pixels of 64


@pytest.fixture(scope="module")
def server(start_app, cvat_variables):
    return start_app(**cvat_variables)


@pytest.fixture
def evaluated(dataset):
    """A model that finds all there is, and a first label that lies too far to the right."""
    dataset.persistent = True  # the App's server cleans up others when it starts
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box[0] += WRONG_BY / 64
    sample.save()
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    return dataset


@pytest.fixture
def mended(evaluated, cvat, cvat_variables, monkeypatch):
    """A round of all images, of which the annotator has put the wrong label right."""
    for name, value in cvat_variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FIFTYONE_CVAT_TOKEN", raising=False)
    field = RoundField("ground_truth", field_facts(evaluated, "ground_truth").to_schema())
    record = push(evaluated, make_plan(evaluated, Request("fix_1", (field,))), connect())
    annotator = Annotator(cvat, "lead")
    (job,) = annotator.jobs(record.tasks[0].id)
    annotator.move_first_box(job["id"], -WRONG_BY)
    annotator.set_state(job["id"], "completed")
    return evaluated


def test_panel__says_what_to_do_when_nothing_is_evaluated(server, open_app, dataset):
    dataset.persistent = True
    app = open_app(server, dataset.name)
    app.open_improvement_panel()
    expect(app.cy("relabel-empty")).to_contain_text("Nothing measured yet")
    expect(app.cy("relabel-evaluate")).to_be_enabled()


def test_panel__shows_what_a_round_gained_and_the_samples_behind_it(server, open_app, mended):
    app = open_app(server, mended.name)
    panel = app.open_improvement_panel()
    expect(app.cy("relabel-no-round")).to_contain_text("No round has changed its labels yet")
    app.screenshot("improvement-1-no-round")

    foo.execute_operator(PULL, dataset=mended, params={"key": "fix_1"})  # a colleague, elsewhere
    expect(app.cy("relabel-headline")).to_contain_text("→ 1.000")  # nobody touched the panel
    expect(app.cy("relabel-headline")).to_contain_text("1 round, 1 label mended in about 1 min")
    expect(app.cy("relabel-yardstick")).to_contain_text("labels that fix_1 mended (1 image)")
    app.cy("relabel-point-0").hover()
    expect(app.page.get_by_role("tooltip")).to_contain_text("fix_1")
    row = app.cy("relabel-entry-0")
    expect(row).to_contain_text(re.compile(r"\+0\.\d{3}"))
    app.screenshot("improvement-2-pulled")

    app.cy("relabel-open-0").click()
    expect(app.cy("relabel-class-cat")).to_contain_text("→ 1.000")
    expect(app.cy("relabel-class-cat")).to_contain_text("1 image")
    expect(app.cy("relabel-gain-class-dog")).to_be_disabled()
    app.cy("relabel-gain-class-cat").click()
    expect(app.page.get_by_text(re.compile(r"^1 sample$"))).to_be_visible()
    app.screenshot("improvement-3-behind")

    with app.page.expect_download() as download:
        app.cy("relabel-save").click()
    assert download.value.suggested_filename == f"{mended.name}-eval.csv"
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [(row["round"], row["after"]) for row in rows if row["measure"] == "mAP"] == [
        ("fix_1", "1.0")
    ]
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth"), "it overflows"


def test_panel__says_what_could_not_be_evaluated_again_and_tries_again(server, open_app, mended):
    mended.rename_sample_field("predictions", "old")
    app = open_app(server, mended.name)
    panel = app.open_improvement_panel()
    foo.execute_operator(PULL, dataset=mended, params={"key": "fix_1"})  # a colleague, elsewhere
    warning = app.cy("relabel-unmeasured")
    expect(warning).to_contain_text("'eval' could not be evaluated again after fix_1")
    expect(warning).to_contain_text("'predictions' is no field of the dataset.")
    expect(app.cy("relabel-no-round")).to_have_count(0)
    app.screenshot("improvement-4-unmeasured")
    assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth"), "it overflows"

    mended.rename_sample_field("old", "predictions")
    app.cy("relabel-try-again").click()
    expect(app.cy("relabel-headline")).to_contain_text("→ 1.000")
    expect(warning).to_have_count(0)
