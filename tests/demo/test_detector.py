"""The committed detector: its signature, its size, and that it really detects."""

from __future__ import annotations

import numpy as np
import pytest

from demo.detector.evaluate import (
    Prediction,
    coco_map,
    judged,
    load_detector,
    match,
    predictions_of,
    report_errors,
    suspects_of,
)
from demo.detector.export import CLASSES_FILE, DETECTIONS, SAVED_MODEL
from demo.detector.train import STYLE, divide_scans
from demo.label_errors import LabelError
from demo.scans import scan_indices
from demo.scenes import make_scene, relative_box
from demo.scoring import Suspect
from demo.truth import CLASSES, ImageTruth, Label

BOX = (0.1, 0.2, 0.1, 0.2)


@pytest.fixture(scope="module")
def detect():
    return load_detector()


@pytest.fixture(scope="module")
def scenes():
    """Scenes of the test side's scans, which the detector has not seen."""
    return [
        make_scene(np.random.default_rng([99, number]), scan_indices("test"))
        for number in range(16)
    ]


@pytest.fixture(scope="module")
def outputs(detect, scenes):
    return detect(np.stack([scene.image for scene in scenes]))


@pytest.fixture(scope="module")
def labels(scenes):
    return {
        str(number): [
            Label("", str(one.digit), relative_box(one.box, 640, 480), iscrowd=one.iscrowd)
            for one in scene.objects
        ]
        for number, scene in enumerate(scenes)
    }


@pytest.fixture(scope="module")
def predictions(outputs):
    return {str(number): found for number, found in enumerate(predictions_of(outputs))}


def test_saved_model__size():
    size = sum(path.stat().st_size for path in SAVED_MODEL.rglob("*") if path.is_file())
    assert 100_000 < size < 2_000_000


def test_saved_model__classes_file():
    assert CLASSES_FILE.read_text().splitlines() == list(CLASSES)


def test_saved_model__signature(detect):
    signature = detect.loaded.signatures["serving_default"]
    _, inputs = signature.structured_input_signature
    assert {name: (spec.dtype.name, spec.shape.rank) for name, spec in inputs.items()} == {
        "input_tensor": ("uint8", 4)
    }
    assert {
        name: spec.dtype.name for name, spec in signature.structured_outputs.items()
    } == dict.fromkeys(
        ("detection_boxes", "detection_classes", "detection_scores", "num_detections"), "float32"
    )


def test_outputs__as_the_detection_zoo_has_them(outputs):
    assert outputs["detection_boxes"].shape == (16, DETECTIONS, 4)
    assert outputs["detection_classes"].shape == (16, DETECTIONS)
    assert outputs["detection_scores"].shape == (16, DETECTIONS)
    assert outputs["num_detections"].shape == (16,)
    for number, count in enumerate(outputs["num_detections"].astype(int)):
        scores = outputs["detection_scores"][number]
        classes = outputs["detection_classes"][number, :count]
        ymin, xmin, ymax, xmax = outputs["detection_boxes"][number, :count].T
        assert count > 0
        assert np.all(np.diff(scores) <= 0)
        assert np.all(scores[count:] == 0)
        assert set(classes) <= set(range(1, 11))
        assert np.all((ymin >= 0) & (ymin < ymax) & (ymax <= 1))
        assert np.all((xmin >= 0) & (xmin < xmax) & (xmax <= 1))


def test_outputs__do_not_depend_on_the_batch(detect, scenes, outputs):
    alone = detect(scenes[3].image[None])
    for name, value in alone.items():
        assert value[0] == pytest.approx(outputs[name][3], abs=1e-3)


@pytest.mark.parametrize("size", [(480, 640), (333, 501), (64, 48)])
def test_outputs__images_of_any_size(detect, size):
    outputs = detect(np.zeros((2, *size, 3), np.uint8))
    assert outputs["detection_boxes"].shape == (2, DETECTIONS, 4)


