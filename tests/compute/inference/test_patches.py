from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest

from relabel.compute.inference.patches import read_patches


def test_read_patches__each_label_once(dataset):
    batches = list(read_patches(dataset, "ground_truth"))
    labels = [key for batch in batches for key in batch.label_ids]
    samples = [key for batch in batches for key in batch.sample_ids]
    assert labels == dataset.values("ground_truth.detections.id", unwind=True)
    assert samples == [key for key in dataset.values("id") for _ in range(2)]
    shapes = [image.shape for image in batches[0].images[:2]]
    assert shapes == [(24, 16, 3), (30, 24, 3)]


def test_read_patches__boxes_beyond_the_image_hold_a_pixel(dataset):
    sample = dataset.first()
    boxes = [[-0.5, -0.5, 0.2, 0.2], [0.99, 0.99, 3, 3], [0.5, 0.5, 0, 0]]
    sample.ground_truth = fo.Detections(
        detections=[fo.Detection(label="x", bounding_box=box) for box in boxes]
    )
    sample.save()
    batch = next(read_patches(dataset[:1], "ground_truth", (8, 8)))
    assert [image.shape for image in batch.images] == [(8, 8, 3)] * 3


def test_read_patches__of_polylines(dataset):
    shape = [[(0.25, 0.25), (0.75, 0.25), (0.75, 0.75)]]
    dataset.set_values(
        "lines", [fo.Polylines(polylines=[fo.Polyline(label="x", points=shape)])] + [None] * 5
    )
    (batch,) = read_patches(dataset, "lines")
    assert [image.shape for image in batch.images] == [(24, 32, 3)]


@pytest.mark.parametrize("points", [[], [[]], [[], []]])
def test_read_patches__a_line_without_points_has_none(dataset, points):
    lines = [fo.Polyline(label="x", points=shape) for shape in (points, [[(0, 0), (1, 1)]])]
    dataset.set_values("lines", [fo.Polylines(polylines=lines)] + [None] * 5)
    (batch,) = read_patches(dataset, "lines")
    assert batch.label_ids == (lines[1].id,)


def test_read_patches__unreadable_image_costs_its_patches(dataset):
    broken = dataset.first()
    Path(broken.filepath).write_bytes(b"not an image")
    (batch,) = read_patches(dataset, "ground_truth")
    assert len(batch.images) == 10
    assert [bad.sample_id for bad in batch.unreadable] == [broken.id]
    assert np.all([key != broken.id for key in batch.sample_ids])
