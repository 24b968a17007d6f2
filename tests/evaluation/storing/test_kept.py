from __future__ import annotations

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.storing.kept import kept_scores


def test_kept_scores__of_every_evaluation_of_ours(predicted):
    done = evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    even = predicted.match_tags("even")
    part = evaluate_detections(even, "predictions", "ground_truth", eval_key="part")
    predicted.evaluate_detections("predictions", "ground_truth", eval_key="stock")
    whole, some = kept_scores(predicted)
    assert (whole.eval_key, whole.samples, whole.map) == ("eval", 6, done.score.map)
    assert (some.eval_key, some.samples, some.map) == ("part", 3, part.score.map)
    assert (whole.predictions, whole.ground_truth) == ("predictions", "ground_truth")


def test_kept_scores__the_version_says_that_it_was_made_anew(predicted):
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    (first,) = kept_scores(predicted)
    assert kept_scores(predicted) == [first]
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    (second,) = kept_scores(predicted)
    assert second.version != first.version
    predicted.delete_evaluation("eval")
    assert kept_scores(predicted) == []
