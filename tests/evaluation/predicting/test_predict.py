from __future__ import annotations

from functools import partial
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.core.models import SamplesMixin
from PIL import Image

from relabel.compute.inference.batches import fitting
from relabel.compute.inference.image_model import ImageModel
from relabel.evaluation.errors import LabelsAtRisk, NotADetector, NotALabel, PredictionsLost
from relabel.evaluation.predicting import parts
from relabel.evaluation.predicting.detectors import load_detector
from relabel.evaluation.predicting.predict import apply_model

from .brightness import Brightness


@pytest.fixture
def detector(saved_models):
    return load_detector(saved_models / "any_batch")


def test_apply_model__every_sample_in_bulk(dataset, detector):
    steps = []
    done = apply_model(
        dataset,
        detector,
        "predictions",
        batch_size=4,
        confidence=0.5,
        progress=lambda *step: steps.append(step),
    )
    assert (done.predicted, done.labels, done.skipped, done.unreadable) == (6, 6, 0, ())
    assert steps == [(4, 6), (6, 6)]
    assert dataset.values("predictions.detections.label") == [["dog"]] * 6
    assert dataset.get_field("predictions.detections.confidence") is not None


def test_apply_model__unreadable_image_costs_one_image(dataset, detector):
    broken = dataset.skip(2).first()
    Path(broken.filepath).write_bytes(b"no image")
    done = apply_model(dataset, detector, "predictions", batch_size=6)
    assert [bad.sample_id for bad in done.unreadable] == [broken.id]
    assert done.unreadable[0].reason
    assert done.predicted == 5
    assert dataset.exists("predictions").count() == 5


class OfOneSize(ImageModel):
    """Frames 10 x 10 pixels; of a batch it looks at the size of the first image only."""

    ragged_batches = True

    def predict(self, arg):
        return self.predict_all([arg])[0]

    def predict_all(self, args):
        height, width = args[0].shape[:2]
        box = [0.0, 0.0, 10 / width, 10 / height]
        return [
            fo.Detections(detections=[fo.Detection(label="dog", bounding_box=box, confidence=0.9)])
            for _ in args
        ]


def test_apply_model__sizes_are_not_mixed_where_the_model_forbids_it(dataset):
    for side, path in enumerate(dataset.values("filepath"), start=20):
        Image.fromarray(np.zeros((side, 2 * side, 3), np.uint8)).save(path)
    apply_model(dataset, OfOneSize(), "predictions", batch_size=4)
    dataset.apply_model(OfOneSize(), "stock", batch_size=4, progress=False)
    boxes = "detections.bounding_box"
    assert dataset.values(f"predictions.{boxes}") == dataset.values(f"stock.{boxes}")
    assert len(set(map(str, dataset.values(f"predictions.{boxes}")))) == 6


class OnGpu(OfOneSize):
    """Each call takes a second, of however many images."""

    ragged_batches = False
    using_gpu = True
    now = 0.0

    def predict_all(self, args):
        self.now += 1.0
        return super().predict_all(args)


def test_apply_model__on_a_gpu_in_batches_that_grow(dataset, monkeypatch):
    dataset.add_samples([fo.Sample(filepath=dataset.first().filepath) for _ in range(34)])
    model, counts = OnGpu(), [0]
    monkeypatch.setattr(parts, "fitting", partial(fitting, clock=lambda: model.now))
    monkeypatch.setattr(parts, "USUAL_BATCH", 2)
    apply_model(dataset, model, "p", progress=lambda done, _: counts.append(done))
    assert np.diff(counts).tolist() == [2, 2, 2, 2, 4, 4, 4, 4, 8, 8]
    assert dataset.count("p.detections") == 40


