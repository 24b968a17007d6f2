"""Rounds over a real server: what comes back is what annotators did, and nothing else."""

from __future__ import annotations

import copy
from dataclasses import replace

import fiftyone as fo
import pytest
from bson import ObjectId

from relabel.annotation import (
    EVERYTHING,
    ConflictPolicy,
    NothingToUndo,
    pull,
    review_pull,
    rounds_status,
    undo_pull,
)
from relabel.cvat import JobState, Shape

pytestmark = pytest.mark.cvat


def documents(dataset):
    return list(dataset._sample_collection.find().sort("_id", 1))


def labels_of(dataset, index):
    return documents(dataset)[index]["ground_truth"]["detections"]


class Annotator:
    """Edits a round in CVAT, through requests of its own."""

    def __init__(self, client, record):
        self.client = client
        self.task = record.tasks[0]
        self._transport = client._transport

    def shapes(self):
        return list(self.client.task_annotations(self.task.id).shapes)

    def on_frame(self, frame):
        return [shape for shape in self.shapes() if shape.frame == frame]

    def _patch(self, action, shapes):
        body = {
            "version": 0,
            "tags": [],
            "tracks": [],
            "shapes": [
                shape.to_json() | ({"id": shape.id} if shape.id is not None else {})
                for shape in shapes
            ],
        }
        path = f"/api/tasks/{self.task.id}/annotations"
        self._transport.send_json("PATCH", path, body, {"action": action})

    def edit(self, shape, **changes):
        self._patch("update", [replace(shape, **changes)])

    def delete(self, shape):
        self._patch("delete", [shape])

    def draw(self, frame, label, points, attributes=None):
        label_id = next(spec.id for spec in self.task.labels if spec.name == label)
        self._patch(
            "create", [Shape("rectangle", frame, label_id, points, attributes=attributes or {})]
        )

    def paste(self, shape, **changes):
        self._patch("create", [replace(shape, id=None, **changes)])

    def label_id(self, name):
        return next(spec.id for spec in self.task.labels if spec.name == name)

    def complete(self, *indices):
        for index in indices or range(len(self.task.jobs)):
            self.client.set_job(self.task.jobs[index], state=JobState.COMPLETED)


def test_pull__nothing_edited_writes_nothing(dataset, client, send):
    record = send()
    Annotator(client, record).complete()
    before = documents(dataset)
    report = pull(dataset, "round_1", client)
    assert report.jobs == 1
    assert report.counts == {}
    assert documents(dataset) == before


def test_pull__takes_every_kind_of_change(dataset, client, send):
    record = send()
    before = copy.deepcopy(documents(dataset))
    annotator = Annotator(client, record)
    cat, dog = annotator.on_frame(0)
    annotator.edit(cat, points=(1.25, 2.5, 30.125, 40.0625))
    annotator.edit(dog, label_id=annotator.label_id("cat"), attributes={})
    annotator.delete(annotator.on_frame(1)[0])
    annotator.draw(2, "dog", (10.0, 12.0, 20.0, 24.0))
    annotator.complete()

    review = review_pull(dataset, "round_1", client)
    assert review.counts == {"moved": 1, "relabelled": 1, "removed": 1, "added": 1}
    assert documents(dataset) == before, "a review changes nothing"

    report = pull(dataset, "round_1", client)
    assert report.counts == review.counts
    moved, relabelled = labels_of(dataset, 0)
    was_moved, was_relabelled = before[0]["ground_truth"]["detections"]
    assert moved["bounding_box"] == pytest.approx(
        [1.25 / 64, 2.5 / 48, 28.875 / 64, 37.5625 / 48], abs=1e-12
    )
    assert {**moved, "bounding_box": None} == {**was_moved, "bounding_box": None}
    assert relabelled == {**was_relabelled, "label": "cat"}
    assert labels_of(dataset, 1) == before[1]["ground_truth"]["detections"][1:]
    assert labels_of(dataset, 2)[:2] == before[2]["ground_truth"]["detections"]
    assert labels_of(dataset, 2)[2]["label"] == "dog"
    assert documents(dataset)[3:] == before[3:], "untouched samples are not written"
    dataset.reload()
    assert len(dataset.skip(2).first().ground_truth.detections) == 3


def test_pull__again_changes_nothing_and_keeps_the_ids_of_new_labels(dataset, client, send):
    annotator = Annotator(client, send())
    annotator.draw(0, "dog", (10.0, 12.0, 20.0, 24.0))
    annotator.complete()
    pull(dataset, "round_1", client)
    once = documents(dataset)
    assert pull(dataset, "round_1", client).jobs == 0
    annotator.complete()  # touches the job, so that it is fetched again
    assert pull(dataset, "round_1", client).jobs == 1
    assert documents(dataset) == once


