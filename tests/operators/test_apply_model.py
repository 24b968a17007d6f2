from __future__ import annotations

from pathlib import Path

import pytest
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionError

from relabel.compute import worker
from relabel.compute.operations import claim_oldest
from relabel.compute.steering import CANCELLED, cancel, repeat
from tests.evaluation.predicting.keras_models import always, save_detector

from .app import delegate, execute, form, module_of_plugin, problems, requests_of, texts

NAME = "apply_model"


@pytest.fixture
def params(saved_models):
    return {"model_path": str(saved_models / "any_batch"), "confidence": 0.5}


def test_execute__writes_predictions(dataset, params):
    done = execute(NAME, dataset, params)
    assert done.result == {
        "field": "predictions",
        "predicted": 6,
        "resumed": 0,
        "labels": 6,
        "skipped": 0,
        "unreadable": 0,
        "unreadable_files": [],
    }
    dataset.reload()
    assert dataset.values("predictions.detections.label") == [["dog"]] * 6
    assert "reload_dataset" in requests_of(done)


def test_execute__selected_samples_only(dataset, params):
    ids = dataset.values("id")[:2]
    execute(NAME, dataset, {**params, "view_target": "SELECTED_SAMPLES"}, selected=ids)
    dataset.reload()
    assert dataset.exists("predictions").values("id") == ids


def test_execute__patches_mean_their_whole_images(dataset, params):
    patches = dataset.limit(2).to_patches("ground_truth")
    done = execute(NAME, dataset, {**params, "view_target": "CURRENT_VIEW"}, view=patches)
    assert done.result["predicted"] == 2


def test_execute__unreadable_image_is_reported(dataset, params):
    path = dataset.first().filepath
    Path(path).write_bytes(b"")
    done = execute(NAME, dataset, params)
    assert (done.result["unreadable"], done.result["unreadable_files"]) == (1, [path])


def test_execute__delegated_reports_progress(dataset, params):
    run = delegate(NAME, dataset, params)
    assert run.run_state == "completed"
    assert run.result.result["predicted"] == 6
    assert (run.status.progress, run.status.label) == (1, "6 of 6 images")
    assert run.metadata["outputs_schema"]


def test_resolve_input__nothing_wrong(dataset, params):
    fields = form(NAME, dataset, params)
    assert problems(fields) == []
    assert "Applies to 6 samples" in texts(fields)
    assert "view_target" in fields


def test_resolve_input__says_that_it_replaces(predicted, params):
    assert "What predictions holds for them is replaced" in texts(form(NAME, predicted, params))
    new_only = {**params, "new_only": True}
    assert "replaced" not in texts(form(NAME, predicted, new_only))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"model_path": "/nowhere"}, "There is no '/nowhere'"),
        ({"model_path": "/"}, "is not a SavedModel"),
        ({"class_file": "/none.txt"}, "There is no file '/none.txt'"),
        ({"label_field": "filepath"}, "holds something else"),
        ({"label_field": "no field"}, "cannot name a field"),
        ({"view_target": "SELECTED_SAMPLES"}, "No samples are selected"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(dataset, params, change, problem):
    [found] = problems(form(NAME, dataset, {**params, **change}))
    assert problem in found
    with pytest.raises(ExecutionError, match=problem.replace("'", ".")):
        execute(NAME, dataset, {**params, **change})


def test_execute__class_file_does_not_fit(dataset, params, tmp_path):
    (tmp_path / "one.txt").write_text("cat")
    with pytest.raises(ExecutionError, match="found class 2"):
        execute(NAME, dataset, {**params, "class_file": str(tmp_path / "one.txt")})


def test_execute__unknown_zoo_model(dataset):
    with pytest.raises(ExecutionError, match="nonsense"):
        execute(NAME, dataset, {"model": "zoo", "zoo_model": "nonsense"})


def test_resolve_input__empty_target(dataset, params):
    nothing = dataset.match_tags("nothing")
    fields = form(NAME, dataset, params, view=nothing._serialize())
    assert "holds no samples" in problems(fields)[0]


def test_resolve_input__model_on_another_machine(dataset):
    params = {"model_path": "/on/another/machine", "run_on": "gpu"}
    assert problems(form(NAME, dataset, params)) == []


@pytest.mark.parametrize("field", ["new", "predictions"])
def test_cancelled__leaves_the_field_and_is_gone_on_with(dataset, params, monkeypatch, field):
    """Cancelled by a user of the panel, between its last prediction and its writing."""
    execute(NAME, dataset, params)
    before = dataset.values("predictions.detections.id")
    params = {**params, "label_field": field}
    queued = execute(NAME, dataset, params, request_delegation=True, delegation_target="mine")
    run, service = ObjectId(queued.result["id"]), DelegatedOperationService()
    theirs = module_of_plugin("relabel.compute.operations")
    begin = theirs.begin_writing
    monkeypatch.setattr(theirs, "begin_writing", lambda claim: cancel(run) or begin(claim))
    worker.run(claim_oldest(["mine"], "me"))
    assert service.get(run).result.error == CANCELLED
    dataset.reload()
    assert dataset.has_field(field) is (field == "predictions")
    assert dataset.values("predictions.detections.id") == before
    monkeypatch.undo()
    again = repeat(run)
    worker.run(claim_oldest(["mine"], "me"))
    assert service.get(again).result.result["resumed"] == 6
    dataset.reload()
    assert dataset.count(f"{field}.detections") == 6
    for one in (run, again):
        service.delete_operation(one)


@pytest.fixture(scope="module")
def keras_params(tmp_path_factory):
    """A Keras detector whose boxes are relative, beside its class names."""
    folder = tmp_path_factory.mktemp("keras")
    (folder / "classes.txt").write_text("cat\ndog\n")

    def output(_, scores):
        boxes = always(scores, [[0, 0, 0.5, 0.5], [0.5, 0, 0.5, 1]])
        return {"where": boxes, "sure": scores, "what": always(scores, [1, 2])}

    path = save_detector(folder / "model.keras", output)
    return {
        "model": "keras",
        "model_path": str(path),
        "box_format": "rel_xywh",
        "outputs": ["where", "sure", "what"],
        "first_class": 1,
    }


def test_execute__a_keras_model_with_a_stated_output(dataset, keras_params):
    fields = form(NAME, dataset, keras_params)
    assert problems(fields) == []
    assert {"box_format", "pixels", "outputs", "first_class", "class_file"} <= fields.keys()
    done = execute(NAME, dataset, keras_params)
    assert (done.result["predicted"], done.result["labels"]) == (6, 12)
    dataset.reload()
    [found, other] = dataset.first().predictions.detections
    assert (found.label, other.label) == ("cat", "dog")
    assert other.bounding_box == pytest.approx([0.5, 0, 0.5, 1])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"model_path": "/nowhere"}, "is not a .keras file"),
        ({"class_file": "/none.txt"}, "There is no file '/none.txt'"),
        ({"outputs": ["where"]}, "1 outputs are named"),
    ],
)
def test_bad_input__of_a_keras_model(dataset, keras_params, change, problem):
    params = {**keras_params, **change}
    assert any(problem in one for one in problems(form(NAME, dataset, params)))
    with pytest.raises(ExecutionError, match=problem.replace("'", ".")):
        execute(NAME, dataset, params)


def test_execute__a_keras_model_that_says_it_otherwise(dataset, keras_params):
    with pytest.raises(ExecutionError, match="it has sure, what, where"):
        execute(NAME, dataset, {**keras_params, "outputs": []})