@pytest.mark.parametrize("found", [{"head": fo.Classification(label="dog")}, np.zeros(3)])
def test_apply_model__what_is_no_label_is_refused(dataset, found, monkeypatch):
    monkeypatch.setattr(OfOneSize, "predict_all", lambda _, images: [found] * len(images))
    with pytest.raises(NotALabel, match=type(found).__name__):
        apply_model(dataset, OfOneSize(), "predictions")
    assert not dataset.has_field("predictions")


def test_apply_model__new_samples_only(dataset, detector):
    apply_model(dataset.limit(2), detector, "predictions")
    before = dataset.limit(2).values("predictions.detections.id")
    done = apply_model(dataset, detector, "predictions", new_only=True)
    assert (done.predicted, done.skipped) == (4, 2)
    assert dataset.limit(2).values("predictions.detections.id") == before


def test_apply_model__again_replaces(dataset, detector):
    apply_model(dataset, detector, "predictions")
    apply_model(dataset, detector, "predictions", confidence=0.5)
    assert dataset.count("predictions.detections") == 6


class _Stopped(Exception):
    """What ends a run from outside."""


def _stop_after(count):
    def progress(done, total):
        if done >= count:
            raise _Stopped

    return progress


@pytest.mark.parametrize("made_by", [None, "this model"])
def test_apply_model__stopped_leaves_the_field_as_it_was(dataset, detector, made_by):
    with pytest.raises(_Stopped):
        apply_model(
            dataset, detector, "new", batch_size=2, made_by=made_by, progress=_stop_after(4)
        )
    assert not dataset.has_field("new")
    apply_model(dataset, detector, "old")
    before = dataset.values("old.detections.id")
    with pytest.raises(_Stopped):
        apply_model(
            dataset, detector, "old", batch_size=2, made_by=made_by, progress=_stop_after(4)
        )
    assert dataset.values("old.detections.id") == before


def test_apply_model__refused_before_it_writes(dataset, detector):
    def refuse():
        raise _Stopped

    with pytest.raises(_Stopped):
        apply_model(dataset, detector, "new", before_writing=refuse)
    assert not dataset.has_field("new")


def test_apply_model__goes_on_where_it_was_stopped(dataset, detector):
    apply_model(dataset, detector, "undisturbed")
    steps = []
    with pytest.raises(_Stopped):
        apply_model(dataset, detector, "p", batch_size=2, made_by="model", progress=_stop_after(4))
    done = apply_model(
        dataset,
        detector,
        "p",
        batch_size=2,
        made_by="model",
        progress=lambda *step: steps.append(step),
    )
    assert (done.predicted, done.resumed, done.labels) == (6, 4, 12)
    assert steps == [(6, 6)]
    for path in ("label", "bounding_box", "confidence"):
        values = dataset.values(f"undisturbed.detections.{path}")
        assert dataset.values(f"p.detections.{path}") == values
    again = apply_model(dataset, detector, "p", made_by="model")
    assert again.resumed == 0  # what was kept is gone


@pytest.mark.parametrize("what", ["model", "confidence", "sample"])
def test_apply_model__does_not_go_on_with_something_else(dataset, detector, what):
    with pytest.raises(_Stopped):
        apply_model(dataset, detector, "p", batch_size=2, made_by="one", progress=_stop_after(6))
    if what == "sample":
        for sample in dataset.iter_samples(autosave=True):
            sample["note"] = "another image is here now"
    done = apply_model(
        dataset,
        detector,
        "p",
        made_by="other" if what == "model" else "one",
        confidence=0.5 if what == "confidence" else 0.0,
    )
    assert done.resumed == 0


def test_apply_model__two_at_once_lose_nothing(dataset, detector):
    """The second finds what the first has kept, and the first writes and forgets it."""
    others = dataset.limit(4)

    def meanwhile():
        apply_model(others, detector, "b", made_by="model")

    with pytest.raises(PredictionsLost, match="again"):
        apply_model(dataset, detector, "a", made_by="model", before_writing=meanwhile)
    assert not dataset.has_field("a")
    assert dataset.exists("b").count() == 4
    assert apply_model(dataset, detector, "a", made_by="model").predicted == 6


