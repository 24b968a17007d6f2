"""The App's Model Evaluation panel, by what its Python half tells it."""

from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionContext
from fiftyone.operators.store import ExecutionStore
from plugins.panels.model_evaluation import EvaluationPanel

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import load_entries
from relabel.evaluation.ledger.recording import Occasion, evaluate_again


def shown(dataset, eval_key="eval"):
    """What the panel shows of an evaluation: it keeps that for weeks by the evaluation's id."""
    dataset.reload()
    panel = EvaluationPanel()
    evaluation_id = panel.get_evaluation_id(dataset, eval_key)
    params = {"key": eval_key, "id": evaluation_id, "panel_id": "p", "panel_state": {}}
    ctx = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})
    return panel.get_evaluation_data_cacheable(ctx)


def call_first_label(dataset, name):
    sample = dataset.first()
    sample.ground_truth.detections[0].label = name
    sample.save()
    return sample.id


def test_panel__shows_the_score(predicted):
    score = evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval").score
    data = shown(predicted)
    metrics = data["metrics"]
    assert metrics["mAP"] == pytest.approx(score.map)
    assert metrics["mAR"] == pytest.approx(score.mar)
    counts = (score.true_positives, score.false_positives, score.false_negatives)
    assert (metrics["tp"], metrics["fp"], metrics["fn"]) == counts
    assert set(data["per_class_metrics"]) == set(score.by_class)
    assert sum(map(sum, data["confusion_matrix"]["matrix"])) == sum(counts)


def test_panel__shows_the_new_score_after_every_replacement(predicted):
    """As after a pull. The ledger stays with the evaluation all the while."""
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    seen = [shown(predicted)["metrics"]["mAP"]]
    for number, name in enumerate(("bird", "cat", "dog")):
        sample_id = call_first_label(predicted, name)
        occasion = Occasion("pull", f"round_{number}", ["ground_truth"], [sample_id])
        (entry,) = evaluate_again(predicted, occasion)
        seen.append(shown(predicted)["metrics"]["mAP"])
        assert seen[-1] == pytest.approx(entry.after.map)
        assert seen[-1] != seen[-2]
    rounds = [entry.round_key for entry in load_entries(predicted, "eval")]
    assert rounds == ["round_0", "round_1", "round_2"]
    predicted.rename_evaluation("eval", "other")
    assert len(load_entries(predicted, "other")) == 3
    call_first_label(predicted, "cat")
    again = evaluate_detections(predicted, "predictions", "ground_truth", eval_key="other")
    assert shown(predicted, "other")["metrics"]["mAP"] == pytest.approx(again.score.map)
    assert again.score.matched == 1
    predicted.delete_evaluation("other")
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="other")
    assert load_entries(predicted) == []


def test_panel__keeps_the_status_and_the_note_of_a_replaced_evaluation(predicted):
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    panel = EvaluationPanel()
    old = panel.get_evaluation_id(predicted, "eval")
    store = ExecutionStore.create(panel.config.name, predicted._doc.id)
    store.set("statuses", {old: "reviewed", "of another": "needs_review"})
    store.set("notes", {"of another": "Not this one."})
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    new = panel.get_evaluation_id(predicted, "eval")
    assert new != old
    assert store.get("statuses") == {new: "reviewed", "of another": "needs_review"}
    assert store.get("notes") == {"of another": "Not this one."}
