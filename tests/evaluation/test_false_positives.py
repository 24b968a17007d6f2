from __future__ import annotations

import fiftyone.core.patches as fop
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.errors import EvaluationError
from relabel.evaluation.false_positives import find_false_positives


@pytest.fixture
def evaluated(predicted):
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    return predicted


def test_find_false_positives__most_confident_first(evaluated):
    ids = evaluated.values("id")
    found = find_false_positives(evaluated, "eval")
    assert found.sample_ids == (ids[2], ids[0])
    assert [(label.label, label.confidence) for label in found.labels] == [
        ("bird", 0.99),
        ("bird", 0.85),
    ]


def test_find_false_positives__above_a_confidence(evaluated):
    found = find_false_positives(evaluated, "eval", confidence=0.9)
    assert found.sample_ids == (evaluated.values("id")[2],)


def test_find_false_positives__each_image_once(evaluated):
    import fiftyone as fo

    sample = evaluated.first()
    sample.predictions.detections.append(
        fo.Detection(label="bird", bounding_box=[0.8, 0.0, 0.1, 0.1], confidence=0.97)
    )
    sample.save()
    evaluate_detections(evaluated, "predictions", "ground_truth", eval_key="eval")
    found = find_false_positives(evaluated, "eval")
    ids = evaluated.values("id")
    assert [label.sample_id for label in found.labels] == [ids[2], ids[0], ids[0]]
    assert found.sample_ids == (ids[2], ids[0])


def test_find_false_positives__view_holds_whole_images(evaluated):
    view = find_false_positives(evaluated, "eval").view(evaluated)
    assert not isinstance(view, fop.PatchesView)
    assert view.values("id") == [evaluated.values("id")[2], evaluated.values("id")[0]]
    assert view.count("ground_truth.detections") == 4
    assert view.count("predictions.detections") == 4


def test_find_false_positives__within_a_view(evaluated):
    found = find_false_positives(evaluated.limit(1), "eval")
    assert found.sample_ids == (evaluated.first().id,)


def test_find_false_positives__none(evaluated):
    found = find_false_positives(evaluated, "eval", confidence=0.999)
    assert found.labels == ()
    assert found.view(evaluated).count() == 0


def test_find_false_positives__unknown_evaluation(evaluated):
    with pytest.raises(EvaluationError, match="Choose one of: eval"):
        find_false_positives(evaluated, "nonsense")


def test_find_false_positives__no_evaluation(dataset):
    with pytest.raises(EvaluationError, match="Evaluate detections first"):
        find_false_positives(dataset, "eval")
