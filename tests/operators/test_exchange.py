"""Sending, pulling and undoing as a user does it: by forms, in Python, and delegated."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import list_rounds
from relabel.cvat import JobState
from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import load_entries
from tests.operators.app import SERVER, delegate, execute, form, problems, requests_of, texts

pytestmark = pytest.mark.cvat


@pytest.fixture
def sent(dataset, server):
    """A round of two images; it is removed from the server after the test."""
    view = dataset.limit(2)
    result = execute("send_to_cvat", dataset, {"what": "view", "key": "r"}, view=view)
    yield result.result
    for task in result.result["tasks"]:
        server.delete_task(task["id"])


def complete(server, dataset):
    """Moves one box of the round in CVAT, and completes its job."""
    (record,) = list_rounds(dataset)
    task = record.tasks[0]
    shape = server.task_annotations(task.id).shapes[0]
    body = {"version": 0, "tags": [], "tracks": [], "shapes": [shape.to_json() | {"id": shape.id}]}
    body["shapes"][0]["points"] = [0.0, 0.0, 32.0, 24.0]
    path = f"/api/tasks/{task.id}/annotations"
    server._transport.send_json("PATCH", path, body, {"action": "update"})
    server.set_job(task.jobs[0], state=JobState.COMPLETED)


def test_send_form__says_what_would_be_sent(dataset, server):
    fields = form("send_to_cvat", dataset, {"what": "dataset", "images_per_job": 4})
    assert problems(fields) == []
    assert "This sends 6 images (0.0 MB) with 12 labels as 1 task, 2 jobs." in texts(fields)
    params = {"what": "dataset", "images_per_task": 3, "images_per_job": 2}
    assert "as 2 tasks, 4 jobs." in texts(form("send_to_cvat", dataset, params))


def test_send_form__prefers_the_selection_and_reads_it(dataset, server):
    ids = dataset.limit(3).values("id")
    fields = form("send_to_cvat", dataset, {}, selected=ids)
    assert fields["what"]["default"] == "selected"
    assert "This sends 3 images" in texts(fields)


def test_send_form__says_how_many_samples_each_answer_means(dataset, server):
    dataset.limit(2).tag_samples("requires_annotation")
    view = dataset.limit(4)
    fields = form("send_to_cvat", dataset, {}, view=view._serialize(), selected=view.values("id"))
    labels = [choice["label"] for choice in fields["what"]["view"]["choices"]]
    assert labels == [
        "4 selected samples",
        "2 tagged requires_annotation",
        "current view: 4",
        "dataset: 6",
    ]
    labels = form("send_to_cvat", dataset, {"tag": "even"})["what"]["view"]["choices"]
    assert labels[0]["label"] == "3 tagged even"


def test_send_form__is_small_until_more_is_asked_for(dataset, server):
    small = form("send_to_cvat", dataset, {"what": "dataset"})
    assert not {"classes", "images_per_task", "include_out"} & small.keys()
    assert "2 classes: cat, dog" in small["edit_labels"]["view"]["description"]
    whole = form("send_to_cvat", dataset, {"what": "dataset", "edit_labels": True, "more": True})
    assert {"classes", "images_per_task", "include_out"} <= whole.keys()


def test_send_form__what_is_folded_away_does_not_count(dataset, server):
    answers = {"what": "dataset", "images_per_task": 3, "images_per_job": 2, "classes": ["cat"]}
    unfolded = form("send_to_cvat", dataset, {**answers, "more": True, "edit_labels": True})
    assert any("dog" in problem for problem in problems(unfolded))
    folded = form("send_to_cvat", dataset, {**answers, "more": False, "edit_labels": False})
    assert problems(folded) == []
    assert "as 1 task, 3 jobs." in texts(folded)


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["crowd", "note"]),
        ({"attributes": ["note"]}, ["note"]),
        ({"which_attributes": "none"}, []),
        ({"which_attributes": "some"}, []),
    ],
)
def test_send__all_some_or_no_attributes_travel(dataset, server, params, names):
    dataset.set_values("ground_truth.detections.crowd", [[True, False]] * 6, dynamic=True)
    dataset.set_values("ground_truth.detections.note", [["a", "b"]] * 6, dynamic=True)
    execute("send_to_cvat", dataset, {"what": "dataset", "key": "r", **params})
    (record,) = list_rounds(dataset)
    server.delete_task(record.tasks[0].id)
    assert [item.name for item in record.fields[0].schema.attributes] == names


def test_send__instance_masks_as_polygons(dataset, server):
    params = {"what": "dataset", "key": "r", "edit_labels": True}
    assert "outlined" not in form("send_to_cvat", dataset, params), "there is no mask"
    sample = dataset.first()
    sample.ground_truth.detections[0].mask = np.ones((8, 8), bool)
    sample.save()
    assert "outlined" in form("send_to_cvat", dataset, params)
    execute("send_to_cvat", dataset, {**params, "outlined": True})
    (record,) = list_rounds(dataset)
    shapes = server.task_annotations(record.tasks[0].id).shapes
    server.delete_task(record.tasks[0].id)
    assert sorted({shape.type for shape in shapes}) == ["polygon", "rectangle"]


def test_send__more_fields_in_one_round(dataset, server):
    dataset.clone_sample_field("ground_truth", "second")
    dataset.clone_sample_field("ground_truth", "third")
    fields = form("send_to_cvat", dataset, {"what": "dataset", "more": True})
    offered = [choice["value"] for choice in fields["more_fields"]["view"]["choices"]]
    assert {"second", "third"} <= set(offered)
    assert "ground_truth" not in offered
    params = {"what": "dataset", "key": "r", "more_fields": ["third"]}
    sent = execute("send_to_cvat", dataset, params).result
    (record,) = list_rounds(dataset)
    server.delete_task(record.tasks[0].id)
    assert [item.name for item in record.fields] == ["ground_truth", "third"]
    assert sent["labels"] == 24


@pytest.mark.parametrize(
    ("params", "advice"),
    [
        ({"what": "selected"}, "Select some in the grid"),
        ({"what": "tagged", "tag": "none"}, "no images to send"),
        ({"what": "dataset", "key": "taken"}, "Choose another name"),
        ({"what": "dataset", "key": "not a name"}, "underscores"),
        ({"what": "dataset", "label_field": "filepath"}, "not a field of labels"),
        ({"what": "dataset", "label_field": "(new field)"}, "Name it"),
        ({"what": "dataset", "classes": ["cat"]}, "dog"),
        ({"what": "dataset", "attributes": ["nothing"]}, "Leave it out"),
        ({"what": "saved_view", "saved_view": "gone"}, "Choose another"),
    ],
)
def test_send_form__says_what_is_wrong_before_the_click(dataset, server, params, advice):
    register_run(dataset, "taken")
    fields = form("send_to_cvat", dataset, params)
    assert any(advice in problem for problem in problems(fields)), problems(fields)


def register_run(dataset, key):
    from relabel.annotation import RoundField
    from relabel.annotation.stock.stock import register_run
    from relabel.cvat import FrameSpan
    from relabel.labels import LabelSchema

    field = RoundField("ground_truth", LabelSchema(("cat",)))
    register_run(dataset, key, url="http://c", fields=(field,), span=FrameSpan())


@pytest.mark.parametrize("name", ["send_to_cvat", "pull_annotations"])
def test_forms__no_server_is_configured(dataset, monkeypatch, name):
    for variable in SERVER:
        monkeypatch.delenv(variable, raising=False)
    # FiftyOne read the environment when it was imported.
    monkeypatch.setitem(fo.annotation_config.backends, "cvat", {})
    (problem,) = problems(form(name, dataset))
    assert "FIFTYONE_CVAT_" in problem


def test_forms__ask_no_server(dataset, monkeypatch):
    monkeypatch.setenv("FIFTYONE_CVAT_URL", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("FIFTYONE_CVAT_TOKEN", "t")
    assert problems(form("send_to_cvat", dataset, {"what": "dataset"})) == []


def test_send__an_unreachable_server_is_a_clear_error(dataset, monkeypatch):
    monkeypatch.setenv("FIFTYONE_CVAT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FIFTYONE_CVAT_TOKEN", "t")
    with pytest.raises(Exception, match=r"cannot be reached. Check FIFTYONE_CVAT_URL"):
        execute("send_to_cvat", dataset, {"what": "dataset"})
    assert list_rounds(dataset) == []


def test_loop__send_pull_undo_at_once(dataset, server, sent):
    assert (sent["images"], sent["labels"], sent["jobs"]) == (2, 4, 1)
    assert sent["tasks"][0]["url"] == server.task_url(sent["tasks"][0]["id"])
    before = dataset.first().ground_truth.detections[0].bounding_box
    complete(server, dataset)
    review = execute("review_changes", dataset, {"key": "r"}).result
    assert (review["counts"], review["unchanged"]) == ({"moved": 1}, 3)
    assert [(row["sample"], row["change"]) for row in review["rows"]] == [
        (dataset.first().id, "moved")
    ]
    pulled = execute("pull_annotations", dataset, {"key": "r"})
    assert pulled.result["counts"] == {"moved": 1}
    assert "reload_dataset" in requests_of(pulled)
    assert dataset.first().ground_truth.detections[0].bounding_box == [0.0, 0.0, 0.5, 0.5]
    undone = execute("undo_pull", dataset, {"key": "r"})
    told = {"samples": 1, "left": 0, "evaluated": "none", "unmeasured": []}
    assert undone.result == {"key": "r", **told}
    assert dataset.first().ground_truth.detections[0].bounding_box == before


def test_loop__send_and_pull_delegated(dataset, server):
    document = delegate("send_to_cvat", dataset, {"what": "dataset", "key": "r"})
    assert document.run_state == "completed", document.status.result
    complete(server, dataset)
    document = delegate("pull_annotations", dataset, {"key": "r"})
    assert document.run_state == "completed"
    assert dataset.first().ground_truth.detections[0].bounding_box == [0.0, 0.0, 0.5, 0.5]
    server.delete_task(list_rounds(dataset)[0].tasks[0].id)


def test_send__delegated_without_a_name_is_named_when_it_is_queued(dataset, server):
    """Each attempt then sends the same round."""
    document = delegate("send_to_cvat", dataset, {"what": "dataset"})
    (record,) = list_rounds(dataset)
    assert document.context.request_params["params"]["key"] == record.key
    server.delete_task(record.tasks[0].id)


def test_pull_form__says_that_nothing_is_out(dataset, server):
    assert "Send to CVAT" in problems(form("pull_annotations", dataset))[0]
    assert "Send to CVAT" in problems(form("review_changes", dataset))[0]
    assert "Send to CVAT" in problems(form("undo_pull", dataset))[0]


def test_send__a_missing_file_is_named(dataset, server):
    Path(dataset.first().filepath).unlink()
    with pytest.raises(Exception, match=r"image-0\.png is missing"):
        execute("send_to_cvat", dataset, {"what": "dataset", "key": "r"})
    assert list_rounds(dataset) == []
    assert dataset.list_annotation_runs() == []


@pytest.fixture
def evaluated(dataset):
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    return dataset


def test_loop__what_cannot_be_evaluated_again_is_said(evaluated, server, sent):
    evaluated.rename_sample_field("predictions", "old")
    complete(server, evaluated)
    for name in ("pull_annotations", "undo_pull"):
        done = execute(name, evaluated, {"key": "r"})
        (said,) = done.result["unmeasured"]
        assert said.startswith("'eval' could not be evaluated again after r: 'predictions' is no")
        assert "try again in the Improvement panel" in done.result["evaluated"]
        assert "notify" in requests_of(done)


def test_loop__what_is_pulled_is_evaluated_again(evaluated, server, sent):
    dataset = evaluated
    before = [sample.ground_truth.to_dict() for sample in dataset]
    complete(server, dataset)
    pulled = execute("pull_annotations", dataset, {"key": "r"}).result
    assert pulled["evaluated"].startswith("eval: mAP 1.000 -> 0.")
    after = dataset.load_evaluation_results("eval").mAP()
    assert after < 1
    undone = execute("undo_pull", dataset, {"key": "r"}).result
    assert undone["evaluated"] == f"eval: mAP {after:.3f} -> 1.000"
    assert [sample.ground_truth.to_dict() for sample in dataset] == before
    assert dataset.load_evaluation_results("eval").mAP() == pytest.approx(1)
    pulled, undone = load_entries(dataset)
    assert (pulled.cause, pulled.round_key, pulled.cost.labels) == ("pull", "r", 1)
    assert (undone.cause, undone.after) == ("undo", pulled.before)
