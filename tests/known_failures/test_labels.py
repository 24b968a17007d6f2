"""What the stock exchange loses of labels, by its number in the list of known failures.

Each test sends and pulls over a real server. The stock behaviour is named where it happens.
"""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import pull, review_pull
from relabel.cvat import JobState, Shape
from tests.annotation.conftest import client, send

__all__ = ["client", "send"]

pytestmark = pytest.mark.cvat


class Editor:
    """Edits a round in CVAT."""

    def __init__(self, client, record):
        self.client = client
        self.record = record
        self.task = record.tasks[0]
        self.ids = {spec.name: spec.id for spec in self.task.labels}

    def shapes(self, frame=None):
        shapes = self.client.task_annotations(self.task.id).shapes
        return [shape for shape in shapes if frame in {None, shape.frame}]

    def patch(self, action, *shapes):
        items = [
            shape.to_json() | ({} if shape.id is None else {"id": shape.id}) for shape in shapes
        ]
        body = {"version": 0, "tags": [], "tracks": [], "shapes": items}
        path = f"/api/tasks/{self.task.id}/annotations"
        self.client._transport.send_json("PATCH", path, body, {"action": action})

    def change_labels(self, labels):
        self.client._transport.send_json("PATCH", f"/api/tasks/{self.task.id}", {"labels": labels})

    def finish(self):
        for job in self.task.jobs:
            self.client.set_job(job, state=JobState.COMPLETED)


def stored(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


@pytest.fixture
def untouched(dataset, client, send):
    """Holds that a field comes back from CVAT as it was sent, to the last byte."""

    def untouched(value):
        for sample in dataset:
            sample["labels"] = value.copy()
            sample.save()
        dataset.add_dynamic_sample_fields()
        record = send(field="labels")
        before = str(stored(dataset))
        editor = Editor(client, record)
        for _ in range(3):
            editor.finish()
            report = pull(dataset, "round_1", client)
            assert (report.counts, report.sample_ids, report.problems) == ({}, (), ())
        assert str(stored(dataset)) == before
        return editor

    return untouched


def test_failure_01__boxes_keep_every_digit(untouched):
    """Stock rounds them to whole pixels, and rewrites every sample."""
    box = [0.123456789, 1 / 3, 0.1, 0.7 / 3]
    editor = untouched(fo.Detections(detections=[fo.Detection(label="a", bounding_box=box)]))
    x, y, width, height = box
    expected = (x * 64, y * 48, (x + width) * 64, (y + height) * 48)
    assert {shape.points for shape in editor.shapes()} == {expected}


def test_failure_02__lines_and_points_keep_every_digit_and_missing_points(untouched):
    """Stock rounds them, and a missing point crashes its upload."""
    points = [(0.123456789, 1 / 3), (float("nan"), float("nan")), (0.9, 0.1)]
    editor = untouched(fo.Keypoints(keypoints=[fo.Keypoint(label="a", points=points)]))
    assert {shape.points for shape in editor.shapes()} == {
        (0.123456789 * 64, 48 / 3, 0.9 * 64, 0.1 * 48)
    }


def test_failure_02__polylines_keep_every_digit(untouched):
    line = [(0.123456789, 1 / 3), (0.9, 0.1)]
    untouched(fo.Polylines(polylines=[fo.Polyline(label="a", points=[line])]))


def test_failure_03__an_instance_mask_keeps_its_size(untouched):
    """Stock loses a pixel of its width and height at every round trip."""
    mask = np.ones((20, 30), dtype=bool)
    box = [0.25, 0.25, 30 / 64, 20 / 48]
    label = fo.Detection(label="a", bounding_box=box, mask=mask)
    editor = untouched(fo.Detections(detections=[label]))
    assert {shape.points for shape in editor.shapes()} == {(0, 600, 16, 12, 45, 31)}


def test_failure_04__a_polygon_with_holes_keeps_every_part(dataset, untouched, client):
    """Stock keeps its last part only."""
    outer = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9)]
    parts = [outer, [(0.5, 0.2), (0.6, 0.2), (0.6, 0.3)], [(0.8, 0.5), (0.9, 0.5), (0.9, 0.6)]]
    label = fo.Polyline(label="a", points=parts, closed=True, filled=True)
    editor = untouched(fo.Polylines(polylines=[label]))
    first = editor.shapes(0)[0]
    editor.patch("update", replace(first, points=(0.0, 0.0, 32.0, 0.0, 32.0, 24.0)))
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    (moved,) = dataset.first().labels.polylines
    assert moved.points[0] == [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]]
    assert len(moved.points) == 3


