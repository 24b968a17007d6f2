"""Where stock FiftyOne is wrong, and what Relabel says there."""

from __future__ import annotations

import fiftyone as fo
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.matching.options import EvaluationOptions
from relabel.evaluation.subset import score_subset


def _evaluate(view, **options):
    return evaluate_detections(
        view, "predictions", "ground_truth", eval_key="eval", options=EvaluationOptions(**options)
    ).score


def _stock(view, **options):
    return view.evaluate_detections(
        "predictions",
        gt_field="ground_truth",
        eval_key="stock",
        compute_mAP=True,
        progress=False,
        **options,
    )


@pytest.fixture
def mistaken(predicted):
    """The cat that the model is surest of was found, and called a dog."""
    sample = predicted.first()
    sample.predictions.detections[0].label = "dog"
    sample.predictions.detections[0].confidence = 0.99
    sample.save()
    return predicted


def test_evaluate_detections__links_of_a_wrong_class_do_not_skew_precision(mistaken):
    """With ``classwise=True``, stock does not say what a wrong class lies on.

    With ``False`` it does, but then counts the prediction against the class that it lies on, and
    not against its own. Relabel does both: the link, and the precision of COCO.
    """
    exact = _evaluate(mistaken, classwise=True)
    stock = _stock(mistaken, classwise=True)
    assert exact.map == pytest.approx(stock.mAP(), abs=1e-9)
    assert not mistaken.first().predictions.detections[0]["stock_id"]

    linked = _evaluate(mistaken, classwise=False)
    skewed = _stock(mistaken, classwise=False)
    assert linked.by_class == exact.by_class
    assert abs(skewed.mAP(["cat"]) - exact.by_class["cat"]) > 1e-3
    mistaken.reload()
    first = mistaken.first()
    assert first.predictions.detections[0]["eval_id"] == first.ground_truth.detections[0].id


def test_score_subset__stock_shows_that_of_the_full_set(mistaken):
    """Stock's ``use_subset`` leaves ``mAP()`` as it is; its panel shows it for every subset."""
    full = _evaluate(mistaken)
    subset = mistaken.match_tags("odd")
    stock = _stock(mistaken)
    with stock:
        stock.use_subset({"type": "field", "field": "tags", "value": ["odd"]})
        assert stock.mAP() == pytest.approx(full.map)
    expected = _stock(subset.clone()).mAP()
    assert score_subset(mistaken, "eval", subset).map == pytest.approx(expected, abs=1e-9)
    assert expected != pytest.approx(full.map)


def test_evaluate_detections__stock_gives_up_at_one_negative_width(predicted):
    sample = predicted.first()
    sample.ground_truth.detections.append(
        fo.Detection(label="cat", bounding_box=[0.5, 0.5, -0.1, 0.2])
    )
    sample.save()
    with pytest.raises(Exception, match="minimums more than maximums"):
        _stock(predicted)
    assert len(_evaluate(predicted).invalid) == 1