def test_apply_model__samples_in_memory_and_last_modified(dataset, detector):
    sample = dataset.first()
    before = sample.last_modified_at
    apply_model(dataset, detector, "predictions")
    assert len(sample.predictions.detections) == 2
    assert sample.last_modified_at > before


def test_apply_model__empty_view(dataset, detector):
    done = apply_model(dataset.limit(1).skip(1), detector, "predictions")
    assert (done.predicted, done.labels) == (0, 0)


def test_apply_model__leaves_ground_truth_alone(dataset, detector):
    before = dataset.values("ground_truth.detections.id")
    apply_model(dataset, detector, "predictions")
    assert dataset.values("ground_truth.detections.id") == before


@pytest.mark.parametrize("new_only", [False, True])
def test_apply_model__refuses_to_replace_labels_that_no_model_made(dataset, detector, new_only):
    before = dataset.values("ground_truth.detections.id")
    with pytest.raises(LabelsAtRisk, match="another field"):
        apply_model(dataset, detector, "ground_truth", new_only=new_only)
    assert dataset.values("ground_truth.detections.id") == before


def _keypoints(_):
    return fo.Keypoints(keypoints=[fo.Keypoint(label="nose", points=[(0.1, 0.2)])])


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        (None, fo.Detections),
        (lambda sure: fo.Classification(label="cat", confidence=sure), fo.Classification),
        (lambda _: fo.Segmentation(mask=np.eye(4, dtype=np.uint8)), fo.Segmentation),
        (_keypoints, fo.Keypoints),
    ],
)
def test_apply_model__any_model_of_fiftyone_says_what_it_says_there(dataset, label, kind):
    model = Brightness(label)
    apply_model(dataset, model, "ours", batch_size=4)
    dataset.apply_model(model, "theirs", progress=False)
    dataset.reload()
    assert dataset.get_field("ours").document_type is kind
    for sample in dataset:
        ours, theirs = sample["ours"].to_dict(), sample["theirs"].to_dict()
        assert _without_ids(ours) == _without_ids(theirs)


def _without_ids(value):
    if isinstance(value, dict):
        return {name: _without_ids(one) for name, one in value.items() if name != "_id"}
    return [_without_ids(one) for one in value] if isinstance(value, list) else value


def test_apply_model__what_a_detection_has_besides(dataset):
    """Masks and attributes that the dataset does not know yet."""

    def label(sure):
        mask = np.eye(3, dtype=bool)
        found = fo.Detection(
            label="cat", bounding_box=[0, 0, 1, 1], confidence=sure, mask=mask, color="red"
        )
        return fo.Detections(detections=[found])

    apply_model(dataset, Brightness(label), "found")
    dataset.reload()
    assert dataset.values("found.detections.color") == [["red"]] * 6
    assert dataset.get_field("found.detections.color") is not None
    assert (dataset.first().found.detections[0].mask == np.eye(3)).all()


def test_apply_model__of_several_things_the_detections(dataset):
    def label(sure):
        return {"parts": _keypoints(sure), "things": Brightness._detections(sure)}

    assert apply_model(dataset, Brightness(label), "found").labels == 6
    assert dataset.values("found.detections.label") == [["cat"]] * 6
    with pytest.raises(NotALabel, match="dict"):
        apply_model(dataset, Brightness(lambda _: {"parts": None, "nose": None}), "none")
    assert not dataset.has_field("none")


@pytest.mark.parametrize(
    ("base", "media_type", "problem"),
    [(SamplesMixin, "image", "needs more than the image"), (object, "video", "takes a video")],
)
def test_apply_model__a_model_that_does_not_do_with_images(dataset, base, media_type, problem):
    kind = type("Other", (Brightness, base), {"media_type": media_type})
    with pytest.raises(NotADetector, match=problem):
        apply_model(dataset, kind(), "found")
    assert not dataset.has_field("found")
