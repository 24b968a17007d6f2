from __future__ import annotations

import numpy as np
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.bootstrap import difference_interval, weighted_map
from relabel.evaluation.options import EvaluationOptions

OPTIONS = EvaluationOptions()


def _evaluate(view, key="eval"):
    return evaluate_detections(view, "predictions", "ground_truth", eval_key=key)


def test_weighted_map__each_image_once_is_the_score(crowded):
    done = _evaluate(crowded)
    once = np.ones((1, len(done.outcome)), dtype=np.int64)
    assert weighted_map(done.outcome, OPTIONS, once) == pytest.approx([done.score.map], abs=1e-12)


def test_weighted_map__no_image_is_as_if_it_were_not_there(crowded):
    done = _evaluate(crowded)
    weights = np.array([[1, 0, 1, 1, 0, 1]])
    view = crowded.select([done.outcome.sample_ids[image] for image in np.flatnonzero(weights)])
    expected = _evaluate(view, "part").score.map
    assert weighted_map(done.outcome, OPTIONS, weights) == pytest.approx([expected], abs=1e-12)


def test_weighted_map__an_image_twice_is_two_images(crowded):
    done = _evaluate(crowded)
    weights = np.array([[2, 1, 1, 3, 1, 1]])
    images = np.repeat(np.arange(6), weights[0])
    twice = done.outcome.take(images)
    once = np.ones((1, len(images)), dtype=np.int64)
    expected = weighted_map(twice, OPTIONS, once)
    assert weighted_map(done.outcome, OPTIONS, weights) == pytest.approx(expected, abs=1e-12)


def test_difference_interval__the_same_is_no_difference(crowded):
    outcome = _evaluate(crowded).outcome
    found = difference_interval(outcome, outcome, OPTIONS)
    assert (found.low, found.high) == (0, 0)


def test_difference_interval__holds_the_difference_that_is_there(crowded):
    before = _evaluate(crowded)
    for sample in crowded:
        sample.ground_truth.detections[0].label = "cat"
        sample.ground_truth.detections[1].bounding_box = [0.5, 0.5, 0.2, 0.2]
        sample.save()
    after = _evaluate(crowded)
    found = difference_interval(before.outcome, after.outcome, OPTIONS)
    assert found.low <= after.score.map - before.score.map <= found.high
    assert found == difference_interval(before.outcome, after.outcome, OPTIONS)


def test_difference_interval__no_images(crowded):
    outcome = _evaluate(crowded).outcome
    nothing = outcome.take(np.empty(0, dtype=np.int64))
    assert difference_interval(outcome, nothing, OPTIONS) is None
