from __future__ import annotations

import fiftyone.core.odm as foo
import fiftyone.operators as foo_operators
import pytest

from relabel.evaluation.detections import (
    detection_evaluations,
    evaluate_detections,
    require_eval_key,
)
from relabel.evaluation.errors import EvaluationError
from relabel.evaluation.matching.options import EvaluationOptions


def _evaluate(view, *, progress=None, **options):
    done = evaluate_detections(
        view,
        "predictions",
        "ground_truth",
        eval_key="eval",
        options=EvaluationOptions(**options),
        progress=progress,
    )
    return done.score


def test_evaluate_detections__known_score(predicted):
    score = _evaluate(predicted)
    assert score.map == pytest.approx(0.5)  # cat 1.0, dog 0.0; bird has no ground truth
    assert score.ap50 == pytest.approx(0.5)
    assert (score.true_positives, score.false_positives, score.false_negatives) == (6, 2, 6)
    assert (score.samples, score.invalid) == (6, ())
    assert predicted.has_evaluation("eval")


def test_evaluate_detections__one_split(predicted):
    score = _evaluate(predicted.match_tags("even"))
    assert (score.samples, score.true_positives, score.false_positives) == (3, 3, 2)


def test_evaluate_detections__again_replaces(predicted):
    _evaluate(predicted)
    sample = predicted.first()
    sample.predictions.detections = []
    sample.save()
    score = _evaluate(predicted)
    assert score.true_positives == 5
    assert predicted.list_evaluations() == ["eval"]


def test_evaluate_detections__a_run_whose_document_is_gone(predicted):
    for key in ("gone", "eval"):
        evaluate_detections(predicted, "predictions", "ground_truth", eval_key=key)
    document = predicted._doc.evaluations["gone"].id
    foo.get_db_conn()["runs"].delete_one({"_id": document})
    predicted.reload()
    for key in ("eval", "other", "gone"):
        evaluate_detections(predicted, "predictions", "ground_truth", eval_key=key)
    assert predicted.list_evaluations() == ["eval", "gone", "other"]


def test_evaluate_detections__crowd_is_neither_missed_nor_counted(predicted):
    for sample in predicted:
        sample.ground_truth.detections[1]["iscrowd"] = True
        sample.save()
    score = _evaluate(predicted)
    assert score.map == pytest.approx(1.0)


def test_evaluate_detections__wrong_class_links_to_what_it_lies_on(predicted):
    sample = predicted.first()
    sample.predictions.detections[0].label = "dog"
    sample.save()
    _evaluate(predicted, classwise=False)
    predicted.reload()
    wrong = predicted.first().predictions.detections[0]
    assert wrong["eval"] == "fp"
    assert wrong["eval_id"] == predicted.first().ground_truth.detections[0].id


def test_evaluate_detections__no_ground_truth(predicted):
    predicted.set_values("ground_truth.detections", [[]] * 6)
    score = _evaluate(predicted)
    assert (score.map, score.ap50, score.true_positives) == (None, None, 0)


def test_evaluate_detections__predictions_without_confidence(predicted):
    with pytest.raises(EvaluationError, match="12 labels of 'ground_truth' have no confidence"):
        evaluate_detections(predicted, "ground_truth", "predictions", eval_key="eval")
    assert not predicted.has_evaluation("eval")


def test_evaluate_detections__reports_progress_to_the_end(predicted):
    steps = []
    _evaluate(predicted, progress=lambda *step: steps.append(step))
    assert steps[-1] == (6, 6)
    assert steps == sorted(steps)


@pytest.mark.parametrize("key", ["", None, "1st", "a-b", "label", "confidence"])
def test_require_eval_key__refused(predicted, key):
    with pytest.raises(EvaluationError):
        require_eval_key(predicted, key)


