"""That stock FiftyOne still fails so: if one of these tests fails, its list can be shortened.

Each runs stock's own ``annotate()`` and ``load_annotations()`` on the same server, and is named
after the failure's number; the test of that number beside it shows what becomes of it here.
"""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.cvat import JobType, Shape
from tests.annotation.conftest import client, stock
from tests.annotation.stock.stock_rounds import Editor, stored

__all__ = ["client", "stock"]

pytestmark = pytest.mark.cvat

CORNER = (0.0, 0.0, 32.0, 24.0)


@pytest.fixture
def sent(dataset, client, stock):
    """Sends a value on every image as stock does; gives an annotator."""

    def sent(value=None, **options):
        field = "ground_truth" if value is None else "labels"
        if value is not None:
            for sample in dataset:
                sample["labels"] = value.copy()
                sample.save()
        return Editor(client, stock.annotate(label_field=field, **options))

    return sent


def boxes(*found):
    return fo.Detections(detections=[fo.Detection(label="a", bounding_box=box) for box in found])


def values(dataset, field="ground_truth"):
    return [document[field] for document in stored(dataset)]


def test_failure_01__boxes_are_rounded(dataset, sent, stock):
    box = [0.123456789, 1 / 3, 0.1, 0.7 / 3]
    sent(boxes(box))
    stock.load()
    assert dataset.first().labels.detections[0].bounding_box != pytest.approx(box, abs=1e-4)


def test_failure_02__a_missing_point_stops_the_upload(sent):
    point = fo.Keypoint(label="a", points=[(float("nan"), 0.5), (0.5, 0.5)])
    with pytest.raises(ValueError, match="NaN"):
        sent(fo.Keypoints(keypoints=[point]))


def test_failure_03__a_mask_is_a_pixel_smaller_in_width_and_height(dataset, sent, stock):
    mask, box = np.ones((20, 30), dtype=bool), [0.25, 0.25, 30 / 64, 20 / 48]
    label = fo.Detection(label="a", bounding_box=box, mask=mask)
    sent(fo.Detections(detections=[label]), label_type="instances")
    stock.load()
    *_, width, height = dataset.first().labels.detections[0].bounding_box
    assert (width * 64, height * 48) == pytest.approx((29, 19))


def test_failure_04__a_polygon_keeps_its_last_part(dataset, sent, stock):
    parts = [[(x, 0.1), (x + 0.2, 0.1), (x + 0.2, 0.4)] for x in (0.1, 0.4, 0.7)]
    label = fo.Polyline(label="a", points=parts, closed=True, filled=True)
    sent(fo.Polylines(polylines=[label]))
    stock.load()
    assert len(dataset.first().labels.polylines[0].points) == 1


def test_failure_05__a_pasted_box_replaces_its_source(dataset, sent, stock):
    editor = sent()
    source = editor.shapes()[0]
    editor.patch("create", replace(source, id=None, points=(1.0, 1.0, 9.0, 9.0)))
    assert len(editor.shapes()) == 3
    stock.load()
    assert len(dataset.first().ground_truth.detections) == 2


def test_failure_06__what_a_ground_truth_job_has_comes_in(dataset, client, sent, stock):
    editor = sent()
    body = {"type": "ground_truth", "task_id": editor.task_ids[0]}
    body |= {"frame_selection_method": "manual", "frames": [0]}
    client._transport.send_json("POST", "/api/jobs", body)
    (truth,) = client.jobs(editor.task_ids, types=(JobType.GROUND_TRUTH,))
    client.put_job_shapes(truth.id, [Shape("rectangle", 0, editor.classes()["cat"].id, CORNER)])
    stock.load()
    assert len(dataset.first().ground_truth.detections) == 3


def test_failure_08__an_ellipse_is_dropped(dataset, sent, stock):
    editor = sent()
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("ellipse", 0, cat, (32.0, 24.0, 48.0, 12.0)))
    stock.load()
    assert len(dataset.first().ground_truth.detections) == 2


def test_failure_09__what_has_a_class_of_cvat_is_dropped(dataset, sent, stock):
    editor = sent()
    editor.change_labels([{"name": "bird", "type": "rectangle", "attributes": []}])
    editor.patch("create", Shape("rectangle", 0, editor.classes()["bird"].id, CORNER))
    stock.load()
    assert len(dataset.first().ground_truth.detections) == 2


def test_failure_09__a_class_that_was_renamed_fails_the_load(sent, stock):
    editor = sent()
    editor.change_labels([{"id": editor.classes()["cat"].id, "name": "feline"}])
    with pytest.raises(KeyError):
        stock.load()


def test_failure_10__a_segmentation_loses_pixels(dataset, sent, stock):
    noise = np.random.default_rng(51).integers(0, 2, (48, 64), dtype=np.uint8)
    dataset.default_mask_targets = {1: "cloud"}
    sent(fo.Segmentation(mask=noise), label_type="segmentation")
    stock.load()
    assert not np.array_equal(dataset.first().labels.mask > 0, noise > 0)


def test_failure_11__a_label_of_cvat_has_a_new_id_at_each_load(dataset, sent, stock):
    editor = sent()
    editor.patch("create", Shape("rectangle", 0, editor.classes()["cat"].id, CORNER))
    ids = []
    for _ in range(2):
        stock.load()
        ids.append(dataset.first().ground_truth.detections[2].id)
    assert ids[0] != ids[1]


def test_failure_12__an_edit_made_here_is_overwritten(dataset, sent, stock):
    sent()
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    stock.load()
    assert dataset.first().ground_truth.detections[0].bounding_box[0] == pytest.approx(0.125)


def test_failure_13__internal_attributes_are_shown(dataset, sent):
    for sample in dataset:
        for label in sample.ground_truth.detections:
            label["mistakenness"] = 0.5
        sample.save()
    dataset.add_dynamic_sample_fields()
    editor = sent(attributes=True)
    assert "mistakenness" in {item.name for item in editor.classes()["cat"].attributes}


def test_failure_18__ids_of_the_last_task_only(dataset, sent, stock):
    sent(task_size=2)
    results = dataset.load_annotation_results("stock_1", cache=False, **stock.server)
    known = set(results.server_id_map["shapes"].values())
    assert known == set(dataset.values("ground_truth.detections.id", unwind=True)[-4:])


def test_failure_19__unfinished_work_is_taken(dataset, sent, stock):
    editor = sent()
    editor.move(editor.shapes()[0], *CORNER)
    stock.load()
    assert dataset.first().ground_truth.detections[0].bounding_box == [0, 0, 0.5, 0.5]


def test_failure_31__jobs_are_given_backwards(client, sent, cvat_pair):
    editor = sent(segment_size=1, job_assignees=list(cvat_pair))
    jobs = client.jobs(editor.task_ids)
    given = [job.assignee for job in jobs]
    assert given == (list(cvat_pair) * 3)[::-1]
    assert given[0] != cvat_pair[0] or len(set(cvat_pair)) == 1


def test_failure_32__an_unknown_person_is_dropped(client, sent):
    editor = sent(task_assignee="nobody_of_that_name")
    task = client._transport.get(f"/api/tasks/{editor.task_ids[0]}")
    assert task["assignee"] is None
