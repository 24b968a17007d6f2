"""The panel's methods as the React half calls them. None may ever raise."""

import importlib
import json

import fiftyone.operators as foo
import fiftyone.utils.labelstudio as fouls
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor

from demo.services import free_port
from relabel.annotation import (
    Request,
    RoundField,
    connect,
    field_facts,
    make_plan,
    push,
    samples_of_job,
)
from relabel.evaluation.detections import evaluate_detections
from tests.annotator import Annotator

PANEL = "@relabel/cvat/cvat_status"


@pytest.fixture
def cvat_environment(cvat, monkeypatch):
    monkeypatch.setenv("FIFTYONE_CVAT_URL", cvat.url)
    monkeypatch.setenv("FIFTYONE_CVAT_USERNAME", "lead")
    monkeypatch.setenv("FIFTYONE_CVAT_PASSWORD", cvat.users["lead"])
    monkeypatch.delenv("FIFTYONE_CVAT_TOKEN", raising=False)


@pytest.fixture
def annotator(cvat, cvat_environment):
    return Annotator(cvat, "lead")


@pytest.fixture
def job_ids(dataset, annotator):
    """A round of three jobs."""
    facts = field_facts(dataset, "ground_truth")
    schema = facts.to_schema()
    plan = make_plan(
        dataset, Request("fix_1", (RoundField("ground_truth", schema),), images_per_job=2)
    )
    record = push(dataset, plan, connect())
    return [job["id"] for job in annotator.jobs(record.tasks[0].id)]


def call(dataset, method, **params):
    """Calls a method; returns its answer and what it asked of the App."""
    request = {"panel_id": "p", "__method__": method, "panel_state": {}, **params}
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": request},
        executor=Executor(),
        operator_uri=PANEL,
    )
    answer = foo.get_operator(PANEL).execute(ctx)
    asked = [sent.operator_uri.rsplit("/", 1)[-1] for sent in ctx.executor._requests]
    return json.loads(json.dumps(answer)), asked


def test_render__hands_over_every_method(dataset):
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": {}}, operator_uri=PANEL
    )
    view = foo.get_operator(PANEL).render(ctx).to_json()["view"]
    assert view["component"] == "RelabelCvatStatus"
    for method in (
        "refresh",
        "preview_pull",
        "pull",
        "undo",
        "try_again",
        "progress",
        "cancel",
        "people",
        "update_jobs",
        "send_to_review",
        "show_samples",
    ):
        assert view[method] == f"{PANEL}#{method}"


def test_refresh__says_what_is_not_configured(dataset, monkeypatch):
    monkeypatch.setenv("FIFTYONE_CVAT_URL", "")
    answer, _ = call(dataset, "refresh")
    assert answer["connection"]["state"] == "unconfigured"
    assert answer["connection"]["advice"]


def test_refresh__says_why_the_server_cannot_be_asked(dataset, cvat_environment, monkeypatch):
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("FIFTYONE_CVAT_URL", url)
    answer, _ = call(dataset, "refresh")
    connection = answer["connection"]
    assert (connection["state"], connection["url"]) == ("error", url)
    assert connection["message"]


def test_refresh__shows_rounds_and_hides_the_password(dataset, job_ids, annotator, cvat):
    annotator.set_state(job_ids[0], "completed")
    answer, _ = call(dataset, "refresh")
    assert answer["connection"]["user"] == "lead"
    (shown,) = answer["rounds"]
    assert shown["jobs_by_state"] == {"new": 2, "in progress": 0, "completed": 1, "rejected": 0}
    assert (shown["images_done"], shown["images"], shown["unpulled_jobs"]) == (2, 6, 1)
    jobs = shown["tasks"][0]["jobs"]
    assert [job["id"] for job in jobs] == job_ids
    assert jobs[0]["url"].startswith(cvat.url)
    assert cvat.users["lead"] not in json.dumps(answer)


def test_refresh__shows_a_run_that_cannot_be_a_round_with_the_reason(dataset, cvat_environment):
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")
    (shown,) = call(dataset, "refresh")[0]["rounds"]
    assert (shown["key"], shown["state"], shown["tasks"]) == ("elsewhere", "left", [])
    assert shown["problem"] == {
        "message": "The run 'elsewhere' was sent to labelstudio, and not to CVAT.",
        "advice": "Load it with dataset.load_annotations('elsewhere').",
    }