def test_pull__a_pasted_copy_does_not_replace_its_original(dataset, client, send):
    annotator = Annotator(client, send())
    original = annotator.on_frame(0)[0]
    annotator.paste(original, points=tuple(value + 3 for value in original.points))
    annotator.complete()
    before = labels_of(dataset, 0)
    assert pull(dataset, "round_1", client).counts == {"added": 1}
    after = labels_of(dataset, 0)
    assert after[:2] == before
    assert after[2]["_id"] not in {label["_id"] for label in before}


def test_pull__labels_are_found_again_when_the_server_gave_new_ids(dataset, client, send):
    record = send()
    annotator = Annotator(client, record)
    before = documents(dataset)
    sent = annotator.shapes()
    client.put_task_shapes(record.tasks[0].id, sent)
    assert {shape.id for shape in annotator.shapes()}.isdisjoint(shape.id for shape in sent)
    annotator.complete()
    assert pull(dataset, "round_1", client).counts == {}
    assert documents(dataset) == before


def test_pull__finished_jobs_only(dataset, client, send):
    record = send(images_per_job=2)
    annotator = Annotator(client, record)
    assert len(record.tasks[0].jobs) == 3
    annotator.delete(annotator.on_frame(0)[0])
    annotator.delete(annotator.on_frame(5)[0])
    annotator.complete(0)
    report = pull(dataset, "round_1", client)
    assert (report.jobs, report.counts) == (1, {"removed": 1})
    assert [len(labels_of(dataset, index)) for index in range(6)] == [1, 2, 2, 2, 2, 2]
    report = pull(dataset, "round_1", client, EVERYTHING)
    assert (report.jobs, report.counts) == (2, {"removed": 1})
    assert len(labels_of(dataset, 5)) == 1


@pytest.fixture
def conflict(dataset, client, send):
    """One label was moved in CVAT and relabelled in FiftyOne."""
    annotator = Annotator(client, send())
    annotator.edit(annotator.on_frame(0)[0], points=(0.0, 0.0, 32.0, 24.0))
    annotator.complete()
    sample = dataset.first()
    sample.ground_truth.detections[0].label = "dog"
    sample.save()
    return annotator


def test_pull__a_conflict_is_skipped_and_shown_again(dataset, client, conflict):
    before = documents(dataset)
    for _ in range(2):
        assert pull(dataset, "round_1", client).counts == {"conflict": 1}
    assert documents(dataset) == before


