"""Masks are compared as pycocotools compares them."""

from __future__ import annotations

from types import SimpleNamespace

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_masks

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.matching.masks import PlacedMask, mask_iou
from relabel.evaluation.matching.options import EvaluationOptions

SIDE = 16
places = st.integers(0, SIDE - 4)
placed = st.tuples(places, places, arrays(np.bool_, st.tuples(*[st.integers(1, 4)] * 2)))


def _full(left, top, pixels):
    image = np.zeros((SIDE, SIDE), dtype=np.uint8, order="F")
    image[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return coco_masks.encode(image)


@settings(max_examples=300, deadline=None)
@given(placed, placed, st.booleans())
def test_mask_iou__is_what_pycocotools_says(one, other, crowd):
    mine = [PlacedMask(*mask, int(mask[2].sum())) for mask in (one, other)]
    theirs = coco_masks.iou([_full(*one)], [_full(*other)], [int(crowd)])[0, 0]
    assert mask_iou(*mine, crowd=crowd) == theirs


def _detection(left, top, pixels, label, **attributes):
    height, width = pixels.shape
    box = [left / 64, top / 48, width / 64, height / 48]  # the images of the dataset are 64 x 48
    return fo.Detection(label=label, bounding_box=box, mask=pixels, **attributes)


@pytest.fixture
def masked(dataset):
    """Random masks of three classes, and predictions that are the same but for some pixels."""
    generator = np.random.default_rng(3)
    for sample in dataset:
        truth, found = [], []
        for _ in range(8):
            left, top = generator.integers(0, 28, 2).tolist()
            label = str(generator.choice(["cat", "dog", "bird"]))
            pixels = generator.random((20, 16)) < 0.8
            truth.append(_detection(left, top, pixels, label))
            noise = generator.random(pixels.shape) < generator.uniform(0, 0.4)
            sure = float(generator.random())
            found.append(_detection(left, top, pixels ^ noise, label, confidence=sure))
        sample["ground_truth"] = fo.Detections(detections=truth)
        sample["predictions"] = fo.Detections(detections=found[:7])
        sample.save()
    return dataset


def _evaluate(view, **options):
    return evaluate_detections(
        view, "predictions", "ground_truth", eval_key="eval", options=EvaluationOptions(**options)
    ).score


@pytest.mark.parametrize("tolerance", [None, 1])
def test_evaluate_detections__masks_as_stock_fiftyone_does(masked, tolerance):
    score = _evaluate(masked, use_masks=True, tolerance=tolerance, error_level=2)
    stock = masked.evaluate_detections(
        "predictions",
        gt_field="ground_truth",
        eval_key="stock",
        use_masks=True,
        tolerance=tolerance,
        error_level=2,
        compute_mAP=True,
        progress=False,
    )
    assert 0 < score.map < 1
    assert score.map == pytest.approx(stock.mAP(), abs=1e-9)
    for field in ("predictions", "ground_truth"):
        for end in ("", "_id", "_iou"):
            paths = [f"{field}.detections.{key}{end}" for key in ("eval", "stock")]
            ours, theirs = masked.values(paths)
            assert ours == theirs
    assert masked.get_evaluation_info("eval").config.use_masks


def test_evaluate_detections__stock_takes_a_crowd_of_masks_for_one_object(masked):
    """Stock FiftyOne divides by the union of both masks, where COCO divides by the prediction."""
    crowd = np.ones((40, 40), dtype=bool)
    inside = np.ones((10, 10), dtype=bool)
    masked.set_values(
        "ground_truth",
        [fo.Detections(detections=[_detection(0, 0, crowd, "cat", iscrowd=True)])] * 6,
    )
    masked.set_values(
        "predictions",
        [fo.Detections(detections=[_detection(8, 8, inside, "cat", confidence=0.9)])] * 6,
    )
    score = _evaluate(masked, use_masks=True)
    masked.evaluate_detections(
        "predictions", gt_field="ground_truth", eval_key="stock", use_masks=True, progress=False
    )
    assert masked.sum("stock_fp") == 6
    assert score.false_positives == 0


def test_evaluate_detections__a_label_without_a_mask_is_named(masked):
    sample = masked.first()
    sample.ground_truth.detections[0].mask = None
    sample.save()
    score = _evaluate(masked, use_masks=True)
    (bad,) = score.invalid
    assert (bad.label_id, bad.reason) == (
        sample.ground_truth.detections[0].id,
        "no mask that can be read",
    )


def test_evaluate_detections__a_changed_mask_is_matched_again(masked):
    _evaluate(masked, use_masks=True)
    assert _evaluate(masked, use_masks=True).matched == 0
    sample = masked.first()
    sample.ground_truth.detections[0].mask = np.ones((20, 16), dtype=bool)
    sample.save()
    assert _evaluate(masked, use_masks=True).matched == 1


def test_evaluate_detections__masks_in_files(masked, tmp_path):
    expected = _evaluate(masked, use_masks=True).map
    masked.set_values(
        "ground_truth",
        [_exported(labels, tmp_path) for labels in masked.values("ground_truth")],
    )
    again = _evaluate(masked, use_masks=True)
    assert (again.map, again.invalid) == (expected, ())


def _exported(labels, folder):
    for label in labels.detections:
        label.export_mask(str(folder / f"{label.id}.png"))
    return labels


def test_mask_iou__nothing_in_common():
    empty = PlacedMask(0, 0, np.zeros((2, 2), dtype=bool), 0)
    far = SimpleNamespace(left=9, top=9, pixels=np.ones((2, 2), dtype=bool), area=4)
    assert mask_iou(empty, empty, crowd=False) == 0
    assert mask_iou(empty, far, crowd=False) == 0
