from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionError

from .app import delegate, execute, form, output, problems, requests_of, texts

NAME = "find_label_errors"


def test_execute__shows_what_it_found(world):
    done = execute(NAME, world)
    assert requests_of(done)[-2:] == ["reload_dataset", "set_view"]
    counts = {one["type"]: one["count"] for one in done.result["types"]}
    assert done.result["errors"] == sum(counts.values()) > 10
    gains = [one["map_fixed"] - done.result["map"] for one in done.result["types"]]
    assert [one["gain"] for one in done.result["types"]] == pytest.approx(gains, abs=1e-4)
    assert max(gains) > 0.01
    assert done.result["samples"] == len(done.result["sample_ids"])
    assert world.list_runs() == ["label_errors"]


def test_execute__tags_what_it_finds(world):
    done = execute(NAME, world, {"most": 3, "tag_samples": True})
    tagged = world.match_tags("requires_annotation").values("id")
    assert sorted(tagged) == sorted(done.result["sample_ids"])
    assert done.result["errors"] == 3


def test_execute__delegated_with_an_impossible_box(predicted):
    sample = predicted.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, -0.1, 0.1]
    sample.save()
    run = delegate(NAME, predicted, {"key": "later"})
    assert run.run_state == "completed"
    assert run.result.result["invalid_labels"] == [
        {
            "sample_id": sample.id,
            "label_id": sample.ground_truth.detections[0].id,
            "field": "ground_truth",
            "reason": "negative size",
        }
    ]
    assert "left out" in str(run.metadata["outputs_schema"])
    predicted.reload()
    assert predicted.list_runs() == ["later"]


def test_execute__delegated_leaves_a_saved_view(world):
    result = delegate(NAME, world).result.result
    world.reload()
    assert world.load_saved_view(result["saved_view"]).values("id") == result["sample_ids"]


def test_output__says_what_was_found_and_leads_on(world):
    result = execute(NAME, world).result
    shown = output(NAME, world, result)
    assert f"{result['errors']} suspicions in {result['samples']} images" in str(shown["found"])
    assert f"The mAP is {result['map']:.4f}." in str(shown["found"])
    send = shown["send"]["view"]
    assert send["label"] == f"Send {result['samples']} to CVAT"
    assert send["params"] == {"what": "saved_view", "saved_view": result["saved_view"]}


def test_resolve_input__says_that_it_replaces(predicted):
    assert "replaced" not in texts(form(NAME, predicted))
    execute(NAME, predicted)
    assert "The queue label_errors is replaced" in texts(form(NAME, predicted))


def test_resolve_input__says_what_marks_a_crowd(predicted):
    for name in ("iscrowd", "heap"):
        execute("evaluate_detections", predicted, {"iscrowd": name})
        asked = form(NAME, predicted)["iscrowd"]["view"]
        assert f"If empty, '{name}'" in asked["description"]


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"key": "not a key"}, "cannot name a queue"),
        ({"predictions": "nonsense"}, "not a field of type Detections"),
        ({"predictions": "ground_truth"}, "both the predictions and the ground truth"),
        ({"types": ["nonsense"]}, "no type of error"),
        ({"most": 0}, "no number of suspicions"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(predicted, params, problem):
    assert any(problem in text for text in problems(form(NAME, predicted, params)))
    with pytest.raises(ExecutionError):
        execute(NAME, predicted, params)
    assert predicted.list_runs() == []


def test_bad_input__predictions_without_confidence(predicted):
    for sample in predicted:
        for label in sample.predictions.detections:
            label.confidence = None
        sample.save()
    with pytest.raises(ExecutionError, match="no confidence"):
        execute(NAME, predicted)


def test_delete_label_errors__takes_the_marks_away(world):
    execute(NAME, world)
    execute("delete_label_errors", world)
    world.reload()
    assert world.list_runs() == []
    assert world.get_field("ground_truth.detections.label_error") is None
    [problem] = problems(form("delete_label_errors", world))
    assert "Find label errors first" in problem
    with pytest.raises(ExecutionError, match="no queue"):
        execute("delete_label_errors", world)
