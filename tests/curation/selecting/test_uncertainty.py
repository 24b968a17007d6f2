from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest

from relabel.curation.errors import PredictionsError
from relabel.curation.selecting.disagreement import (
    comparable_fields,
    disagreement,
    require_comparable_fields,
    require_two,
)
from relabel.curation.selecting.uncertainty import (
    CONFIDENCE,
    LOGITS,
    MEASURES,
    require_measure,
    require_predictions,
    uncertainty,
)

LEFT, LEFT_TOO, RIGHT = [0.0, 0.0, 0.4, 1.0], [0.0, 0.0, 0.4, 0.9], [0.6, 0.0, 0.4, 1.0]


def _detections(*boxes, label="cat", confidence=0.5):
    return fo.Detections(
        detections=[
            fo.Detection(label=label, bounding_box=box, confidence=confidence) for box in boxes
        ]
    )


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_measures__from_certain_to_any(measure, classes):
    certain, even = np.eye(classes)[:1], np.full((1, classes), 1 / classes)
    between = 0.5 * certain + 0.5 * even
    scores = [MEASURES[measure](rows)[0] for rows in (certain, between, even)]
    assert scores[0] == pytest.approx(0.0, abs=1e-9)
    assert scores[2] == pytest.approx(1.0)
    assert scores[0] < scores[1] < scores[2]


def test_measures__margin_looks_at_two_classes_and_entropy_at_all():
    two, all_even = np.array([[0.45, 0.45, 0.1]]), np.array([[0.4, 0.3, 0.3]])
    assert MEASURES["margin"](two) > MEASURES["margin"](all_even)
    assert MEASURES["entropy"](two) < MEASURES["entropy"](all_even)


def test_uncertainty__from_logits(dataset):
    logits = [[9.0, 0, 0], [1.0, 0, 0], [0.0, 0, 0]]
    labels = [fo.Classification(label="a", confidence=0.9, logits=row) for row in logits]
    dataset.set_values("predictions", [*labels, None, None, None])
    found = uncertainty(dataset, "predictions")
    assert list(found.scores) == dataset.values("id")[:3]
    assert list(found.scores.values()) == sorted(found.scores.values())
    assert list(found.scores.values())[-1] == pytest.approx(1.0)
    assert (found.used, found.missing) == (LOGITS, 3)


@pytest.mark.parametrize("measure", MEASURES)
def test_uncertainty__from_confidence_alone(dataset, measure):
    confidences = [1.0, 0.9, 0.2, 0.7, 0.4, 0.5]
    dataset.set_values(
        "predictions", [fo.Classification(label="a", confidence=number) for number in confidences]
    )
    found = uncertainty(dataset, "predictions", measure)
    order = np.argsort(list(found.scores.values()), kind="stable").tolist()
    assert order == [0, 1, 2, 3, 4, 5]
    assert found.used == CONFIDENCE


def test_measures__the_formulas():
    """Settles 2009, 2.1: margin, least confidence and entropy, each over its largest value."""
    shares = np.array([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]])
    entropies = -(shares * np.log(shares)).sum(axis=1) / np.log(3)
    assert MEASURES["entropy"](shares) == pytest.approx(entropies)
    assert MEASURES["margin"](shares) == pytest.approx([1 - 0.2, 1 - 0.5])
    assert MEASURES["least_confidence"](shares) == pytest.approx([0.5 * 3 / 2, 0.3 * 3 / 2])


@pytest.mark.parametrize("measure", MEASURES)
def test_uncertainty__of_the_logits_of_boxes(dataset, measure):
    """The softmax of each box's logits is measured; of an image the least sure box counts."""
    logits = np.array([[2.0, 1.0, 0.0], [0.5, 0.4, 0.1]])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    boxes = _detections(LEFT, RIGHT, confidence=0.9)
    for box, row in zip(boxes.detections, logits, strict=True):
        box["logits"] = row
    dataset.add_samples([fo.Sample(filepath="/none.png", found=boxes)], dynamic=True)
    found = uncertainty(dataset, "found", measure)
    assert list(found.scores.values()) == [pytest.approx(MEASURES[measure](shares).max())]
    assert found.used == LOGITS


def test_uncertainty__logits_that_are_no_numbers(dataset):
    """Then the confidence counts; a class may be ruled out, which is minus infinity."""
    rows = [[np.nan, 0, 0], [np.inf, 0, 0], [-np.inf] * 3, [0, 0, -np.inf], [1.0], []]
    labels = [fo.Classification(label="a", confidence=0.5, logits=row) for row in rows]
    labels[1].confidence = None
    dataset.set_values("predictions", labels)
    found = uncertainty(dataset, "predictions", "margin")
    assert list(found.scores.values()) == pytest.approx([1.0] * 5)
    assert found.missing == 1


