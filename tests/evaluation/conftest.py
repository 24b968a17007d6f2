"""A detector small enough to make on the fly, and predictions whose score is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory) -> Path:
    """Two detectors, ``any_batch`` and ``one_image``, with a file of two class names beside them.

    Each finds the same in every image: a dog (class 2) at .9, a cat (class 1) at .4, and a box
    without an area at .8.
    """
    from .predicting.tiny_detector import save_detector

    folder = tmp_path_factory.mktemp("detectors")
    save_detector(folder / "any_batch", batch=None)
    save_detector(folder / "one_image", batch=1)
    (folder / "classes.txt").write_text("cat\ndog\n")
    return folder


@pytest.fixture
def predicted(dataset):
    """The dataset with predictions: a perfect cat (.95), and a bird on nothing in two images.

    The birds have confidence .85 (first image) and .99 (third).
    """
    import fiftyone as fo

    birds = {0: 0.85, 2: 0.99}
    for index, sample in enumerate(dataset):
        found = [fo.Detection(label="cat", bounding_box=[0.125, 0.25, 0.25, 0.5], confidence=0.95)]
        if index in birds:
            box = [0.0, 0.0, 0.1, 0.1]
            found.append(fo.Detection(label="bird", bounding_box=box, confidence=birds[index]))
        sample["predictions"] = fo.Detections(detections=found)
        sample.save()
    return dataset


@pytest.fixture
def crowded(dataset):
    """Random boxes of three classes, some of them almost where a prediction is."""
    import fiftyone as fo
    import numpy as np

    generator = np.random.default_rng(7)
    for sample in dataset:
        boxes = generator.uniform(0.05, 0.45, (12, 4))
        names = generator.choice(["cat", "dog", "bird"], 12)
        shaken = boxes + generator.normal(0, 0.02, boxes.shape)
        sure = generator.random(12)
        sample["ground_truth"] = fo.Detections(
            detections=[
                fo.Detection(label=str(name), bounding_box=box.tolist())
                for name, box in zip(names[:9], boxes, strict=False)
            ]
        )
        sample["predictions"] = fo.Detections(
            detections=[
                fo.Detection(label=str(name), bounding_box=box.tolist(), confidence=float(score))
                for name, box, score in zip(names, shaken, sure, strict=True)
            ]
        )
        sample.save()
    return dataset
