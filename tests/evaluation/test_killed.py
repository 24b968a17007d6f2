"""What is left by a process that was killed, and gone on with by the next."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.recording import Occasion, evaluate_again
from relabel.evaluation.predicting.predict import apply_model

from . import killed_process
from .predicting.brightness import Brightness

FIELDS = ("predictions", "ground_truth")
PATH = "ground_truth.detections.label"


def killed(what, dataset, number):
    """Runs a process that is to be killed; whether it was."""
    dataset.persistent = True
    script = [sys.executable, "-m", "tests.evaluation.killed_process"]
    done = subprocess.run(
        [*script, what, dataset.name, str(number)], check=False, capture_output=True
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    dataset.reload()
    return done.returncode != 0


def test_apply_model__goes_on_after_it_was_killed(dataset):
    assert killed("apply", dataset, 4)
    assert not dataset.has_field("found")
    model = Brightness()
    done = apply_model(dataset, model, "found", made_by=killed_process.MADE_BY)
    assert (done.predicted, done.resumed) == (6, 4)
    apply_model(dataset, model, "undisturbed")
    sure = dataset.values("found.detections.confidence")
    assert sure == dataset.values("undisturbed.detections.confidence")


def marks(dataset, key):
    return [
        dataset.values([f"{field}.detections.{key}", f"{field}.detections.{key}_iou"])
        for field in FIELDS
    ] + [dataset.values(f"{key}_{kind}") for kind in ("tp", "fp", "fn")]


@pytest.fixture
def mislabelled(crowded):
    """Evaluated with wrong classes in three images, which are mended since."""
    right = crowded.values(PATH)
    crowded.set_values(PATH, [["bird"] * len(one) for one in right[:3]] + right[3:])
    evaluate_detections(crowded, *FIELDS, eval_key="eval")
    crowded.set_values(PATH, right)
    evaluate_detections(crowded, *FIELDS, eval_key="undisturbed")
    return crowded


# A first evaluation makes its fields first, a later one does not.
@pytest.mark.parametrize("write", range(1, 8))
def test_evaluate_detections__killed_at_any_write(mislabelled, write):
    """The old results are there until the new ones are, and the next evaluation is whole."""
    old = mislabelled.load_evaluation_results("eval").mAP()
    new = mislabelled.load_evaluation_results("undisturbed").mAP()
    assert killed("evaluate", mislabelled, write)
    there = mislabelled.load_evaluation_results("eval").mAP()
    assert there in (old, new)
    occasion = Occasion("pull", "r", ["ground_truth"], mislabelled.values("id"))
    [entry] = [one for one in evaluate_again(mislabelled, occasion) if one.eval_key == "eval"]
    assert (entry.before.map, entry.after.map) == (pytest.approx(old), pytest.approx(new))
    assert entry.sample_ids == tuple(mislabelled.limit(3).values("id"))
    assert marks(mislabelled, "eval") == marks(mislabelled, "undisturbed")
    assert mislabelled.load_evaluation_results("eval").mAP() == new


def test_evaluate_detections__first_killed_while_it_writes(mislabelled):
    for write in (1, 3, 5, 7):
        mislabelled.delete_evaluation("eval")
        assert killed("evaluate", mislabelled, write)
        score = evaluate_detections(mislabelled, *FIELDS, eval_key="eval").score
        assert score.map == mislabelled.load_evaluation_results("undisturbed").mAP()
        assert marks(mislabelled, "eval") == marks(mislabelled, "undisturbed")
