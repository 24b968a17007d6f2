"""The figures are those of pycocotools, over random and adversarial sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from relabel.evaluation.matching.matching import match
from relabel.evaluation.matching.tables import Detections, as_objects
from relabel.evaluation.scoring.marks import Kind, marks_of
from relabel.evaluation.scoring.precision import precision_recall

IOUS = [x / 100 for x in range(50, 100, 5)]
CLASSES = ["a", "b", "c"]

# Eighths and few confidences: boxes that overlap by exactly a threshold, and ties, are common.
side = st.integers(1, 8).map(lambda number: number / 8)
place = st.integers(0, 7).map(lambda number: number / 8)
label = st.sampled_from(CLASSES)
truths = st.lists(st.tuples(place, place, side, side, label, st.booleans()), max_size=6)
predictions = st.lists(
    st.tuples(place, place, side, side, label, st.sampled_from([0.25, 0.5, 0.75])), max_size=8
)
images = st.lists(st.tuples(truths, predictions), min_size=1, max_size=4)


def table(rows, *, ranked):
    flat = [(number, *row) for number, of_image in enumerate(rows) for row in of_image]
    last = [row[6] for row in flat]
    return Detections(
        ids=as_objects([f"{number:024x}" for number in range(len(flat))]),
        image=np.array([row[0] for row in flat], dtype=np.int64),
        label=as_objects([row[5] for row in flat]),
        box=np.array([row[1:5] for row in flat], dtype=float).reshape(-1, 4),
        confidence=np.array(last if ranked else [np.nan] * len(flat), dtype=float),
        crowd=np.array([False] * len(flat) if ranked else last, dtype=bool),
    )


def cocoeval(truth, found, images, most=100):
    def boxes(labels):
        return [
            {
                "id": row + 1,
                "image_id": int(labels.image[row]),
                "category_id": CLASSES.index(labels.label[row]),
                "bbox": labels.box[row].tolist(),
                "area": float(labels.box[row, 2] * labels.box[row, 3]),
                "iscrowd": int(labels.crowd[row]),
                "score": float(labels.confidence[row]),
            }
            for row in range(len(labels))
        ]

    sets = []
    for labels in (truth, found):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(images)],
            "categories": [{"id": number, "name": name} for number, name in enumerate(CLASSES)],
            "annotations": boxes(labels),
        }
        coco.createIndex()
        sets.append(coco)
    evaluation = COCOeval(*sets, iouType="bbox")
    evaluation.params.maxDets = [most]
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ["all"]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def marks_of_cocoeval(evaluation, level):
    """Prediction -> ``tp`` or ``fp`` and its match; the ground truth that is missed."""
    kinds, missed = {}, set()
    for image in filter(None, evaluation.evalImgs):
        rows = zip(
            image["dtIds"], image["dtMatches"][level], image["dtIgnore"][level], strict=True
        )
        for found, partner, ignored in rows:
            kinds[found - 1] = None if ignored else "tp" if partner else "fp"
        for truth, partner, ignored in zip(
            image["gtIds"], image["gtMatches"][level], image["gtIgnore"], strict=True
        ):
            if not ignored and not partner:
                missed.add(truth - 1)
    return kinds, missed


@settings(max_examples=300, deadline=None)
@given(images)
def test_match__is_what_pycocotools_says(images):
    truth = table([truths for truths, _ in images], ranked=False)
    found = table([predictions for _, predictions in images], ranked=True)
    matches = match(found, truth, IOUS, classwise=True)
    curves = precision_recall(found, truth, matches, CLASSES)
    theirs = cocoeval(truth, found, len(images))
    # pycocotools: thresholds, recalls, classes, areas, most predictions
    expected = theirs.eval["precision"][:, :, :, 0, 0].transpose(0, 2, 1)
    np.testing.assert_allclose(curves.precision, expected, atol=1e-9)
    np.testing.assert_allclose(curves.recall, theirs.eval["recall"][:, :, 0, 0], atol=1e-9)
    for level in range(len(IOUS)):
        marks, of_truth = marks_of(found, truth, matches.truth_of[level], matches.iou_of[level])
        kinds, missed = marks_of_cocoeval(theirs, level)
        said = [kind for kind, _, _ in marks.of(slice(len(found)))]
        assert dict(enumerate(said)) == kinds
        assert set(np.flatnonzero(of_truth.kind == Kind.FN).tolist()) == missed


def test_precision_recall__more_than_a_hundred_predictions():
    generator = np.random.default_rng(0)
    boxes = generator.integers(0, 8, (150, 4)) / 8 + 0.125
    rows = [(*box, "a", sure) for box, sure in zip(boxes, generator.random(150), strict=True)]
    found = table([rows], ranked=True)
    truth = table([[(*box, "a", False) for box in boxes[:60]]], ranked=False)
    matches = match(found, truth, IOUS, classwise=True)
    curves = precision_recall(found, truth, matches, CLASSES)
    theirs = cocoeval(truth, found, 1)
    expected = theirs.eval["precision"][:, :, :, 0, 0].transpose(0, 2, 1)
    np.testing.assert_allclose(curves.precision, expected, atol=1e-9)
    assert (matches.truth_of >= 0).any()


def test_match__without_classes_a_wrong_class_is_linked_to_what_it_lies_on():
    found = table([[(0, 0, 0.5, 0.5, "a", 0.9)]], ranked=True)
    truth = table([[(0, 0, 0.5, 0.5, "b", False)]], ranked=False)
    assert match(found, truth, [0.5], classwise=True).truth_of.tolist() == [[-1]]
    assert match(found, truth, [0.5], classwise=False).truth_of.tolist() == [[0]]


def test_match__without_classes_only_a_crowd_of_its_class_takes_a_prediction():
    found = table([[(0, 0, 0.5, 0.5, "a", 0.9), (0, 0, 0.5, 0.5, "b", 0.8)]], ranked=True)
    truth = table([[(0, 0, 0.5, 0.5, "b", True)]], ranked=False)
    assert match(found, truth, [0.5], classwise=False).truth_of.tolist() == [[-1, 0]]


def test_match__nothing_to_match():
    none = table([[]], ranked=True)
    assert match(none, none, IOUS, classwise=True).truth_of.shape == (10, 0)
    assert match(none, none, IOUS, classwise=False).truth_of.shape == (10, 0)
