"""Labels that cannot be evaluated are named with their sample; the rest is evaluated."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.errors import EvaluationError
from relabel.evaluation.matching.options import EvaluationOptions


def _evaluate(view, **options):
    return evaluate_detections(
        view, "predictions", "ground_truth", eval_key="eval", options=EvaluationOptions(**options)
    ).score


@pytest.mark.parametrize("field", ["ground_truth", "predictions"])
@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([0.5, 0.5, -0.1, 0.2], "negative size"),
        ([0.5, 0.5, 0.1, -0.2], "negative size"),
        ([0.5, 0.5, 0.0, 0.2], "no size"),
        ([1.5, 0.5, 0.1, 0.2], "outside the image"),
        ([0.5, -0.5, 0.1, 0.2], "outside the image"),
        ([0.1, float("nan"), 0.1, 0.1], "not four finite numbers"),
        ([0.1, 0.1, float("inf"), 0.1], "not four finite numbers"),
        ([0.1, 0.1, 0.1], "not four finite numbers"),
        ([], "not four finite numbers"),
    ],
)
def test_evaluate_detections__impossible_box(predicted, field, box, reason):
    sample = predicted.first()
    label = sample[field].detections[0]
    label.bounding_box = box
    sample.save()
    score = _evaluate(predicted)
    (bad,) = score.invalid
    assert (bad.sample_id, bad.label_id) == (sample.id, label.id)
    assert (bad.field, bad.reason) == (field, reason)
    assert (score.samples, score.true_positives) == (6, 5)
    predicted.reload()
    assert not predicted.first()[field].detections[0].has_field("eval")


def test_evaluate_detections__labels_with_one_id_are_all_marked(predicted):
    sample = predicted.first()
    twin = sample.predictions.detections[0].copy()
    twin.id = sample.predictions.detections[0].id
    sample.predictions.detections.append(twin)
    sample.save()
    _evaluate(predicted)
    predicted.evaluate_detections("predictions", "ground_truth", eval_key="stock")
    for key in ("eval", "stock"):
        assert predicted.values(f"predictions.detections.{key}")[0] == ["tp", "fp", "fp"]
        assert predicted.values(f"{key}_fp")[0] == 2


@pytest.mark.parametrize("field", ["ground_truth", "predictions"])
@pytest.mark.parametrize(
    ("box", "reason"),
    [
        ([float("nan"), 0.1, 0.1, 0.1], "not four finite numbers"),
        ([0.1, 0.1, float("inf"), 0.1], "not four finite numbers"),
        ([0.1, 0.1, 0.0, 0.1], "no size"),
        ([0.0, 0.0, 1e9, 1e9], "no mask that can be read"),
    ],
)
def test_evaluate_detections__impossible_box_of_a_mask(predicted, field, box, reason):
    for sample in predicted.iter_samples(autosave=True):
        for label in (*sample.ground_truth.detections, *sample.predictions.detections):
            label.mask = np.ones((8, 8), dtype=bool)
    sample = predicted.first()
    label = sample[field].detections[0]
    label.bounding_box = box
    sample.save()
    score = _evaluate(predicted, use_masks=True)
    (bad,) = score.invalid
    assert (bad.sample_id, bad.label_id) == (sample.id, label.id)
    assert (bad.field, bad.reason) == (field, reason)
    assert (score.samples, score.true_positives) == (6, 5)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (("predictions", "shapes"), "'shapes' is not of type Detections"),
        (("shapes", "ground_truth"), "'shapes' is not of type Detections"),
        (("predictions", "filepath"), "'filepath' is not of type Detections"),
        (("nowhere", "ground_truth"), "'nowhere' is no field of the dataset"),
        (("ground_truth", "ground_truth"), "cannot be compared with itself"),
    ],
)
def test_evaluate_detections__a_field_of_another_type(predicted, fields, problem):
    predicted.set_values("shapes", [fo.Polylines()] * len(predicted))
    with pytest.raises(EvaluationError, match=problem):
        evaluate_detections(predicted, *fields, eval_key="eval")
    assert predicted.list_evaluations() == []


def test_evaluate_detections__a_box_that_is_partly_outside_counts(predicted):
    for field in ("ground_truth", "predictions"):
        sample = predicted.first()
        sample[field].detections[0].bounding_box = [-0.1, 0.2, 0.4, 0.4]
        sample.save()
    score = _evaluate(predicted)
    assert (score.invalid, score.true_positives) == ((), 6)


def test_evaluate_detections__a_label_without_a_class(predicted):
    sample = predicted.first()
    sample.ground_truth.detections[0].label = None
    sample.save()
    assert [bad.reason for bad in _evaluate(predicted).invalid] == ["no class"]


def test_evaluate_detections__classes_that_are_not_scored(predicted):
    score = _evaluate(predicted, classes=("cat", "dog"))
    assert {bad.reason for bad in score.invalid} == {"a class that is not evaluated"}
    assert len(score.invalid) == 2  # two birds, on nothing
    assert score.false_positives == 0
    assert list(score.by_class) == ["cat", "dog"]


def test_evaluate_detections__predictions_of_a_part_of_the_split(predicted):
    sample = predicted.first()
    sample["predictions"] = None
    sample.save()
    score = _evaluate(predicted)
    assert score.unpredicted == (sample.id,)
    assert (score.samples, score.true_positives, score.false_negatives) == (5, 5, 5)
    assert len(predicted.load_evaluation_view("eval")) == 6


def test_evaluate_detections__no_predictions_at_all(predicted):
    predicted.set_values("predictions", [None] * 6)
    with pytest.raises(EvaluationError, match="None of the 6 samples has predictions"):
        _evaluate(predicted)
    assert predicted.list_evaluations() == []


def test_evaluate_detections__nothing_at_all(predicted):
    for field in ("predictions", "ground_truth"):
        predicted.set_values(f"{field}.detections", [[]] * 6)
    with pytest.raises(EvaluationError, match="nothing to evaluate"):
        _evaluate(predicted)


@pytest.mark.parametrize(
    "options", [{"iou": 0}, {"iou": 1.5}, {"iou_threshs": ()}, {"max_preds": 0}]
)
def test_evaluation_options__refused(options):
    with pytest.raises(EvaluationError):
        EvaluationOptions(**options)
