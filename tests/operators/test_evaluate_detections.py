from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionError

from .app import delegate, execute, form, problems, requests_of, texts

NAME = "evaluate_detections"


def test_execute__fields_are_guessed(predicted):
    done = execute(NAME, predicted)
    assert done.result["eval_key"] == "eval"
    assert done.result["map"] == pytest.approx(0.5)
    assert done.result["false_positives"] == 2
    assert (done.result["invalid"], done.result["invalid_labels"]) == (0, [])
    assert "reload_dataset" in requests_of(done)


def test_execute__a_split(predicted):
    view = predicted.match_tags("odd")
    done = execute(NAME, predicted, {"view_target": "CURRENT_VIEW"}, view=view)
    assert (done.result["samples"], done.result["false_positives"]) == (3, 0)


def test_execute__delegated_with_an_impossible_box(predicted):
    sample = predicted.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, -0.1, 0.1]
    sample.save()
    run = delegate(NAME, predicted, {"eval_key": "later", "classwise": False})
    assert run.run_state == "completed"
    assert run.result.result["invalid"] == 1
    assert run.result.result["invalid_labels"][0]["reason"] == "negative size"
    assert "left out" in str(run.metadata["outputs_schema"])
    predicted.reload()
    assert predicted.has_evaluation("later")


@pytest.mark.parametrize("name", [NAME, "find_label_errors"])
def test_output__names_the_samples_of_what_was_left_out(predicted, name):
    first, second, *_ = predicted
    first.ground_truth.detections[0].bounding_box = [0.5, 0.5, -0.1, 0.1]
    first.save()
    second["predictions"] = None
    second.save()
    run = delegate(name, predicted)
    shown = run.metadata["outputs_schema"]["type"]["properties"]
    columns = [column["key"] for column in shown["invalid_labels"]["view"]["columns"]]
    (bad,) = run.result.result["invalid_labels"]
    assert {*columns} == {*bad}
    assert bad["sample_id"] == first.id
    assert "unpredicted_samples" in shown
    assert run.result.result["unpredicted_samples"] == [second.id]


def test_execute__options_that_are_folded_away_do_not_count(predicted):
    params = {"more": True, "dynamic": False, "classes": ["cat"], "max_preds": 7}
    shown = {"use_masks": True, "tolerance": 2}
    assert "error_level" in form(NAME, predicted, {**params, **shown})
    execute(NAME, predicted, params)
    config = predicted.get_evaluation_info("eval").config
    assert config.max_preds == 7
    assert predicted.get_field("predictions.detections.eval") is None
    execute(NAME, predicted, {**params, "more": False})
    assert predicted.get_evaluation_info("eval").config.max_preds == 100
    assert predicted.get_field("predictions.detections.eval") is not None


def test_resolve_input__says_that_it_replaces(predicted):
    assert "replaced" not in texts(form(NAME, predicted))
    execute(NAME, predicted)
    assert "The evaluation eval is replaced" in texts(form(NAME, predicted))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"eval_key": "not a key"}, "cannot name an evaluation"),
        ({"eval_key": "label"}, "would overwrite"),
        ({"iou": None}, "needs an IoU over 0"),
        ({"predictions": "nonsense"}, "not a field of type Detections"),
        ({"predictions": "ground_truth"}, "both the predictions and the ground truth"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(predicted, params, problem):
    found = problems(form(NAME, predicted, params))
    assert any(problem in text for text in found)
    with pytest.raises(ExecutionError):
        execute(NAME, predicted, params)
    assert predicted.list_evaluations() == []


def test_resolve_input__no_predictions_yet(dataset):
    [found] = problems(form(NAME, dataset))
    assert "apply a model first" in found


def test_resolve_input__no_detections_at_all(dataset):
    dataset.delete_sample_field("ground_truth")
    [found] = problems(form(NAME, dataset))
    assert "no label field of type Detections" in found
