from __future__ import annotations

from pathlib import Path

import pytest

from relabel.evaluation.detectors import load_detector
from relabel.evaluation.errors import LabelsAtRisk
from relabel.evaluation.predict import apply_model


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


def test_apply_model__cancelled_keeps_what_was_done(dataset, detector):
    done = apply_model(dataset, detector, "predictions", batch_size=2, cancelled=lambda: True)
    assert done.cancelled
    assert done.predicted == 2
    assert dataset.exists("predictions").count() == 2


def test_apply_model__empty_view(dataset, detector):
    done = apply_model(dataset.limit(1).skip(1), detector, "predictions")
    assert (done.predicted, done.labels, done.cancelled) == (0, 0, False)


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
