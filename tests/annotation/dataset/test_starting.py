"""Predictions that annotators start from: labels of a new field once a pull brings them."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    EVERYTHING,
    Request,
    RoundField,
    UnsupportedField,
    field_facts,
    make_plan,
    pull,
    push,
    review_pull,
    undo_pull,
)
from relabel.cvat import JobState, Shape
from relabel.labels import LabelSchema

pytestmark = pytest.mark.cvat

FIELD, SOURCE = "checked", "predictions"


def documents(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


@pytest.fixture
def predicted(dataset):
    """Two predictions on each of the first three images."""
    for sample in dataset.limit(3):
        sample[SOURCE] = fo.Detections(
            detections=[
                fo.Detection(
                    label="cat",
                    bounding_box=[0.1, 0.1, 1 / 3, 0.3],
                    confidence=0.75,
                    tags=["sure"],
                    weather="fog",
                    mistakenness=0.5,
                    old="tp",
                    old_iou=0.9,
                ),
                fo.Detection(label="dog", bounding_box=[0.5, 0.5, 0.25, 0.25], confidence=0.5),
            ]
        )
        sample.save()
    dataset.add_dynamic_sample_fields()
    dataset.evaluate_detections(SOURCE, gt_field="ground_truth", eval_key="old")
    return dataset


@pytest.fixture
def start(dataset, client):
    """Sends a round whose labels start from the predictions."""
    task_ids = []

    def start(name=FIELD, classes=None):
        schema = field_facts(dataset, SOURCE).to_schema(classes)
        request = Request("round_1", (RoundField(name, schema, SOURCE),))
        record = push(dataset, make_plan(dataset, request), client)
        task_ids.extend(task.id for task in record.tasks)
        return record

    yield start
    for task_id in task_ids:
        client.delete_task(task_id)


class Annotator:
    """Edits the one task of a round."""

    def __init__(self, client, record):
        self.client = client
        self.task = record.tasks[0]

    def on_frame(self, frame):
        shapes = self.client.task_annotations(self.task.id).shapes
        return [shape for shape in shapes if shape.frame == frame]

    def save(self, *frames):
        """Saves the shapes of all frames anew, so that every server id changes."""
        shapes = [replace(shape, id=None) for shapes in frames for shape in shapes]
        self.client.put_task_shapes(self.task.id, shapes)
        for job in self.task.jobs:
            self.client.set_job(job, state=JobState.COMPLETED)


def test_push__what_labels_start_from_is_in_cvat_only(predicted, client, start):
    before = documents(predicted)
    record = start()
    assert record.labels == 6
    annotator = Annotator(client, record)
    assert [len(annotator.on_frame(frame)) for frame in range(6)] == [2, 2, 2, 0, 0, 0]
    offered = {a.name for label in record.tasks[0].labels for a in label.attributes}
    assert offered == {"label_id", "weather"}
    assert documents(predicted) == before
    assert not predicted.has_field(FIELD)


def test_make_plan__counts_what_labels_start_from(predicted):
    schema = field_facts(predicted, SOURCE).to_schema()
    fresh = Request("r", (RoundField(FIELD, schema, SOURCE),))
    assert make_plan(predicted, fresh).labels == 6
    filled = Request("r", (RoundField("ground_truth", schema, SOURCE),))
    assert make_plan(predicted, filled).labels == 12


def test_pull__what_is_left_becomes_a_label_with_an_id_of_its_own(predicted, client, start):
    annotator = Annotator(client, start())
    cat, dog = annotator.on_frame(0)
    moved = replace(cat, points=(8.0, 6.0, 32.0, 24.0))
    drawn = Shape("rectangle", 3, dog.label_id, (0.0, 0.0, 16.0, 12.0))
    annotator.save([moved], annotator.on_frame(1), [], [drawn])
    sources = documents(predicted)

    report = pull(predicted, "round_1", client)
    assert report.counts == {"added": 4}
    assert report.problems == ()
    first, second, third, fourth, *_ = list(predicted)
    (label,) = first[FIELD].detections
    assert label.bounding_box == pytest.approx([0.125, 0.125, 0.375, 0.375], abs=1e-12)
    assert (label.confidence, label.tags, label.weather) == (0.75, ["sure"], "fog")
    assert not {"mistakenness", "old", "old_iou", "old_id"} & set(
        documents(predicted)[0][FIELD]["detections"][0]
    )
    assert label.id not in {item.id for item in first[SOURCE].detections}
    assert [item.label for item in second[FIELD].detections] == ["cat", "dog"]
    assert second[FIELD].detections[0].bounding_box == [0.1, 0.1, 1 / 3, 0.3]
    assert third[FIELD] is None
    assert [item.confidence for item in fourth[FIELD].detections] == [None]
    for was, now in zip(sources, documents(predicted), strict=True):
        assert now.get(SOURCE) == was.get(SOURCE)


def test_pull__a_second_time_brings_none_of_it_again(predicted, client, start):
    annotator = Annotator(client, start())
    annotator.save(annotator.on_frame(0), annotator.on_frame(1)[1:])
    pull(predicted, "round_1", client)
    after = documents(predicted)
    annotator.save(annotator.on_frame(0), annotator.on_frame(1))
    review = review_pull(predicted, "round_1", client)
    assert (review.counts, review.unchanged) == ({}, 3)
    assert pull(predicted, "round_1", client).counts == {}
    assert documents(predicted) == after


def test_pull__a_label_that_started_so_is_then_as_any_other(predicted, client, start):
    annotator = Annotator(client, start())
    annotator.save(annotator.on_frame(0))
    pull(predicted, "round_1", client)
    ids = [label.id for label in predicted.first()[FIELD].detections]
    cat, dog = annotator.on_frame(0)
    annotator.save([cat, replace(dog, points=(0.0, 0.0, 16.0, 12.0))])
    assert pull(predicted, "round_1", client).counts == {"moved": 1}
    annotator.save([dog])
    assert pull(predicted, "round_1", client).counts == {"removed": 1, "moved": 1}
    assert [label.id for label in predicted.first()[FIELD].detections] == ids[1:]


def test_pull__one_that_an_annotator_brings_back_is_a_copy_again(predicted, client, start):
    annotator = Annotator(client, start())
    cat, dog = annotator.on_frame(0)
    annotator.save([dog])
    assert pull(predicted, "round_1", client).counts == {"added": 1}
    annotator.save([cat, dog])
    assert pull(predicted, "round_1", client).counts == {"added": 1}
    labels = predicted.first()[FIELD].detections
    assert [(label.label, label.confidence) for label in labels] == [("dog", 0.5), ("cat", 0.75)]


def test_undo_pull__takes_them_back_and_the_next_pull_offers_them_again(predicted, client, start):
    annotator = Annotator(client, start())
    annotator.save(annotator.on_frame(0))
    pull(predicted, "round_1", client)
    ids = [label.id for label in predicted.first()[FIELD].detections]
    undo_pull(predicted, "round_1")
    assert predicted.first()[FIELD] is None
    assert pull(predicted, "round_1", client).counts == {"added": 2}
    assert [label.id for label in predicted.first()[FIELD].detections] == ids


def test_pull__images_that_have_labels_keep_them_and_start_from_none(predicted, client, start):
    record = start("ground_truth")
    assert record.labels == 12
    assert pull(predicted, "round_1", client, EVERYTHING).counts == {}


def test_pull__a_source_that_is_gone_meanwhile_is_still_copied(predicted, client, start):
    annotator = Annotator(client, start())
    annotator.save(annotator.on_frame(0))
    predicted.delete_sample_field(SOURCE)
    pull(predicted, "round_1", client)
    assert [label.confidence for label in predicted.first()[FIELD].detections] == [0.75, 0.5]


def test_stock__loads_a_round_whose_labels_start_from_others(predicted, client, start, stock):
    annotator = Annotator(client, start())
    annotator.save(annotator.on_frame(0), annotator.on_frame(1)[:1])
    stock.run(
        ["load_annotations", "round_1", {"unexpected": "ignore"}],
        ["get_status", "round_1", {}],
    )
    predicted.reload()
    values = predicted.values(f"{FIELD}.detections.label")
    assert values[:3] == [["cat", "dog"], ["cat"], None]


def test_pull__a_segmentation_that_starts_from_another(dataset, client, start):
    array = np.zeros((48, 64), dtype=np.uint8)
    array[4:20, 6:30], array[30, 40] = 1, 7
    dataset.default_mask_targets = {1: "road"}
    for sample in dataset.limit(2):
        sample[SOURCE] = fo.Segmentation(mask=array, tags=["sure"], model="m1", mistakenness=0.5)
        sample.save()
    annotator = Annotator(client, start(classes=["road", "7"]))
    road, seven = annotator.on_frame(0)
    annotator.save([road, seven], [road_of_second := annotator.on_frame(1)[0]])
    assert road_of_second.type == "mask"
    assert pull(dataset, "round_1", client).counts == {"added": 3}
    first, second, third = dataset.limit(3)
    assert np.array_equal(first[FIELD].mask, array)
    assert np.array_equal(second[FIELD].mask, np.where(array == 1, 1, 0))
    assert (first[FIELD].tags, first[FIELD].model) == (["sure"], "m1")
    assert first[FIELD].id not in {first[SOURCE].id, second[FIELD].id}
    assert "mistakenness" not in documents(dataset)[0][FIELD]
    assert third[FIELD] is None
    annotator.save(annotator.on_frame(0), annotator.on_frame(1))
    assert pull(dataset, "round_1", client).counts == {}
    undo_pull(dataset, "round_1")
    assert dataset.values(FIELD) == [None] * 6


def test_pull__a_text_that_starts_from_another(dataset, client, start):
    for sample in dataset.limit(2):
        sample[SOURCE] = "fog"
        sample.save()
    annotator = Annotator(client, start(classes=[SOURCE]))
    annotator.save(annotator.on_frame(0))
    assert pull(dataset, "round_1", client).counts == {"added": 1}
    assert dataset.values(FIELD)[:2] == ["fog", None]
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {}


@pytest.mark.parametrize("source", ["nothing", "filepath", FIELD])
def test_make_plan__what_labels_cannot_start_from(predicted, source):
    field = RoundField(FIELD, LabelSchema(("cat", "dog")), source)
    with pytest.raises(UnsupportedField, match="cannot start from"):
        make_plan(predicted, Request("r", (field,)))


def test_make_plan__the_source_must_be_of_the_same_kind(predicted):
    field = RoundField(FIELD, LabelSchema(("cat", "dog"), kind="polylines"), SOURCE)
    with pytest.raises(UnsupportedField, match="cannot start from"):
        make_plan(predicted, Request("r", (field,)))
