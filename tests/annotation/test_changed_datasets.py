"""A round goes on, or says what to do, when its dataset changes while it is out."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import FieldGone, pull, review_pull, rounds_status, undo_pull
from tests.annotation.sending.small_push import unique
from tests.annotation.stock.stock_rounds import Editor, stored

pytestmark = pytest.mark.cvat


def editor_of(client, record):
    return Editor(client, [task.id for task in record.tasks])


def test_pull__follows_a_field_that_was_renamed(dataset, client, send):
    editor = editor_of(client, send())
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    pull(dataset, "round_1", client)
    dataset.rename_sample_field("ground_truth", "truth")
    assert rounds_status(dataset, client)[0].label_fields == ("truth",)
    editor.move(editor.shapes(1)[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    boxes = [sample.truth.detections[0].bounding_box for sample in dataset.limit(2)]
    assert boxes == [[0.0, 0.0, 0.5, 0.5]] * 2
    undo_pull(dataset, "round_1")
    undo_pull(dataset, "round_1")
    boxes = [sample.truth.detections[0].bounding_box for sample in dataset.limit(2)]
    assert boxes == [[0.125, 0.25, 0.25, 0.5]] * 2
    assert not dataset.has_field("ground_truth")
    assert all("ground_truth" not in document for document in stored(dataset))


def test_undo_pull__follows_a_field_that_was_renamed(dataset, client, send):
    editor = editor_of(client, send())
    editor.patch("delete", *editor.shapes())
    editor.finish()
    before = [document["ground_truth"] for document in stored(dataset)]
    pull(dataset, "round_1", client)
    dataset.rename_sample_field("ground_truth", "truth")
    undo_pull(dataset, "round_1")
    assert [document["truth"] for document in stored(dataset)] == before


def test_pull__a_field_that_was_deleted_is_not_made_again(dataset, client, send):
    editor = editor_of(client, send())
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    dataset.delete_sample_field("ground_truth")
    before = stored(dataset)
    for call in (pull, review_pull):
        with pytest.raises(FieldGone, match=r"'ground_truth'.*load_annotations\('round_1'"):
            call(dataset, "round_1", client)
    assert rounds_status(dataset, client)[0].unpulled_jobs == 1
    assert stored(dataset) == before


def test_pull__a_field_that_became_two_asks_which(dataset, client, send):
    editor = editor_of(client, send())
    dataset.clone_sample_field("ground_truth", "truth")
    dataset.rename_sample_field("ground_truth", "old_truth")
    editor.finish()
    with pytest.raises(FieldGone, match=r"'(old_)?truth' and in '(old_)?truth'"):
        pull(dataset, "round_1", client)
    dataset.rename_sample_field("truth", "ground_truth")
    assert pull(dataset, "round_1", client).counts == {}


def segment(dataset, field):
    """Gives the samples a segmentation of two classes."""
    for sample in dataset:
        mask = np.zeros((48, 64), dtype=np.uint8)
        mask[10:20, 10:20], mask[30:40, 30:40] = 1, 2
        sample[field] = fo.Segmentation(mask=mask)
        sample.save()


def moved(shape, by):
    return replace(shape, points=(*shape.points[:-4], *(n + by for n in shape.points[-4:])))


def test_pull__follows_a_segmentation_that_was_renamed(dataset, client, send):
    for field in ("sky", "other"):
        segment(dataset, field)
    editor = editor_of(client, send(field="sky", classes=["1", "2"]))
    editor.patch("update", moved(editor.shapes()[0], 2))
    editor.finish()
    before = [document["sky"] for document in stored(dataset)]
    pull(dataset, "round_1", client)
    dataset.rename_sample_field("sky", "heaven")
    dataset.set_values("other", [fo.Segmentation(mask=np.zeros((48, 64, 3), np.uint8))] * 6)
    assert rounds_status(dataset, client)[0].label_fields == ("heaven",)
    editor.patch("update", moved(editor.shapes(1)[0], 2))
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    for sample in dataset.limit(2):
        assert np.argwhere(sample.heaven.mask == 1)[[0, -1]].tolist() == [[12, 12], [21, 21]]
    undo_pull(dataset, "round_1")
    undo_pull(dataset, "round_1")
    assert [document["heaven"] for document in stored(dataset)] == before
    assert not dataset.has_field("sky")


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([True, False] * 3, id="bool"),
        pytest.param(list(range(6)), id="int"),
        pytest.param([number / 3 for number in range(6)], id="float"),
        pytest.param([f"text {number}" for number in range(6)], id="str"),
    ],
)
def test_pull__a_value_that_was_renamed_comes_when_it_has_its_name_again(
    dataset, client, send, values
):
    dataset.set_values("value", values)
    editor = editor_of(client, send(field="value"))
    (tag, *_) = editor.shapes()
    editor.patch("delete", tag)
    editor.finish()
    dataset.rename_sample_field("value", "worth")
    before = stored(dataset)
    for call in (pull, review_pull):
        with pytest.raises(FieldGone, match="name it 'value' again"):
            call(dataset, "round_1", client)
    assert rounds_status(dataset, client)[0].unpulled_jobs == 1
    assert stored(dataset) == before
    dataset.rename_sample_field("worth", "value")
    assert pull(dataset, "round_1", client).counts == {"removed": 1}
    assert dataset.values("value") == [None, *values[1:]]
    dataset.rename_sample_field("value", "worth")
    before = stored(dataset)
    with pytest.raises(FieldGone, match="name it 'value' again"):
        undo_pull(dataset, "round_1")
    assert stored(dataset) == before
    dataset.rename_sample_field("worth", "value")
    undo_pull(dataset, "round_1")
    assert dataset.values("value") == values


def test_pull__a_field_of_a_stock_round_that_was_renamed(dataset, client, stock):
    editor = Editor(client, stock.annotate(label_field="ground_truth"))
    rounds_status(dataset, client)
    dataset.rename_sample_field("ground_truth", "truth")
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    assert dataset.first().truth.detections[0].bounding_box == [0.0, 0.0, 0.5, 0.5]


def test_pull__a_field_of_a_stock_round_that_was_renamed_before_it_was_seen(
    dataset, client, stock
):
    editor = Editor(client, stock.annotate(label_field="ground_truth"))
    dataset.rename_sample_field("ground_truth", "truth")
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    before = [document["truth"] for document in stored(dataset)]
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert [document["truth"] for document in stored(dataset)] == before


def test_pull__a_segmentation_of_a_stock_round_that_was_renamed_before_it_was_seen(
    dataset, client, stock
):
    segment(dataset, "sky")
    targets = {1: "cloud", 2: "bird"}
    editor = Editor(client, stock.annotate(label_field="sky", mask_targets=targets))
    dataset.rename_sample_field("sky", "heaven")
    editor.finish()
    before = stored(dataset)
    assert rounds_status(dataset, client)[0].label_fields == ("heaven",)
    assert pull(dataset, "stock_1", client).counts == {}
    assert stored(dataset) == before


def test_pull__a_value_of_a_stock_round_that_was_renamed_before_it_was_seen(
    dataset, client, stock
):
    dataset.set_values("value", list(range(6)))
    editor = Editor(client, stock.annotate(label_field="value"))
    dataset.rename_sample_field("value", "worth")
    editor.finish()
    before = stored(dataset)
    (status,) = rounds_status(dataset, client)
    assert (status.state, status.problem.advice) == (
        "left",
        "If you renamed it, name it 'value' again.",
    )
    with pytest.raises(FieldGone, match="name it 'value' again"):
        pull(dataset, "stock_1", client)
    assert stored(dataset) == before
    dataset.rename_sample_field("worth", "value")
    assert pull(dataset, "stock_1", client).counts == {}
    assert rounds_status(dataset, client)[0].problem is None


def test_pull__a_dataset_and_a_run_that_were_renamed(dataset, client, send):
    editor = editor_of(client, send())
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    dataset.name = f"{dataset.name}-renamed"
    dataset.rename_annotation_run("round_1", "again")
    assert [status.key for status in rounds_status(dataset, client)] == ["again"]
    assert pull(dataset, "again", client).counts == {"moved": 1}
    assert undo_pull(dataset).key == "again"


def test_pull__a_clone_gets_what_its_round_brings_and_the_original_is_left_alone(
    dataset, client, send
):
    editor = editor_of(client, send())
    before = stored(dataset)
    clone = dataset.clone()
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    try:
        (status,) = rounds_status(clone, client)
        assert (status.key, status.images, status.labels) == ("round_1", 6, 12)
        cloned = stored(clone)
        # Nobody knows whether it was edited before it was cloned, so that it is asked.
        assert pull(clone, "round_1", client).counts == {"conflict": 1}
        assert stored(clone) == cloned
        assert stored(dataset) == before
        assert pull(dataset, "round_1", client).counts == {"moved": 1}
        undo_pull(dataset, "round_1")
        clone.delete_annotation_run("round_1")
        assert [status.key for status in rounds_status(dataset, client)] == ["round_1"]
    finally:
        clone.delete()


def test_pull__samples_that_were_deleted(dataset, client, send):
    editor = editor_of(client, send())
    for frame in range(2):
        editor.move(editor.shapes(frame)[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    dataset.delete_samples(dataset.first())
    report = pull(dataset, "round_1", client)
    assert report.counts == {"moved": 1}
    assert any("1 images are no longer" in problem for problem in report.problems)
    assert len(dataset) == 5


def test_pull__tasks_that_were_deleted(dataset, client, send):
    record = send(images_per_task=3)
    editor = editor_of(client, record)
    editor.move(editor.shapes(0, task=1)[0], 0.0, 0.0, 32.0, 24.0, task=1)
    editor.finish()
    client.delete_task(record.tasks[0].id)
    report = pull(dataset, "round_1", client)
    assert report.counts == {"moved": 1}
    assert any(str(record.tasks[0].id) in problem for problem in report.problems)
    (status,) = rounds_status(dataset, client)
    assert [task.missing for task in status.tasks] == [True, False]


def test_pull__a_stock_round_whose_project_was_deleted(dataset, client, stock):
    name = unique("gone")
    stock.annotate(label_field="ground_truth", project_name=name)
    (project,) = client._transport.pages("/api/projects", name=name)
    client._transport.request("DELETE", f"/api/projects/{project['id']}")
    before = stored(dataset)
    (status,) = rounds_status(dataset, client)
    assert [task.missing for task in status.tasks] == [True]
    report = pull(dataset, "stock_1", client)
    assert (report.counts, report.jobs) == ({}, 0)
    assert any("does not show" in problem for problem in report.problems)
    assert stored(dataset) == before


def test_pull__a_class_of_a_stock_round_that_was_renamed(dataset, client, stock):
    editor = Editor(client, stock.annotate(label_field="ground_truth"))
    review_pull(dataset, "stock_1", client)
    editor.change_labels([{"id": editor.classes()["cat"].id, "name": "feline"}])
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    assert dataset.count_values("ground_truth.detections.label") == {"cat": 6, "dog": 6}


def test_pull__a_field_that_another_process_renamed(dataset, client, send):
    editor = editor_of(client, send())
    editor.move(editor.shapes()[0], 0.0, 0.0, 32.0, 24.0)
    editor.finish()
    fo.load_dataset(dataset.name).rename_sample_field("ground_truth", "truth")
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
