from __future__ import annotations

import csv

import pytest
from fiftyone.operators.executor import ExecutionError

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import PULL
from relabel.evaluation.ledger.recording import Occasion, evaluate_again

from .app import execute, form, problems

NAME = "export_ledger"


@pytest.fixture
def measured(predicted):
    """One evaluation that ran again after a round, and one that did not."""
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    sample = predicted.first()
    sample.ground_truth.detections[1].label = "cat"
    sample.save()
    evaluate_again(predicted, Occasion(PULL, "r", ["ground_truth"], [sample.id]))
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="other")
    return predicted


def test_execute__writes_what_the_ledger_holds(measured, tmp_path):
    path = tmp_path / "ledger.csv"
    done = execute(NAME, measured, {"path": str(path)})
    assert done.result == {"path": str(path), "entries": 1}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["measure"] for row in rows} == {"mAP", "AP", "errors"}
    assert {(row["evaluation"], row["round"]) for row in rows} == {("eval", "r")}
    assert list(tmp_path.glob(".*")) == []


def test_execute__replaces_a_file_only_when_told(measured, tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text("mine")
    with pytest.raises(ExecutionError, match="there already"):
        execute(NAME, measured, {"path": str(path)})
    assert path.read_text() == "mine"
    execute(NAME, measured, {"path": str(path), "overwrite": True})
    assert path.read_text().startswith("evaluation,")


def test_form__says_what_is_wrong(measured, predicted, tmp_path):
    fine = {"path": str(tmp_path / "new.csv")}
    assert problems(form(NAME, measured, fine)) == []
    (problem,) = problems(form(NAME, measured, {**fine, "eval_key": "other"}))
    assert "'other' was not measured again" in problem
    (problem,) = problems(form(NAME, measured, {"path": str(tmp_path / "none" / "a.csv")}))
    assert "no folder" in problem
    (problem,) = problems(form(NAME, measured, {"path": str(tmp_path)}))
    assert "is a folder" in problem


def test_form__nothing_was_measured(dataset, tmp_path):
    (problem,) = problems(form(NAME, dataset, {"path": str(tmp_path / "a.csv")}))
    assert problem.startswith("No evaluation was measured again")