def test_outputs__boxes_stay_where_they_are_in_a_cropped_image(detect, scenes):
    """An odd size is padded within the model: relative boxes must be of the image itself."""
    image = scenes[0].image[:450, :611]
    (found,) = predictions_of(detect(image[None]))
    (whole,) = predictions_of(detect(scenes[0].image[None]))
    best = max(found, key=lambda one: one.confidence)
    pixels = np.multiply(best.bounding_box, (611, 450, 611, 450))
    gaps = [
        np.abs(np.multiply(o.bounding_box, (640, 480, 640, 480)) - pixels).max() for o in whole
    ]
    assert min(gaps) < 2


def test_quality__floor_on_scans_it_has_not_seen(labels, predictions):
    overall, at_half, _ = coco_map(labels, predictions)
    assert overall > 0.65
    assert at_half > 0.85


def test_quality__high_confidence_means_right(labels, predictions):
    confident = [right for _, one, right in judged(labels, predictions) if one.confidence > 0.8]
    singles = sum(not label.iscrowd for found in labels.values() for label in found)
    assert np.mean(confident) > 0.85
    assert len(confident) > singles / 2


def test_quality__low_confidence_means_doubt(labels, predictions):
    doubtful = [right for _, one, right in judged(labels, predictions) if one.confidence < 0.3]
    assert np.mean(doubtful) < 0.5


def test_coco_map__truth_is_perfect_and_nothing_is_zero(labels):
    perfect = {
        name: [Prediction(one.label, one.bounding_box, 0.9) for one in found]
        for name, found in labels.items()
    }
    assert coco_map(labels, perfect) == pytest.approx((1, 1, 1))
    wrong = {
        name: [Prediction(CLASSES[(int(o.label) + 1) % 10], o.bounding_box, 0.9) for o in found]
        for name, found in labels.items()
    }
    assert coco_map(labels, wrong)[0] < 0.05


def test_match__one_label_is_taken_once():
    label = Label("", "3", BOX)
    twice = [Prediction("3", BOX, 0.5), Prediction("3", BOX, 0.9), Prediction("4", BOX, 0.7)]
    assert match([label], twice) == [True, False, False]


def test_match__on_a_heap_of_its_class_nothing_is_judged():
    heap = Label("", "3", (0, 0, 0.5, 0.5), iscrowd=True)
    found = [
        Prediction("3", BOX, 0.9),
        Prediction("4", BOX, 0.8),
        Prediction("3", (0.8, 0, 0.1, 0.1), 0.7),
    ]
    assert match([heap], found) == [None, False, False]


def test_suspects_of__confident_and_not_in_the_labels():
    labels = {"i.jpg": [Label("a", "8", BOX)]}
    said = [Prediction("3", BOX, 0.9), Prediction("4", BOX, 0.7), Prediction("8", BOX, 0.95)]
    assert suspects_of(labels, {"i.jpg": said}) == [Suspect("i.jpg", BOX)]


def test_report_errors__a_wrong_class_is_hit_and_mended():
    image = ImageTruth("i.jpg", "test", 640, 480, (Label("a", "3", BOX),))
    wrong = Label("a", "8", BOX)
    errors = [LabelError("i.jpg", "wrong class", "a", image.objects[0], wrong)]
    said = {"i.jpg": [Prediction("3", BOX, 0.9)]}
    text = report_errors([image], {"i.jpg": [wrong]}, said, errors)
    assert "mAP 0.000; 1 suspects, 1 of them on an error; 1 of 1 errors hit" in text
    assert text.endswith("1 errors gone, mAP 1.000")


def test_divide_scans__only_the_train_side_and_no_scan_twice():
    seen, held_back = map(set, divide_scans())
    assert seen | held_back == set(scan_indices("train"))
    assert not seen & held_back
    assert not (seen | held_back) & set(scan_indices("test"))
    assert len(held_back) > 100


def test_style__sides_suit_the_network():
    assert STYLE.width % 32 == STYLE.height % 32 == 0
