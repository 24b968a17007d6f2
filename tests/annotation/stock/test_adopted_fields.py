"""Fields of every kind that stock FiftyOne sent are pulled, whatever it made of them."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    pull,
    rounds_status,
    undo_pull,
)
from relabel.cvat import Shape
from tests.annotation.sending.small_push import unique
from tests.annotation.stock.stock_labels import masks, polygons
from tests.annotation.stock.stock_rounds import Editor, boxes_of, shape_of, stored

pytestmark = pytest.mark.cvat


def test_pull__a_new_field_of_a_stock_round(dataset, client, stock):
    options = {"label_field": "fresh", "label_type": "detections", "classes": ["cat"]}
    editor = Editor(client, stock.annotate(**options))
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("rectangle", 0, cat, (1.1, 2.2, 33.3, 44.4)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"added": 1}
    (label,) = dataset.first().fresh.detections
    assert label.label == "cat"
    editor.patch("update", replace(editor.shapes()[0], points=(2.0, 2.0, 30.0, 40.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    assert dataset.first().fresh.detections[0].id == label.id


def test_pull__a_new_field_that_stock_has_loaded_already(dataset, client, stock):
    options = {"label_field": "fresh", "label_type": "detections", "classes": ["cat"]}
    editor = Editor(client, stock.annotate(**options))
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("rectangle", 0, cat, (1.1, 2.2, 33.3, 44.4)))
    editor.finish()
    stock.load()
    assert pull(dataset, "stock_1", client).counts == {}
    assert len(dataset.first().fresh.detections) == 1


def test_pull__one_part_of_a_polygon_that_stock_sent(dataset, client, stock, fill):
    fill("polygons")
    editor = Editor(client, stock.annotate(label_field="labels"))
    hole = next(shape for shape in editor.shapes() if len(shape.points) == 6)
    editor.move(hole, 32.0, 24.0, 40.5, 24.0, 36.0, 30.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    lake, island = dataset.first().labels.polylines
    assert [len(part) for part in lake.points] == [4, 3, 3]
    assert lake.points[1] == [[0.5, 0.5], [40.5 / 64, 0.5], [36 / 64, 30 / 48]]
    assert island.points == polygons().polylines[1].points


def test_pull__the_switch_and_the_group_that_stock_maps_to_attributes(dataset, client, stock):
    for sample in dataset:
        sample.ground_truth.detections[0]["hidden"] = True
        sample.save()
    dataset.add_dynamic_sample_fields()
    options = {"occluded_attr": "hidden", "group_id_attr": "team"}
    editor = Editor(client, stock.annotate(label_field="ground_truth", **options))
    cat, dog = editor.shapes()
    assert (cat.occluded, dog.occluded) == (True, False)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    editor.patch("update", replace(cat, occluded=False), replace(dog, occluded=True, group=4))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"attribute": 2}
    cat, dog = boxes_of(dataset)
    assert (cat.hidden, dog.hidden, dog.team) == (False, True, 4)


def test_pull__of_a_project(dataset, client, stock, odd):
    options = {"label_field": "ground_truth", "project_name": unique("stock")}
    editor = Editor(client, stock.annotate(**options))
    again = Editor(client, stock.annotate("stock_2", **options))
    for key, edited in (("stock_1", editor), ("stock_2", again)):
        edited.finish()
        assert pull(dataset, key, client).counts == {}
    again.move(shape_of(again, "dog"), 1.5, 2.5, 30.125, 40.0)
    again.finish()
    assert pull(dataset, "stock_2", client).counts == {"moved": 1}


def test_pull__only_the_labels_that_stock_sent(dataset, client, stock, odd):
    view = dataset.filter_labels("ground_truth", fo.ViewField("label") == "cat").limit(2)
    editor = Editor(client, stock.annotate(samples=view, label_field="ground_truth"))
    assert [len(editor.shapes(frame)) for frame in range(3)] == [1, 1, 0]
    editor.patch("delete", *editor.shapes(0))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"removed": 1}
    assert [label.label for label in boxes_of(dataset)] == ["dog"]


def test_pull__several_fields_of_a_stock_round_with_the_same_classes(dataset, client, stock, odd):
    dataset.clone_sample_field("ground_truth", "second")
    for sample in dataset:
        sample["second"] = masks()
        sample["sky"] = fo.Classification(label="cat")
        sample.save()
    fields = {"ground_truth": {}, "second": {"type": "instances"}, "sky": {}}
    editor = Editor(client, stock.annotate(label_schema=fields, segment_size=2))
    assert {"cat_ground_truth", "cat_second", "cat_sky"} <= set(editor.classes())
    (status,) = rounds_status(dataset, client)
    assert (status.label_fields, status.labels) == (("ground_truth", "second", "sky"), 36)
    editor.finish()
    before = stored(dataset)
    report = pull(dataset, "stock_1", client)
    assert (report.jobs, report.counts) == (3, {})
    assert stored(dataset) == before
    first, second = (shape_of(editor, f"cat_{name}") for name in ("ground_truth", "second"))
    editor.move(first, 1.5, 2.5, 30.125, 40.0)
    editor.patch("delete", second)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1, "removed": 1}
    sample = dataset.first()
    assert [label.label for label in sample.ground_truth.detections] == ["cat", "dog"]
    assert [label.label for label in sample.second.detections] == ["dog", "dog"]


def test_pull__a_segmentation_that_stock_sent(dataset, client, stock):
    noise = np.random.default_rng(51).integers(0, 4, (48, 64), dtype=np.uint8)
    for sample in dataset:
        sample["sky"] = fo.Segmentation(mask=noise)
        sample.save()
    targets = {1: "cloud", 2: "bird"}
    editor = Editor(client, stock.annotate(label_field="sky", mask_targets=targets))
    assert len(editor.shapes()) == 2
    bird = shape_of(editor, "bird", 1)
    editor.patch("update", replace(bird, points=(0.0, 6.0, 4.0, 5.0, 6.0, 6.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    undo_pull(dataset, "stock_1")
    editor.patch("update", replace(bird, points=bird.points))
    before = str(stored(dataset))
    for _ in range(2):
        editor.finish()
        assert pull(dataset, "stock_1", client).counts == {}
        assert str(stored(dataset)) == before
    cloud = shape_of(editor, "cloud")
    editor.patch("update", replace(cloud, points=(0.0, 6.0, 4.0, 5.0, 6.0, 6.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    mask = dataset.first().sky.mask
    assert np.argwhere(mask == 1).tolist() == [[y, x] for y in (5, 6) for x in (4, 5, 6)]
    assert np.array_equal(mask[8:] == 2, noise[8:] == 2)
    assert np.array_equal(mask[8:] == 3, noise[8:] == 3)


def test_pull__values_of_samples_that_stock_sent(dataset, client, stock):
    for number, sample in enumerate(dataset):
        sample["count"], sample["share"], sample["fine"] = number, number / 3, number % 2 == 0
        sample.save()
    fields = {"count": {}, "share": {}, "fine": {}}
    editor = Editor(client, stock.annotate(label_schema=fields))
    before = stored(dataset)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    assert stored(dataset) == before
    spec = editor.classes()["count"]
    (value,) = spec.attributes
    tag = shape_of(editor, "count")
    editor.patch("delete", tag)
    editor.patch("create", replace(tag, id=None, attributes={value.id: "41"}))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"attribute": 1}
    assert dataset.values("count") == [41, 1, 2, 3, 4, 5]