def test_failure_05__a_pasted_box_is_a_label_of_its_own(dataset, client, send):
    """Stock lets it replace the box that it was pasted from."""
    editor = Editor(client, send())
    ids = [str(label._id) for label in dataset.first().ground_truth.detections]
    source = editor.shapes(0)[0]
    editor.patch("create", replace(source, id=None, points=(1.0, 1.0, 9.0, 9.0)))
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"added": 1}
    labels = dataset.first().ground_truth.detections
    assert [label.id for label in labels][:2] == ids
    assert len({label.id for label in labels}) == 3


def test_failure_08__ellipses_and_cuboids_come_back(dataset, client, send):
    """Stock drops the ellipse without a word, and gives the cuboid an empty box."""
    editor = Editor(client, send())
    corners = (5, 5, 5, 25, 20, 5, 20, 25, 30, 3, 30, 20, 15, 3, 15, 20)
    editor.patch(
        "create",
        Shape("ellipse", 0, editor.ids["cat"], (32.0, 24.0, 48.0, 12.0)),
        Shape("cuboid", 0, editor.ids["cat"], corners),
    )
    editor.finish()
    report = pull(dataset, "round_1", client)
    assert report.counts == {"added": 2}
    boxes = [label.bounding_box for label in dataset.first().ground_truth.detections[2:]]
    assert boxes == [[0.25, 0.25, 0.5, 0.5], [5 / 64, 3 / 48, 30 / 64 - 5 / 64, 25 / 48 - 3 / 48]]
    assert "1 of type ellipse" in " ".join(report.problems)
    assert "1 of type cuboid" in " ".join(report.problems)


def test_failure_09__a_class_that_was_added_in_cvat_is_taken(dataset, client, send):
    """Stock drops its shapes without a word."""
    editor = Editor(client, send())
    editor.change_labels([{"name": "bird", "type": "rectangle", "attributes": []}])
    (bird,) = (spec for spec in client.task_labels(editor.task.id) if spec.name == "bird")
    editor.patch("create", Shape("rectangle", 0, bird.id, (16.0, 12.0, 32.0, 24.0)))
    editor.finish()
    assert review_pull(dataset, "round_1", client).counts == {"added": 1}
    pull(dataset, "round_1", client)
    assert dataset.first().ground_truth.detections[2].label == "bird"


def test_failure_09__an_attribute_that_was_added_in_cvat_is_reported(dataset, client, send):
    """Stock drops it without a word."""
    editor = Editor(client, send())
    colour = {"name": "colour", "mutable": True, "input_type": "text", "values": []}
    editor.change_labels([{"id": editor.ids["cat"], "attributes": [colour]}])
    editor.finish()
    review = review_pull(dataset, "round_1", client)
    assert review.counts == {}
    assert any("'colour'" in remark for remark in review.remarks)


def test_failure_09__a_class_that_was_renamed_or_deleted_in_cvat(dataset, client, send):
    """Stock fails with a KeyError, and loads nothing."""
    editor = Editor(client, send())
    editor.change_labels(
        [{"id": editor.ids["cat"], "name": "feline"}, {"id": editor.ids["dog"], "deleted": True}]
    )
    before = [label.label for label in dataset.first().ground_truth.detections]
    assert before == ["cat", "dog"]
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"removed": 6}
    assert [label.label for label in dataset.first().ground_truth.detections] == ["cat"]


