from __future__ import annotations

import numpy as np
import pytest

from relabel.compute.errors import ModelNotFound
from relabel.evaluation.errors import ClassFileError, NotADetector
from relabel.evaluation.predicting.image_detector import Found
from relabel.evaluation.predicting.keras_detectors import (
    KerasDetector,
    find_the_same,
    load_keras_detector,
    require_keras_file,
)
from relabel.evaluation.predicting.output_format import BOX_FORMATS, OutputFormat, found_in
from relabel.evaluation.predicting.predict import apply_model

from .keras_models import always, save_detector

IMAGES = [np.full(shape, 200, np.uint8) for shape in ((48, 64, 3), (48, 64, 3), (100, 50, 3))]
# The same two boxes in each format, in an input of 32 x 64: a quarter of the image, and a half.
WRITTEN = {
    "xyxy": [[0, 0, 32, 16], [32, 0, 64, 32]],
    "yxyx": [[0, 0, 16, 32], [0, 32, 32, 64]],
    "xywh": [[0, 0, 32, 16], [32, 0, 32, 32]],
    "center_xywh": [[16, 8, 32, 16], [48, 16, 32, 32]],
    "rel_xyxy": [[0, 0, 0.5, 0.5], [0.5, 0, 1, 1]],
    "rel_yxyx": [[0, 0, 0.5, 0.5], [0, 0.5, 1, 1]],
    "rel_xywh": [[0, 0, 0.5, 0.5], [0.5, 0, 0.5, 1]],
    "rel_center_xywh": [[0.25, 0.25, 0.5, 0.5], [0.75, 0.5, 0.5, 1]],
}
EXPECTED = [("cat", [0, 0, 0.5, 0.5], 0.881), ("dog", [0.5, 0, 0.5, 1], 0.119)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras")
    (path / "classes.txt").write_text("cat\ndog\n")
    return path


@pytest.fixture(scope="module")
def keras_file(folder):
    """A model that returns a dictionary with names of KerasHub."""

    def output(_, scores):
        return {
            "boxes": always(scores, WRITTEN["xyxy"]),
            "confidence": scores,
            "labels": always(scores, [0, 1]),
        }

    return save_detector(folder / "model.keras", output)


def told(detections):
    return [
        (one.label, pytest.approx(one.bounding_box), round(one.confidence, 3))
        for one in detections.detections
    ]


def test_load_keras_detector__images_of_any_size(keras_file):
    detector = load_keras_detector(keras_file)
    for found in detector.predict_all(IMAGES):
        assert told(found) == EXPECTED
    assert told(detector.predict(IMAGES[0])) == EXPECTED
    assert detector.predict_all([]) == []


def test_load_keras_detector__confidence_and_another_first_class(keras_file, folder):
    (folder / "three.txt").write_text("zebra\ncat\ndog")
    detector = load_keras_detector(
        keras_file, folder / "three.txt", first_class=-1, confidence=0.5
    )
    assert told(detector.predict(IMAGES[0])) == EXPECTED[:1]
    with pytest.raises(ClassFileError, match="found class 0"):
        load_keras_detector(keras_file, first_class=1).predict(IMAGES[0])


def test_apply_model__with_a_keras_detector(dataset, keras_file):
    done = apply_model(dataset, load_keras_detector(keras_file), "found", batch_size=4)
    assert (done.predicted, done.labels) == (6, 12)
    assert dataset.values("found.detections.label") == [["cat", "dog"]] * 6


@pytest.mark.parametrize("pixels", ["0 to 255", "0 to 1", "-1 to 1"])
def test_load_keras_detector__pixels(folder, pixels):
    """The model's score is the mean of what it is given."""

    def output(images, scores):
        import keras

        mean = keras.layers.GlobalAveragePooling2D()(images)
        return [always(scores, WRITTEN["xyxy"]), mean[:, :2], 0 * scores]

    path = save_detector(folder / "mean.keras", output)
    [found, _] = load_keras_detector(path, pixels=pixels).predict(IMAGES[0]).detections
    expected = {"0 to 255": 200, "0 to 1": 200 / 255, "-1 to 1": 2 * 200 / 255 - 1}[pixels]
    assert found.confidence == pytest.approx(expected, rel=1e-4)


def test_load_keras_detector__stated_outputs_of_a_list(folder):
    def output(_, scores):
        import keras

        outputs = {
            "class": always(scores, [0, 1]),
            "box": always(scores, WRITTEN["xyxy"]),
            "sure": scores,
        }
        return [keras.layers.Identity(name=name)(one) for name, one in outputs.items()]

    path = save_detector(folder / "stated.keras", output)
    detector = load_keras_detector(path, names=("box", "sure", "class"))
    assert told(detector.predict(IMAGES[0])) == EXPECTED
    with pytest.raises(NotADetector, match=r"no outputs a, b; it has box, class, sure"):
        load_keras_detector(path, names=("a", "b")).predict(IMAGES[0])


def test_load_keras_detector__one_layer_returns_all_outputs(folder):
    def output(images, scores):
        import keras

        outputs = [always(scores, WRITTEN["xyxy"]), scores, always(scores, [0, 1])]
        return keras.Model(images, outputs, name="boxes")(images)

    path = save_detector(folder / "one_layer.keras", output)
    assert told(load_keras_detector(path).predict(IMAGES[0])) == EXPECTED


def test_load_keras_detector__of_any_input_size(folder):
    def output(_, scores):
        return {"boxes": always(scores, WRITTEN["rel_xyxy"]), "scores": scores[:, :, None]}

    path = save_detector(folder / "any.keras", output, size=(None, None))
    detector = load_keras_detector(path, boxes="rel_xyxy")
    for found in detector.predict_all(IMAGES):
        assert [box for _, box, _ in told(found)] == [box for _, box, _ in EXPECTED]


def test_load_keras_detector__refused(folder, tmp_path, keras_file):
    with pytest.raises(ModelNotFound, match=r"not a \.keras file"):
        require_keras_file(folder)
    with pytest.raises(ClassFileError, match="There is no file"):
        require_keras_file(keras_file, tmp_path / "none.txt")
    (tmp_path / "damaged.keras").write_bytes(b"nothing")
    with pytest.raises(ClassFileError, match="No class file"):
        require_keras_file(tmp_path / "damaged.keras")
    with pytest.raises(ModelNotFound, match="cannot load"):
        load_keras_detector(tmp_path / "damaged.keras", folder / "classes.txt")
    with pytest.raises(NotADetector, match="outputs a, b"):
        load_keras_detector(keras_file, names=("a", "b")).predict(IMAGES[0])


def test_load_keras_detector__takes_no_images(folder):
    import keras

    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(folder / "flat.keras")
    with pytest.raises(NotADetector, match="not images"):
        load_keras_detector(folder / "flat.keras")


@pytest.mark.parametrize("boxes", BOX_FORMATS)
def test_found_in__boxes_of_every_format(boxes):
    tensors = [np.array([WRITTEN[boxes]], float), np.ones((1, 2)), np.zeros((1, 2))]
    [found] = found_in(tensors, OutputFormat(boxes), (32, 64))
    assert found.corners.tolist() == [[0, 0, 0.5, 0.5], [0.5, 0, 1, 1]]


BOXES, SCORES, IDS = np.array([WRITTEN["rel_xyxy"]]), np.array([[0.9, 0.3]]), np.array([[4, 7]])


@pytest.mark.parametrize(
    ("outputs", "names"),
    [
        ({"boxes": BOXES, "confidence": SCORES, "classes": IDS}, ()),
        ({"detection_boxes": BOXES, "detection_scores": SCORES, "labels": IDS}, ()),
        ({"where": BOXES, "sure": SCORES, "what": IDS}, ("where", "sure", "what")),
        ([BOXES, SCORES, IDS], ()),
        ([np.concatenate([BOXES, SCORES[..., None], IDS[..., None]], axis=2)], ()),
        ([BOXES, np.eye(8)[IDS] * SCORES[..., None]], ()),
    ],
)
def test_found_in__every_way_to_say_it(outputs, names):
    [found] = found_in(outputs, OutputFormat("rel_xyxy", names), (32, 64))
    assert found.corners.tolist() == BOXES[0].tolist()
    assert (found.scores.tolist(), found.classes.tolist()) == ([0.9, 0.3], [4, 7])


def test_found_in__padding():
    padded = {"boxes": BOXES, "scores": np.array([[0.9, -1.0]]), "classes": np.array([[4, -1]])}
    [found] = found_in(padded, OutputFormat("rel_xyxy"), (32, 64))
    assert found.classes.tolist() == [4]
    counted = {"boxes": BOXES, "scores": SCORES, "classes": IDS, "num_detections": np.array([1])}
    [found] = found_in(counted, OutputFormat("rel_xyxy"), (32, 64))
    assert found.classes.tolist() == [4]


@pytest.mark.parametrize(
    "outputs",
    [
        {"boxes": BOXES, "logits": SCORES},
        {"boxes": BOXES, "scores": SCORES},
        {"boxes": BOXES, "scores": SCORES, "classes": IDS[:, :1]},
        [BOXES],
        [BOXES[0], SCORES, IDS],
    ],
)
def test_found_in__refused(outputs):
    with pytest.raises(NotADetector):
        found_in(outputs, OutputFormat(), (32, 64))


@pytest.mark.parametrize("wrong", [{"boxes": "abcd"}, {"pixels": "0 to 7"}, {"names": ("one",)}])
def test_output_format__refused(wrong):
    with pytest.raises(NotADetector):
        OutputFormat(**wrong)


def test_keras_detector__computes_with_16_bits_once_they_find_the_same(keras_file):
    import keras

    model = keras.saving.load_model(keras_file)
    detector = KerasDetector(model, {0: "cat", 1: "dog"}, OutputFormat(), capabilities=[(8, 0)])
    exact = detector._call
    assert told(detector.predict(IMAGES[0])) == EXPECTED  # both have been asked
    assert detector._call is not exact
    found = detector.predict(IMAGES[0]).detections
    assert [one.label for one in found] == ["cat", "dog"]
    assert [one.confidence for one in found] == pytest.approx([0.881, 0.119], abs=2e-3)
    assert KerasDetector(model, {0: "cat"}, OutputFormat())._on_trial is None  # of a CPU


def one_found(box=(0, 0, 0.5, 0.5), score=0.9, name=1):
    return Found(np.array([box], float), np.array([score]), np.array([name]))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (one_found((0, 0, 0.5, 0.49), 0.92), True),
        (one_found((0, 0, 0.5, 0.4)), False),
        (one_found(score=0.8), False),
        (one_found(name=2), False),
        (Found(np.zeros((0, 4)), np.zeros(0), np.zeros(0)), False),
    ],
)
def test_find_the_same__what_counts(other, same):
    assert find_the_same([one_found()], [other]) is same
    assert find_the_same([other], [one_found()]) is same


def test_find_the_same__what_is_not_sure_does_not_count():
    nothing = Found(np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    assert find_the_same([one_found(score=0.1)], [nothing])
