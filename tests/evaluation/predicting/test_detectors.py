from __future__ import annotations

import numpy as np
import pytest

from relabel.compute.errors import ModelNotFound
from relabel.evaluation.errors import ClassFileError, NotADetector
from relabel.evaluation.predicting.detectors import load_detector, require_saved_model

from .tiny_detector import save_detector

IMAGE = np.zeros((48, 64, 3), np.uint8)


def _as_tuples(detections):
    return [(d.label, round(d.confidence, 4), d.bounding_box) for d in detections.detections]


@pytest.mark.parametrize("name", ["any_batch", "one_image"])
def test_predict__boxes_names_and_scores(saved_models, name):
    detector = load_detector(saved_models / name)
    assert _as_tuples(detector.predict(IMAGE)) == [
        ("dog", 0.9, [0.5, 0.25, 0.5, 0.5]),
        ("cat", 0.4, [0.0, 0.0, 0.25, 0.5]),
    ]


@pytest.mark.parametrize("name", ["any_batch", "one_image"])
def test_predict_all__images_of_several_sizes(saved_models, name):
    detector = load_detector(saved_models / name, confidence=0.5)
    images = [IMAGE, np.zeros((20, 20, 3), np.uint8), IMAGE]
    found = detector.predict_all(images)
    assert [len(detections.detections) for detections in found] == [1, 1, 1]


def test_predict__class_without_a_name(saved_models, tmp_path):
    (tmp_path / "classes.txt").write_text("cat\n")
    detector = load_detector(saved_models / "any_batch", tmp_path / "classes.txt")
    with pytest.raises(ClassFileError, match="found class 2"):
        detector.predict(IMAGE)


def test_load_detector__class_count_differs(saved_models, tmp_path):
    save_detector(tmp_path / "model", batch=None, class_count=90)
    with pytest.raises(ClassFileError, match="the model has 90 classes"):
        load_detector(tmp_path / "model", saved_models / "classes.txt")


def test_load_detector__class_count_fits(saved_models, tmp_path):
    save_detector(tmp_path / "model", batch=None, class_count=2)
    detector = load_detector(tmp_path / "model", saved_models / "classes.txt")
    assert len(detector.predict(IMAGE).detections) == 2


def test_load_detector__another_signature(saved_models, tmp_path):
    import tensorflow as tf

    class Classifier(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8)])
        def __call__(self, images):
            return {"logits": tf.cast(tf.shape(images), tf.float32)}

    classifier = Classifier()
    tf.saved_model.save(classifier, str(tmp_path / "model"), signatures=classifier.__call__)
    with pytest.raises(NotADetector, match="lacks detection_boxes"):
        load_detector(tmp_path / "model", saved_models / "classes.txt")


def test_load_detector__damaged(saved_models, tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(ModelNotFound, match="cannot load"):
        load_detector(tmp_path, saved_models / "classes.txt")


def test_require_saved_model__says_what_is_missing(saved_models, tmp_path):
    with pytest.raises(ModelNotFound, match="There is no"):
        require_saved_model(tmp_path / "nowhere")
    with pytest.raises(ModelNotFound, match="is not a SavedModel"):
        require_saved_model(tmp_path)
    with pytest.raises(ClassFileError, match="There is no file"):
        require_saved_model(saved_models / "any_batch", tmp_path / "none.txt")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ClassFileError, match="No class file"):
        require_saved_model(tmp_path)
