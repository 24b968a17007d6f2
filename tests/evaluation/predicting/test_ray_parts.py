from __future__ import annotations

from pathlib import Path

import pytest

from relabel.compute.inference.recipes import recipe
from relabel.evaluation.predicting.detectors import load_detector
from relabel.evaluation.predicting.predict import apply_model

VALUES = ("label", "confidence", "bounding_box")


@pytest.fixture
def detector(saved_models):
    return recipe(load_detector, str(saved_models / "any_batch"), confidence=0.1)


def values_of(dataset, field):
    return dataset.values([f"{field}.detections.{value}" for value in VALUES])


def test_apply_model__on_a_cluster_as_here(dataset, detector, one_worker):
    """One bad image costs one image, there as well."""
    Path(dataset.skip(2).first().filepath).write_bytes(b"no image")
    here = apply_model(dataset, detector, "here", batch_size=2)
    there = apply_model(dataset, detector, "there", batch_size=2, cluster=one_worker)
    assert (there.predicted, there.labels) == (here.predicted, here.labels) == (5, 10)
    assert there.unreadable == here.unreadable
    assert values_of(dataset, "there") == values_of(dataset, "here")
