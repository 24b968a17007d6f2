from __future__ import annotations

import numpy as np
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.bootstrap import (
    draw_images,
    interval,
    weighted_by_class,
    weighted_map,
)
from relabel.evaluation.options import EvaluationOptions

OPTIONS = EvaluationOptions()


def _evaluate(view, key="eval"):
    return evaluate_detections(view, "predictions", "ground_truth", eval_key=key)


def _weighted_map(outcome, weights):
    return weighted_map(weighted_by_class(outcome, OPTIONS, weights), len(weights))


def test_weighted_map__each_image_once_is_the_score(crowded):
    done = _evaluate(crowded)
    once = np.ones((1, len(done.outcome)), dtype=np.int64)
    assert _weighted_map(done.outcome, once) == pytest.approx([done.score.map], abs=1e-12)


def test_weighted_map__no_image_is_as_if_it_were_not_there(crowded):
    done = _evaluate(crowded)
    weights = np.array([[1, 0, 1, 1, 0, 1]])
    view = crowded.select([done.outcome.sample_ids[image] for image in np.flatnonzero(weights)])
    expected = _evaluate(view, "part").score.map
    assert _weighted_map(done.outcome, weights) == pytest.approx([expected], abs=1e-12)


def test_weighted_map__an_image_twice_is_two_images(crowded):
    done = _evaluate(crowded)
    weights = np.array([[2, 1, 1, 3, 1, 1]])
    images = np.repeat(np.arange(6), weights[0])
    twice = done.outcome.take(images)
    once = np.ones((1, len(images)), dtype=np.int64)
    expected = _weighted_map(twice, once)
    assert _weighted_map(done.outcome, weights) == pytest.approx(expected, abs=1e-12)


def test_weighted_by_class__each_image_once_is_the_score_of_each_class(crowded):
    done = _evaluate(crowded)
    once = np.ones((1, len(done.outcome)), dtype=np.int64)
    found = weighted_by_class(done.outcome, OPTIONS, once)
    assert {name: value for name, (value,) in found.items()} == pytest.approx(done.score.by_class)


def test_weighted_map__without_ground_truth_is_unknown():
    assert np.isnan(weighted_map({"cat": np.full(3, np.nan)}, 3)).all()
    assert np.isnan(weighted_map({}, 3)).all()


def test_draw_images__as_many_as_there_are_and_the_same_again():
    weights = draw_images(7, 100, seed=3)
    assert set(weights.sum(axis=1)) == {7}
    assert np.array_equal(weights, draw_images(7, 100, seed=3))
    assert len(draw_images(7, 10**9)) < len(weights)


def test_interval__of_normal_differences_is_two_deviations_wide():
    found = interval(np.random.default_rng(0).normal(0.1, 0.02, 100_000))
    assert (found.low, found.high) == pytest.approx((0.1 - 0.0392, 0.1 + 0.0392), abs=1e-3)


def test_interval__of_what_is_known():
    assert interval(np.array([np.nan, 0.5])) == interval(np.array([0.5]))
    assert interval(np.array([np.nan])) is None