def test_require_eval_key__taken_by_another_kind(predicted):
    import fiftyone as fo

    predicted.set_values("a", [fo.Classification(label="x")] * 6)
    predicted.evaluate_classifications("a", gt_field="a", eval_key="other")
    with pytest.raises(EvaluationError, match="another kind"):
        require_eval_key(predicted, "other")
    assert list(detection_evaluations(predicted)) == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"classwise": False},
        {"iou": 0.75},
        {"iou": 0.3, "classwise": False},
        {"iou_threshs": (0.3, 0.5, 0.8)},
        {"max_preds": 2},
        {"missing": "nobody"},
        {"iou": 1.0, "iou_threshs": (1.0,)},
    ],
    ids=str,
)
def test_evaluate_detections__as_stock_fiftyone_does(crowded, options):
    score = _evaluate(crowded, **options)
    classwise = options.get("classwise", True)
    stock = crowded.evaluate_detections(
        "predictions",
        gt_field="ground_truth",
        eval_key="stock",
        compute_mAP=True,
        progress=False,
        **options,
    )
    for field in ("predictions", "ground_truth"):
        for suffix in ("", "_id", "_iou"):
            ours, theirs = crowded.values(
                [f"{field}.detections.{key}{suffix}" for key in ("eval", "stock")]
            )
            assert ours == theirs
    for kind in ("tp", "fp", "fn"):
        assert crowded.values(f"eval_{kind}") == crowded.values(f"stock_{kind}")
    results = crowded.load_evaluation_results("eval")
    assert results.missing == stock.missing
    assert sorted(results.ypred_ids, key=str) == sorted(stock.ypred_ids, key=str)
    assert (results.confusion_matrix() == stock.confusion_matrix()).all()
    if classwise:  # without, the precision of a class counts predictions of others
        assert results.mAP() == pytest.approx(stock.mAP(), abs=1e-12)
        assert score.map == pytest.approx(stock.mAP(), abs=1e-12)
        assert score.mar == results.mAR()
        assert results.mAR() == pytest.approx(stock.mAR(), abs=1e-12)
        assert (results.thresholds == stock.thresholds).all()


def test_evaluate_detections__fiftyone_works_on_the_run(crowded):
    _evaluate(crowded)
    results = crowded.load_evaluation_results("eval")
    assert results.plot_pr_curves(backend="matplotlib") is not None
    assert crowded.to_evaluation_patches("eval").count() > 0
    crowded.rename_evaluation("eval", "other")
    assert crowded.count_values("predictions.detections.other").keys() <= {"tp", "fp"}
    crowded.delete_evaluation("other")
    assert crowded.get_field("predictions.detections.other") is None


class _Share(foo_operators.EvaluationMetric):
    """The share of labels of a kind."""

    @property
    def config(self):
        return foo_operators.EvaluationMetricConfig(name="share.of", label="Share")

    def compute(self, samples, results, kind="tp"):
        kinds = samples.values(f"predictions.detections.{results.key}", unwind=True)
        return kinds.count(kind) / len(kinds)


@pytest.mark.parametrize(
    ("metrics", "expected"), [(("share.of",), 6 / 8), ({"share.of": {"kind": "fp"}}, 2 / 8)]
)
def test_evaluate_detections__metrics_of_others(predicted, monkeypatch, metrics, expected):
    monkeypatch.setattr(foo_operators, "get_operator", lambda _: _Share())
    for _ in range(2):
        _evaluate(predicted, custom_metrics=metrics)
        results = predicted.load_evaluation_results("eval", cache=False)
        assert results.metrics()["share.of"] == expected
    assert _evaluate(predicted, custom_metrics=metrics).matched == 0, "options are as they were"


def test_evaluate_detections__declares_what_it_writes_if_asked_to(predicted):
    _evaluate(predicted, dynamic=False)
    path = "predictions.detections.eval"
    assert predicted.get_field(path) is None
    assert "tp" in predicted.values(path, unwind=True)
    _evaluate(predicted)
    assert predicted.get_field(path) is not None


def test_evaluate_detections__predictions_without_confidence_are_named(crowded):
    sample = crowded.first()
    sample.predictions.detections[0].confidence = None
    sample.save()
    score = _evaluate(crowded)
    (bad,) = score.invalid
    assert (bad.sample_id, bad.reason) == (sample.id, "no confidence")
    assert score.true_positives + score.false_positives == 71


def test_evaluate_detections__a_view_of_some_labels(crowded):
    from fiftyone import ViewField

    view = crowded.filter_labels("predictions", ViewField("confidence") > 0.5)
    score = _evaluate(view)
    assert score.true_positives + score.false_positives == view.count("predictions.detections")
    marked = crowded.count("predictions.detections.eval")
    assert marked == view.count("predictions.detections")
    low = crowded.filter_labels("predictions", ViewField("confidence") <= 0.5)
    assert set(low.values("predictions.detections.eval", unwind=True)) == {None}
