"""What cannot be read on one image does not keep the others back."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import EVERYTHING, pull, review_pull
from relabel.cvat import Shape
from tests.annotation.comparing.test_kinds import Editor
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat

BROKEN_MASKS = [(0, 4, 20, 30, 10, 35), (0, 4, 0, 0, 1e9, 1e9)]


def move_all(editor, *more):
    """Moves every box to the same place, and draws some shapes more."""
    box = (9.0, 13.0, 25.0, 37.0)
    moved = [replace(shape, points=box) for shape in editor.everything()]
    editor.save([*moved, *more])
    editor.finish()


@pytest.mark.parametrize("points", BROKEN_MASKS)
def test_pull__a_shape_that_cannot_be_read_keeps_its_image_open(dataset, client, send, points):
    editor = Editor(client, send())
    move_all(editor, Shape("mask", 2, editor.labels["cat"].id, points))
    before = stored(dataset)
    report = pull(dataset, "round_1", client)
    sample_id = str(before[2]["_id"])
    assert len(report.sample_ids) == len(before) - 1
    assert sample_id not in report.sample_ids
    assert stored(dataset)[2] == before[2]
    (problem,) = report.problems
    assert sample_id in problem
    assert "Correct or delete it" in problem
    assert pull(dataset, "round_1", client).problems == (problem,), "it stays open"
    editor.save([shape for shape in editor.everything() if shape.type != "mask"])
    editor.finish()
    last = pull(dataset, "round_1", client)
    assert (last.sample_ids, last.counts, last.problems) == ((sample_id,), {"moved": 2}, ())


def no_box(label):
    label.bounding_box = None


def no_mask(label):
    label.mask_path = "/nowhere/mask.png"


@pytest.mark.parametrize("damage", [no_box, no_mask])
def test_pull__a_label_that_is_damaged_here_keeps_its_image_open(dataset, client, send, damage):
    editor = Editor(client, send())
    sample = dataset.first()
    damage(sample.ground_truth.detections[0])
    sample.save()
    damaged = stored(dataset)[0]
    move_all(editor)
    review = review_pull(dataset, "round_1", client)
    assert [image.frame.sample_id for image in review.unreadable] == [sample.id]
    report = pull(dataset, "round_1", client)
    assert sample.id not in report.sample_ids
    assert len(report.sample_ids) == len(dataset) - 1
    assert stored(dataset)[0] == damaged
    (problem,) = report.problems
    assert sample.id in problem
    sample.ground_truth.detections[0].bounding_box = [0.1, 0.1, 0.1, 0.1]
    sample.ground_truth.detections[0].mask_path = None
    sample.save()
    assert pull(dataset, "round_1", client).problems == ()


def test_pull__a_segmentation_that_cannot_be_read_keeps_its_image_open(dataset, client, send):
    for number, sample in enumerate(dataset):
        array = np.full((48, 64), 1 + number % 2, np.uint8)
        sample["seg"] = fo.Segmentation(mask=array)
        sample.save()
    editor = Editor(client, send(field="seg", classes=["1", "2"]))
    first = dataset.first().id
    dataset._sample_collection.update_one({}, {"$set": {"seg.mask": b"nonsense"}})
    editor.save([replace(shape, points=(0, 4, 1, 1, 2, 2)) for shape in editor.everything()])
    report = pull(dataset, "round_1", client, EVERYTHING)
    assert len(report.sample_ids) == len(dataset) - 1
    assert first not in report.sample_ids
    assert any(first in problem for problem in report.problems)


def test_pull__of_many_unreadable_images_some_are_named(dataset, client, send):
    path = dataset.first().filepath
    dataset.add_samples([fo.Sample(filepath=path) for _ in range(12)], progress=False)
    editor = Editor(client, send(samples=dataset.skip(6)))
    cat = editor.labels["cat"].id
    editor.save([Shape("mask", frame, cat, BROKEN_MASKS[0]) for frame in range(12)])
    editor.finish()
    problems = pull(dataset, "round_1", client).problems
    assert len(problems) == 11
    assert problems[-1].startswith("2 more images")