def test_failure_11__a_label_that_was_drawn_in_cvat_keeps_its_new_id(dataset, client, send):
    """Stock gives it a new id at every load, and what was put on it meanwhile vanishes."""
    editor = Editor(client, send())
    editor.patch("create", Shape("rectangle", 0, editor.ids["cat"], (1.0, 1.0, 9.0, 9.0)))
    editor.finish()
    pull(dataset, "round_1", client)
    sample = dataset.first()
    new = sample.ground_truth.detections[2]
    new.tags.append("seen")
    sample.save()
    drawn = max(editor.shapes(0), key=lambda shape: shape.id)
    editor.patch("update", replace(drawn, points=(2.0, 2.0, 9.0, 9.0)))
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    again = dataset.first().ground_truth.detections[2]
    assert (again.id, again.tags) == (new.id, ["seen"])


def test_failure_13__internal_attributes_are_not_shown_and_missing_ones_stay_missing(
    dataset, client, send
):
    """Stock shows them, writes them back stale, and sets missing ones to None."""
    sample = dataset.first()
    label = sample.ground_truth.detections[0]
    label["eval"], label["mistakenness"], label["truncated"] = "tp", 0.5, True
    label.confidence, label.index, label.tags = 0.5, 3, ["t"]
    sample.save()
    dataset.add_dynamic_sample_fields()
    editor = Editor(client, send())
    names = {item.name for spec in editor.task.labels for item in spec.attributes}
    assert names == {"label_id", "truncated"}
    for shape in editor.shapes(0):
        editor.patch("update", replace(shape, points=(0.0, 0.0, 32.0, 24.0)))
    editor.finish()
    before = stored(dataset)[0]["ground_truth"]["detections"]
    assert pull(dataset, "round_1", client).counts == {"moved": 2}
    after = stored(dataset)[0]["ground_truth"]["detections"]
    for old, new in zip(before, after, strict=True):
        assert new == old | {"bounding_box": [0.0, 0.0, 0.5, 0.5]}


def test_failure_14__numeric_text_and_lists_stay_what_they_are(dataset, client, send):
    """Stock makes a number of the text, and stops half way through the load."""
    for sample in dataset:
        label = sample.ground_truth.detections[0]
        label["plate"], label["seen"] = f"00{sample.id[-2:]}12", ["1", "2"]
        sample.save()
    dataset.add_dynamic_sample_fields()
    editor = Editor(client, send())
    spec = {item.name: item.id for item in editor.task.labels[0].attributes}
    shape = editor.shapes(0)[0]
    texts = {**shape.attributes, spec["plate"]: "0042", spec["seen"]: '["3"]'}
    editor.patch("update", replace(shape, attributes=texts))
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"attribute": 1}
    label = dataset.first().ground_truth.detections[0]
    assert (label["plate"], label["seen"]) == ("0042", ["3"])


def test_failure_15__a_view_of_false_positives_sends_the_images_with_all_their_labels(
    dataset, client, send
):
    """Stock sends the images without a label; what the annotator redraws comes back twice."""
    for sample in dataset.limit(3):
        boxes = [[0.125, 0.25, 0.25, 0.5], [0.8, 0.8, 0.1, 0.1]]
        found = [fo.Detection(label="cat", bounding_box=box, confidence=0.9) for box in boxes]
        sample["predictions"] = fo.Detections(detections=found)
        sample.save()
    dataset.evaluate_detections("predictions", gt_field="ground_truth", eval_key="eval")
    wrong = dataset.to_evaluation_patches("eval").match({"type": "fp"})
    assert len(wrong) == 3
    record = send(samples=wrong)
    assert record.images == 3
    editor = Editor(client, record)
    sent = {label.id for sample in dataset.limit(3) for label in sample.ground_truth.detections}
    carried = [value for shape in editor.shapes() for value in shape.attributes.values()]
    assert sorted(sent) == sorted(value for value in carried if value in sent)
    assert len(editor.shapes()) == 6
    before = stored(dataset)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {}
    assert stored(dataset) == before