def test_pull__does_what_the_preview_says_and_undo_takes_it_back(dataset, job_ids, annotator):
    before = dataset.values("ground_truth.detections.bounding_box")
    annotator.move_first_box(job_ids[0], 5)
    annotator.delete_last_box(job_ids[0])
    annotator.set_state(job_ids[0], "completed")

    preview, _ = call(dataset, "preview_pull", key="fix_1")
    assert preview["counts"] == {"moved": 1, "removed": 1}
    assert preview["sample_ids"]["moved"] == [dataset.first().id]

    assert preview["jobs"] == job_ids[:1]

    annotator.set_state(job_ids[1], "completed")  # meanwhile; nobody has reviewed it
    pulled, asked = call(dataset, "pull", key="fix_1", jobs=preview["jobs"])
    assert (pulled["counts"], pulled["samples"]) == (preview["counts"], 2)
    assert pulled["message"] == "Merged into 2 samples: 1 moved, 1 removed."
    assert "reload_dataset" in asked
    dataset.reload()
    assert dataset.first().ground_truth.detections[0].bounding_box[0] == pytest.approx(13 / 64)
    shown = call(dataset, "refresh")[0]["rounds"][0]
    assert (shown["unpulled_jobs"], shown["can_undo"]) == (1, True)

    undone, asked = call(dataset, "undo", key="fix_1")
    assert "2 samples" in undone["message"]
    assert "reload_dataset" in asked
    dataset.reload()
    assert dataset.values("ground_truth.detections.bounding_box") == before


def test_pull__says_what_could_not_be_evaluated_again_and_try_again_does_it(
    dataset, job_ids, annotator
):
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    assert call(dataset, "refresh")[0]["rounds"][0]["unmeasured"] == []
    dataset.rename_sample_field("predictions", "old")
    annotator.move_first_box(job_ids[0], 5)
    annotator.set_state(job_ids[0], "completed")

    pulled, _ = call(dataset, "pull", key="fix_1")
    assert pulled["message"] == "Merged into 1 sample: 1 moved."
    (problem,) = pulled["problems"]
    reason = "'eval' could not be evaluated again after fix_1: 'predictions' is no field"
    assert problem.startswith(reason)
    (missing,) = call(dataset, "refresh")[0]["rounds"][0]["unmeasured"]
    assert f"{missing['message']} {missing['advice']}" == problem
    undone, _ = call(dataset, "undo", key="fix_1")
    assert undone["problems"] == [problem]
    call(dataset, "pull", key="fix_1")
    tried, _ = call(dataset, "try_again", key="fix_1")
    assert tried == {"message": "Nothing could be evaluated again.", "problems": [problem]}

    dataset.rename_sample_field("old", "predictions")
    tried, asked = call(dataset, "try_again", key="fix_1")
    assert tried["message"].startswith("Evaluated again: eval: mAP 1.000 -> 0.")
    assert (tried["problems"], "reload_dataset" in asked) == ([], True)
    assert call(dataset, "refresh")[0]["rounds"][0]["unmeasured"] == []
    tried, _ = call(dataset, "try_again", key="fix_1")
    assert tried == {"message": "Nothing was left to evaluate.", "problems": []}


def test_preview_pull__draws_each_change_and_pull_leaves_out_what_it_is_told(
    dataset, job_ids, annotator
):
    annotator.move_first_box(job_ids[0], 5)
    annotator.delete_last_box(job_ids[0])
    annotator.set_state(job_ids[0], "completed")
    preview, _ = call(dataset, "preview_pull", key="fix_1")
    assert preview["more_samples"] == 0
    first = preview["samples"][0]
    assert (first["id"], first["filepath"]) == (dataset.first().id, dataset.first().filepath)
    assert (first["width"], first["height"], first["job"]) == (64, 48, job_ids[0])
    (moved,) = first["changes"]
    assert (moved["kinds"], moved["conflict"]) == (["moved"], False)
    assert moved["before"]["parts"] == [[8, 12, 24, 12, 24, 36, 8, 36]]
    assert moved["after"]["parts"] == [[13, 12, 29, 12, 29, 36, 13, 36]]

    pulled, _ = call(dataset, "pull", key="fix_1", leave_out=[moved["reference"]])
    assert pulled["counts"] == {"removed": 1}
    again, _ = call(dataset, "preview_pull", key="fix_1")
    assert again["counts"] == {"moved": 1}, "what was left out is offered again"


def test_preview_pull__of_many_samples_and_changes_the_first_are_told(
    dataset, job_ids, annotator, monkeypatch
):
    for job_id in job_ids[:2]:
        annotator.move_first_box(job_id, 5)
        annotator.delete_last_box(job_id)
        annotator.set_state(job_id, "completed")
    whole, _ = call(dataset, "preview_pull", key="fix_1")
    assert whole["sample_counts"] == {kind: len(ids) for kind, ids in whole["sample_ids"].items()}
    panel = importlib.import_module(foo.get_operator(PANEL).__module__.rpartition(".")[0])
    monkeypatch.setattr(panel.cvat_json, "_MOST_IDS", 1)
    monkeypatch.setattr(panel.review_json, "_MOST_CHANGES", 1)
    told, _ = call(dataset, "preview_pull", key="fix_1")
    assert told["sample_counts"] == whole["sample_counts"]
    assert told["counts"] == whole["counts"]
    assert all(len(ids) == 1 for ids in told["sample_ids"].values())
    for sample, full in zip(told["samples"], whole["samples"], strict=True):
        assert sample["changes"] == full["changes"][:1]
        assert sample["more_changes"] == len(full["changes"]) - 1