def test_pull__in_a_conflict_cvat_wins(dataset, client, conflict):
    report = pull(dataset, "round_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert report.counts == {"moved": 1}
    label = labels_of(dataset, 0)[0]
    assert (label["label"], label["bounding_box"]) == ("cat", [0.0, 0.0, 0.5, 0.5])


def test_pull__in_a_conflict_fiftyone_wins_for_good(dataset, client, conflict):
    before = documents(dataset)
    report = pull(dataset, "round_1", client, policy=ConflictPolicy.FIFTYONE_WINS)
    assert report.counts == {"conflict": 1}
    conflict.complete()
    assert pull(dataset, "round_1", client).counts == {}
    assert documents(dataset) == before


def test_pull__edits_and_deletions_made_in_fiftyone_stay(dataset, client, send):
    annotator = Annotator(client, send())
    annotator.edit(annotator.on_frame(0)[1], points=(0.0, 0.0, 32.0, 24.0))
    annotator.complete()
    sample = dataset.first()
    sample.ground_truth.detections[0].label = "bird"
    sample.save()
    other = dataset.skip(1).first()
    del other.ground_truth.detections[0]
    other.save()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    assert labels_of(dataset, 0)[0]["label"] == "bird"
    assert len(labels_of(dataset, 1)) == 1


def test_pull__attributes_keep_their_type(dataset, client, send):
    for sample in dataset:
        sample.ground_truth.detections[0]["iscrowd"] = 0
        sample.ground_truth.detections[0]["note"] = "free text"
        sample.save()
    record = send()
    annotator = Annotator(client, record)
    shape = annotator.on_frame(0)[0]
    spec = {item.name: item for item in record.tasks[0].labels[0].attributes}
    assert spec["iscrowd"].input_type == "checkbox"
    annotator.edit(shape, attributes={**shape.attributes, spec["iscrowd"].id: "true"})
    annotator.complete()
    assert pull(dataset, "round_1", client).counts == {"attribute": 1}
    label = labels_of(dataset, 0)[0]
    assert (label["iscrowd"], type(label["iscrowd"])) == (1, int)
    assert "iscrowd" not in labels_of(dataset, 0)[1]


def test_pull__a_new_field_is_filled(dataset, client, send):
    annotator = Annotator(client, send(field="fresh", classes=["person"]))
    annotator.draw(0, "person", (16.0, 12.0, 48.0, 36.0))
    annotator.complete()
    assert pull(dataset, "round_1", client).counts == {"added": 1}
    sample = dataset.first()
    assert isinstance(sample.fresh, fo.Detections)
    assert sample.fresh.detections[0].bounding_box == [0.25, 0.25, 0.5, 0.5]
    undo_pull(dataset, "round_1")
    assert dataset.first().fresh is None


def test_undo_pull__restores_the_stored_labels_in_order(dataset, client, send):
    annotator = Annotator(client, send())
    states = [[document["ground_truth"] for document in documents(dataset)]]
    for index in range(3):
        annotator.delete(annotator.on_frame(index)[0])
        annotator.draw(index, "dog", (1.0, 2.0, 3.0, 4.0))
        annotator.complete()
        pull(dataset, "round_1", client)
        states.append([document["ground_truth"] for document in documents(dataset)])
    for state in reversed(states[:-1]):
        undo_pull(dataset, "round_1")
        assert [document["ground_truth"] for document in documents(dataset)] == state
    with pytest.raises(NothingToUndo):
        undo_pull(dataset, "round_1")
    assert pull(dataset, "round_1", client).counts == {"added": 3, "removed": 3}
    assert [
        [label["label"] for label in document["ground_truth"]["detections"]]
        for document in documents(dataset)
    ] == [[label["label"] for label in value["detections"]] for value in states[-1]]


def test_undo_pull__leaves_what_was_edited_since(dataset, client, send):
    annotator = Annotator(client, send())
    for frame in (0, 1):
        cat, dog = annotator.on_frame(frame)
        annotator.edit(cat, points=(1.0, 2.0, 3.0, 4.0))
        annotator.delete(dog)
    annotator.complete()
    before = documents(dataset)
    pull(dataset, "round_1", client)
    sample = dataset.first()
    sample.ground_truth.detections[0].label = "bird"
    sample.save()
    report = undo_pull(dataset, "round_1")
    assert report.left == (sample.id,)
    assert report.sample_ids == (dataset.skip(1).first().id,)
    bird, dog = labels_of(dataset, 0)
    assert (bird["label"], bird["bounding_box"][0]) == ("bird", 1 / 64)
    assert dog == before[0]["ground_truth"]["detections"][1], "the label beside it is restored"
    assert labels_of(dataset, 1) == before[1]["ground_truth"]["detections"]
    assert pull(dataset, "round_1", client).counts == {"moved": 1, "removed": 2}
    assert labels_of(dataset, 0)[0]["label"] == "bird"


def test_rounds_status__counts_by_state_and_sees_what_is_new(dataset, client, send):
    record = send(images_per_job=2)
    (status,) = rounds_status(dataset, client)
    assert (status.key, status.images, status.images_done) == ("round_1", 6, 0)
    assert [job.id for job in status.jobs] == list(record.tasks[0].jobs)
    Annotator(client, record).complete(1)
    (status,) = rounds_status(dataset, client)
    assert (status.images_done, status.unpulled_jobs) == (2, 1)
    pull(dataset, "round_1", client)
    (status,) = rounds_status(dataset, client)
    assert (status.unpulled_jobs, status.jobs[1].pulled) == (0, True)
    client.delete_task(record.tasks[0].id)
    (status,) = rounds_status(dataset, client)
    assert status.tasks[0].missing


def test_pull__samples_that_were_deleted_are_reported(dataset, client, send):
    annotator = Annotator(client, send())
    dataset.delete_samples([dataset.first().id])
    annotator.complete()
    report = pull(dataset, "round_1", client)
    assert report.counts == {}
    assert "no longer in the dataset" in report.problems[0]


def test_baseline__goes_when_the_run_goes(dataset, client, send):
    import fiftyone.core.odm as foo

    record = send()
    frames = foo.get_db_conn()["relabel_frames"]
    assert frames.count_documents({"round_id": ObjectId(record.id)}) == 6
    dataset.delete_annotation_run("round_1")
    assert rounds_status(dataset, client) == []
    send("round_2")
    assert frames.count_documents({"round_id": ObjectId(record.id)}) == 0


def test_pull__a_label_that_is_edited_twice_in_cvat_is_no_conflict(dataset, client, send):
    annotator = Annotator(client, send())
    for bottom in (30.3, 31.7):  # 30.3 of 48 rows is rounded on the way to FiftyOne
        annotator.edit(annotator.on_frame(0)[0], points=(1.0, 0.9, 30.0, bottom))
        annotator.complete()
        assert pull(dataset, "round_1", client).counts == {"moved": 1}


def test_pull__into_an_image_whose_labels_were_all_deleted_in_fiftyone(dataset, client, send):
    annotator = Annotator(client, send())
    sample = dataset.first()
    sample.ground_truth.detections = []
    sample.save()
    assert "detections" not in documents(dataset)[0]["ground_truth"], "FiftyOne leaves it out"
    annotator.draw(0, "dog", (16.0, 12.0, 48.0, 36.0))
    annotator.complete()
    report = pull(dataset, "round_1", client)
    assert (report.counts, report.problems) == ({"added": 1}, ())
    assert [label["label"] for label in labels_of(dataset, 0)] == ["dog"]
    undo_pull(dataset, "round_1")
    assert labels_of(dataset, 0) == []
    assert dataset.first().ground_truth.detections == []
