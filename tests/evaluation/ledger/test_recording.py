from __future__ import annotations

import csv
import io

import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import PULL, Cost, as_csv, load_entries
from relabel.evaluation.ledger.recording import Occasion, evaluate_again


@pytest.fixture
def evaluated(predicted):
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    return predicted


def _occasion(dataset, **kwargs):
    values = {
        "cause": PULL,
        "round_key": "fix-1",
        "fields": ["ground_truth"],
        "sample_ids": dataset.values("id"),
        "cost": Cost(labels=2, minutes=3.5),
    }
    return Occasion(**{**values, **kwargs})


def _mend(dataset):
    """Labels the bird that the model has found in the first image."""
    sample = dataset.first()
    sample.ground_truth.detections[1].label = "bird"
    sample.ground_truth.detections[1].bounding_box = [0.0, 0.0, 0.1, 0.1]
    sample.save()
    return sample


def test_evaluate_again__says_what_changed(evaluated):
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated))
    assert entry.before.map == pytest.approx(0.5)
    assert entry.after.by_class["bird"] == pytest.approx(0.5, abs=0.01)
    assert entry.gain == entry.after.map - entry.before.map
    assert entry.difference.low <= entry.gain <= entry.difference.high
    assert (entry.sample_ids, entry.yardstick) == ((sample.id,), 1)
    assert entry.before.by_class == {"bird": None, "cat": pytest.approx(1), "dog": 0}
    assert entry.before.errors["background"] - entry.after.errors["background"] == 1
    assert load_entries(evaluated) == [entry]
    assert evaluated.load_evaluation_results("eval").mAP() == pytest.approx(entry.after.map)


def test_evaluate_again__on_the_same_split_whatever_its_view_shows_now(evaluated):
    evaluate_detections(
        evaluated.match_tags("even"), "predictions", "ground_truth", eval_key="split"
    )
    sample = _mend(evaluated)
    sample.tags = ["odd"]
    sample.save()
    first, second = evaluate_again(evaluated, _occasion(evaluated))
    assert (first.samples, second.samples) == (6, 3)
    assert second.sample_ids == (sample.id,)


@pytest.mark.parametrize("kwargs", [{"fields": ["others"]}, {"sample_ids": []}])
def test_evaluate_again__nothing_that_is_evaluated_was_touched(evaluated, kwargs):
    _mend(evaluated)
    assert evaluate_again(evaluated, _occasion(evaluated, **kwargs)) == []


def test_evaluate_again__nothing_has_changed(evaluated):
    assert evaluate_again(evaluated, _occasion(evaluated)) == []
    assert load_entries(evaluated) == []


def test_load_entries__follow_the_run(evaluated):
    _mend(evaluated)
    evaluate_again(evaluated, _occasion(evaluated))
    evaluated.rename_evaluation("eval", "other")
    (entry,) = load_entries(evaluated)
    assert entry.eval_key == "other"
    evaluated.delete_evaluation("other")
    assert load_entries(evaluated) == []


def test_as_csv__a_line_for_all_and_one_for_each_class(evaluated):
    _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated))
    rows = list(csv.DictReader(io.StringIO(as_csv([entry]))))
    assert [row["class"] for row in rows] == ["", "bird", "cat", "dog"]
    assert float(rows[0]["after"]) == entry.after.map
    assert (rows[0]["labels_changed"], rows[0]["minutes"]) == ("2", "3.5")
    assert rows[1]["before"] == ""
