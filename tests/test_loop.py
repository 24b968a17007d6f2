"""What a pull changes is evaluated again, without being asked; and so is what its undoing does."""

from __future__ import annotations

import pytest

from relabel.annotation import PullReport, UndoReport
from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import load_entries
from relabel.loop import after_pull, after_undo, describe


@pytest.fixture
def evaluated(dataset, monkeypatch):
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    monkeypatch.setattr("relabel.loop._fields", lambda *_: ["ground_truth"])
    return dataset


def _relabel(dataset, label):
    sample = dataset.first()
    sample.ground_truth.detections[0].label = label
    sample.save()
    return sample.id


def test_after_pull__then_undone(evaluated):
    before = evaluated.first().ground_truth.detections[0].label
    sample_id = _relabel(evaluated, "fish")
    (entry,) = after_pull(evaluated, PullReport("r", {"relabelled": 1}, (sample_id,), 1))
    assert (entry.cause, entry.cost.labels, entry.sample_ids) == ("pull", 1, (sample_id,))
    assert entry.after.map < entry.before.map == pytest.approx(1)
    assert describe([entry]).startswith("eval: mAP 1.000 -> ")
    _relabel(evaluated, before)
    (back,) = after_undo(evaluated, UndoReport("r", (sample_id,)))
    assert (back.cause, back.after.map) == ("undo", entry.before.map)
    assert load_entries(evaluated) == [entry, back]


def test_after_pull__nothing_was_changed(evaluated):
    assert after_pull(evaluated, PullReport("r", {}, (), 1)) == []
    assert load_entries(evaluated) == []


def test_after_pull__a_set_that_cannot_be_evaluated_any_more(evaluated, caplog):
    sample_id = evaluated.first().id
    evaluated.set_values("predictions", [None] * len(evaluated))
    assert after_pull(evaluated, PullReport("r", {"moved": 1}, (sample_id,), 1)) == []
    assert "could not be evaluated again" in caplog.text
