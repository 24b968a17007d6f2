"""What two outcomes differ in, class by class and error by error, and whose samples are behind."""

from __future__ import annotations

import numpy as np
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.contrast import contrast
from relabel.evaluation.matching.options import EvaluationOptions

OPTIONS = EvaluationOptions()


def _evaluate(view):
    return evaluate_detections(view, "predictions", "ground_truth", eval_key="eval")


def _contrast(before, after):
    return contrast(before.outcome, after.outcome, after.changed, OPTIONS)


def _change(dataset, index, change):
    sample = dataset.skip(index).first()
    change(sample.ground_truth.detections)
    sample.save()


@pytest.fixture
def mislabelled(predicted):
    """The cats of two images are called dogs, which the model does not find."""
    for index in (1, 4):
        _change(predicted, index, lambda labels: setattr(labels[0], "label", "dog"))
    return predicted


def test_contrast__a_mended_label_raises_the_score(mislabelled):
    before = _evaluate(mislabelled)
    _change(mislabelled, 1, lambda labels: setattr(labels[0], "label", "cat"))
    after = _evaluate(mislabelled)
    found = _contrast(before, after)
    assert (found.before.map, found.after.map) == (before.score.map, after.score.map)
    assert found.after.map > found.before.map
    assert found.difference.high > 0
    assert found.difference.low <= found.after.map - found.before.map <= found.difference.high
    assert found.mended == (0,)
    assert found.by_class["cat"].places == found.by_class["dog"].places == (0,)
    assert found.by_class["bird"].places == ()
    cat = found.by_class["cat"].difference
    gain = found.after.by_class["cat"] - found.before.by_class["cat"]
    assert 0 <= cat.low <= gain <= cat.high
    assert found.before.errors["wrong class"] - found.after.errors["wrong class"] == 1
    assert found.by_error["wrong class"].places == (0,)
    assert found.by_error["wrong class"].difference.high <= 0


def test_contrast__the_interval_of_a_number_of_errors(mislabelled):
    """One error less on one of six images: k times less where that image is drawn k times."""
    before = _evaluate(mislabelled)
    _change(mislabelled, 1, lambda labels: setattr(labels[0], "label", "cat"))
    found = _contrast(before, _evaluate(mislabelled))
    drawn = np.random.default_rng(1).binomial(6, 1 / 6, 100_000)
    expected = np.quantile(-drawn, (0.025, 0.975))
    interval = found.by_error["wrong class"].difference
    assert (interval.low, interval.high) == pytest.approx(tuple(expected))


def test_contrast__other_predictions_leave_the_yardstick_as_it_is(predicted):
    before = _evaluate(predicted)
    sample = predicted.first()
    sample.predictions.detections[1].confidence = 0.1  # a bird
    sample.save()
    found = _contrast(before, _evaluate(predicted))
    assert found.mended == ()
    assert [name for name, change in found.by_class.items() if change.places] == ["bird"]


def test_contrast__a_class_that_is_new(predicted):
    before = _evaluate(predicted)
    _change(predicted, 0, lambda labels: setattr(labels[1], "label", "fish"))
    found = _contrast(before, _evaluate(predicted))
    assert found.by_class["fish"].places == (0,)
    assert found.by_class["fish"].difference is None
    assert "fish" not in found.before.by_class


def test_contrast__without_an_image_in_both(predicted):
    done = _evaluate(predicted)
    nothing = done.outcome.take(np.empty(0, dtype=np.int64))
    found = contrast(nothing, done.outcome, done.outcome.sample_ids, OPTIONS)
    assert (found.before.map, found.difference) == (None, None)
    assert found.mended == tuple(range(6))
    assert found.by_class["cat"].difference is None