@pytest.mark.parametrize(("pool", "expected"), [("max", 1.0), ("mean", 0.5), ("sum", 1.0)])
def test_uncertainty__of_boxes(dataset, pool, expected):
    boxes = _detections(LEFT, RIGHT)
    boxes.detections[0].confidence = 1.0
    dataset.set_values("found", [boxes, fo.Detections(), None, None, None, None])
    found = uncertainty(dataset, "found", "least_confidence", pool)
    first, second = dataset.values("id")[:2]
    assert found.scores == {first: pytest.approx(expected), second: 0.0}
    assert found.missing == 4


def test_uncertainty__nothing_says_how_sure(dataset):
    with pytest.raises(PredictionsError, match="neither logits nor a confidence"):
        uncertainty(dataset, "ground_truth")
    dataset.add_sample_field("empty", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    with pytest.raises(PredictionsError, match="holds no predictions"):
        uncertainty(dataset, "empty")


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (_detections(LEFT, RIGHT), 0.0),
        (_detections(RIGHT, LEFT), 0.0),
        (_detections(LEFT), 0.5),
        (_detections(), 1.0),
        (_detections(LEFT, RIGHT, label="dog"), 1.0),
        (_detections(LEFT_TOO, RIGHT), 0.05),
    ],
)
def test_disagreement__of_boxes(dataset, other, expected):
    dataset.set_values("one", [_detections(LEFT, RIGHT)] + [None] * 5)
    dataset.set_values("other", [other, *[fo.Detections()] * 5])
    for pair in (("one", "other"), ("other", "one")):
        found = disagreement(dataset, *pair)
        assert found.scores == {dataset.first().id: pytest.approx(expected)}
        assert found.missing == 5


@pytest.mark.parametrize("box", [None, [], [0.0, 0.0, float("nan"), 1.0]])
def test_disagreement__a_box_that_is_none_agrees_with_nothing(dataset, box):
    broken = fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=LEFT),
            fo.Detection(label="cat", bounding_box=box),
        ]
    )
    dataset.set_values("one", [_detections(LEFT)] + [None] * 5)
    dataset.set_values("other", [broken] + [None] * 5)
    assert list(disagreement(dataset, "one", "other").scores.values()) == [pytest.approx(0.5)]


def test_comparable_fields__of_the_same_type(dataset):
    with pytest.raises(PredictionsError, match="No other field"):
        require_comparable_fields(dataset, "ground_truth")
    dataset.set_values("classes", [fo.Classification(label="a")] * 6)
    dataset.set_values("boxes", [_detections(LEFT)] * 6)
    assert comparable_fields(dataset, "ground_truth") == ["boxes"]
    assert comparable_fields(dataset, "nonsense") == []
    assert require_comparable_fields(dataset, "boxes") == ["ground_truth"]


def test_disagreement__both_find_nothing(dataset):
    dataset.set_values("one", [fo.Detections()] * 6)
    dataset.set_values("other", [fo.Detections()] * 6)
    assert set(disagreement(dataset, "one", "other").scores.values()) == {0.0}


def test_disagreement__of_classes(dataset):
    dataset.set_values("one", [fo.Classification(label="a", confidence=0.9)] * 6)
    others = [("a", 0.9), ("a", 0.4), ("b", 0.9), ("a", None), ("a", float("nan"))]
    labels = [fo.Classification(label=label, confidence=number) for label, number in others]
    dataset.set_values("other", [*labels, None])
    found = disagreement(dataset, "one", "other")
    assert list(found.scores.values()) == pytest.approx([0.0, 0.5, 1.0, 0.0, 0.0])
    assert found.missing == 1


def test_require_two__that_cannot_be_compared(dataset):
    dataset.set_values("classes", [fo.Classification(label="a")] * 6)
    with pytest.raises(PredictionsError, match="different types"):
        require_two(dataset, "classes", "ground_truth")
    with pytest.raises(PredictionsError, match="agrees with itself"):
        require_two(dataset, "classes", "classes")


@pytest.mark.parametrize("field", ["filepath", "nonsense", "", None])
def test_require_predictions__of_no_such_type(dataset, field):
    with pytest.raises(PredictionsError, match="no field of classifications"):
        require_predictions(dataset, field)


def test_require_measure__unknown():
    with pytest.raises(PredictionsError, match="entropy"):
        require_measure("nonsense", "max")
