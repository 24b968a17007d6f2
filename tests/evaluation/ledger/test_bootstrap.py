from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.bootstrap import (
    draw_images,
    interval,
    weighted_by_class,
    weighted_map,
)
from relabel.evaluation.ledger.contrast import contrast
from relabel.evaluation.matching.options import EvaluationOptions

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


def test_contrast__is_a_paired_bootstrap_by_brute_force(crowded):
    """Each draw as two datasets that stock FiftyOne scores, of the same images."""
    path = "ground_truth.detections.label"
    right = crowded.values(path)
    crowded.set_values(path, [["cat"] * len(one) for one in right[:3]] + right[3:])
    before, labels_before = _evaluate(crowded).outcome, _labels(crowded)
    crowded.set_values(path, right)
    after, labels_after = _evaluate(crowded).outcome, _labels(crowded)
    few = draw_images(len(before), 0)[:5]
    ours = _weighted_map(after, few) - _weighted_map(before, few)
    for drawn, difference in zip(few, ours, strict=True):
        images = np.repeat(np.arange(len(before)), drawn)
        old, new = (
            _stock_map([labels[image] for image in images])
            for labels in (labels_before, labels_after)
        )
        assert difference == pytest.approx(new - old, abs=1e-9)
    found = contrast(before, after, before.sample_ids[:3], OPTIONS)
    every = draw_images(len(before), len(after.found))
    differences = _weighted_map(after, every) - _weighted_map(before, every)
    ends = np.quantile(differences, (0.025, 0.975))
    assert (found.difference.low, found.difference.high) == pytest.approx(ends)


def _labels(dataset):
    return [(sample.ground_truth.copy(), sample.predictions.copy()) for sample in dataset]


def _stock_map(images):
    drawn = fo.Dataset()
    drawn.add_samples(
        [
            fo.Sample(filepath=f"/{n}.png", ground_truth=truth.copy(), predictions=found.copy())
            for n, (truth, found) in enumerate(images)
        ]
    )
    results = drawn.evaluate_detections(
        "predictions", gt_field="ground_truth", compute_mAP=True, progress=False
    )
    drawn.delete()
    return results.mAP()