def test_preview_pull__says_what_cannot_be_taken_over(dataset, job_ids, annotator):
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = None
    sample.save()
    annotator.set_state(job_ids[0], "completed")
    preview, _ = call(dataset, "preview_pull", key="fix_1")
    assert any(sample.id in problem for problem in preview["problems"])


def test_preview_pull__looks_at_the_jobs_that_are_asked_for(dataset, job_ids, annotator):
    annotator.move_first_box(job_ids[0], 5)
    annotator.move_first_box(job_ids[1], 5)
    annotator.set_state(job_ids[0], "completed")
    counts = [
        call(dataset, "preview_pull", key="fix_1", **narrowed)[0]["counts"]
        for narrowed in ({}, {"states": []}, {"states": ["new"]}, {"assignees": ["ann.c"]})
    ]
    assert counts == [{"moved": 1}, {"moved": 2}, {"moved": 1}, {}]


def test_pull__decides_conflicts_as_it_is_told(dataset, job_ids, annotator):
    annotator.move_first_box(job_ids[0], 5)
    annotator.set_state(job_ids[0], "completed")
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0, 0, 0.5, 0.5]
    sample.save()
    assert call(dataset, "pull", key="fix_1")[0]["message"] == "1 conflict not merged."
    pulled, _ = call(dataset, "pull", key="fix_1", policy="cvat_wins")
    assert pulled["samples"] == 1
    dataset.reload()
    box = dataset.first().ground_truth.detections[0].bounding_box
    assert box[0] == pytest.approx(13 / 64)


def test_show_samples__of_a_figure_and_of_a_round(dataset, job_ids):
    some = dataset.values("id")[:2]
    assert "set_view" in call(dataset, "show_samples", sample_ids=some)[1]
    answer, asked = call(dataset, "show_samples", key="fix_1")
    assert "error" not in answer
    assert "set_view" in asked


def test_show_samples__of_a_job(dataset, job_ids):
    assert samples_of_job(dataset, "fix_1", connect(), job_ids[1]) == dataset.values("id")[2:4]
    answer, asked = call(dataset, "show_samples", key="fix_1", job=job_ids[1])
    assert "error" not in answer
    assert "set_view" in asked
    answer, _ = call(dataset, "show_samples", key="fix_1", job=0)
    assert "no job 0" in answer["error"]["message"]


def test_preview_pull__puts_the_fields_of_an_image_together(dataset, annotator):
    dataset.clone_sample_field("ground_truth", "second")
    names = ("ground_truth", "second")
    fields = tuple(RoundField(name, field_facts(dataset, name).to_schema()) for name in names)
    record = push(dataset, make_plan(dataset, Request("both", fields)), connect())
    (job,) = annotator.jobs(record.tasks[0].id)
    annotator.move_first_box(job["id"], 5)
    annotator.delete_last_box(job["id"])
    preview, _ = call(dataset, "preview_pull", key="both", states=[])
    changed = [(s["id"], [c["field"] for c in s["changes"]]) for s in preview["samples"]]
    assert preview["counts"] == {"moved": 1, "removed": 1}
    assert len({sample_id for sample_id, _ in changed}) == len(changed)
    assert {field for _, found in changed for field in found} == set(names)


@pytest.mark.parametrize("method", ["preview_pull", "pull", "undo"])
def test_methods__answer_with_what_went_wrong(dataset, cvat_environment, method):
    answer, asked = call(dataset, method, key="nothing")
    assert "nothing" in answer["error"]["message"]
    assert "reload_dataset" not in asked


def test_methods__answer_what_nobody_foresaw(dataset, cvat_environment, caplog):
    answer, _ = call(dataset, "show_samples")
    assert "unforeseen" in answer["error"]["message"]
    assert "show_samples failed" in caplog.text


def test_people__names_whom_cvat_shows(dataset, cvat_environment):
    answer, _ = call(dataset, "people")
    assert {"lead", "ann.a", "ann.b", "ann.c"} <= set(answer["people"])


def test_update_jobs__gives_jobs_to_a_person(dataset, job_ids, annotator):
    changed = {"key": "fix_1", "jobs": job_ids[:2], "assignee": "ann.a", "state": "in progress"}
    answer, _ = call(dataset, "update_jobs", **changed)
    assert answer == {"changed": job_ids[:2], "message": "Changed 2 jobs."}
    jobs = call(dataset, "refresh")[0]["rounds"][0]["tasks"][0]["jobs"]
    shown = [(job["assignee"], job["state"], job["type"]) for job in jobs]
    assert shown[:2] == [("ann.a", "in progress", "annotation")] * 2
    assert shown[2] == (None, "new", "annotation")


def test_update_jobs__an_unknown_person_is_an_error(dataset, job_ids):
    changed = {"key": "fix_1", "jobs": job_ids, "assignee": "nobody_of_that_name"}
    answer, _ = call(dataset, "update_jobs", **changed)
    assert "nobody_of_that_name" in answer["error"]["message"]


def test_send_to_review__says_that_there_are_no_reviewers(dataset, job_ids):
    answer, _ = call(dataset, "send_to_review", key="fix_1", jobs=job_ids[:1])
    assert "no reviewers" in answer["error"]["message"]
