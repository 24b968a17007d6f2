"""Rounds of fields whose value is no label: segmentations, numbers, booleans, texts."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from relabel.annotation import UnsupportedField, field_facts, pull, undo_pull
from relabel.cvat import Shape
from relabel.labels import MalformedLabel
from tests.annotation.comparing.test_kinds import Editor, documents, editor_name

pytestmark = pytest.mark.cvat

ROAD, CAR = 1, 300


def array():
    mask = np.zeros((48, 64), dtype=np.uint16)
    mask[20:40, 5:60] = ROAD
    mask[30:34, 10:20] = CAR
    mask[0, 63] = ROAD  # an isolated pixel
    return mask


@pytest.fixture
def segmented(dataset, tmp_path):
    """The dataset with segmentations, the first in a file."""
    dataset.default_mask_targets = {ROAD: "road", CAR: "car", 7: "sky"}
    dataset.save()
    path = tmp_path / "mask.png"
    Image.fromarray(array()).save(path)
    for number, sample in enumerate(dataset.limit(3)):
        sample["labels"] = (
            fo.Segmentation(mask=array(), tags=["t"])
            if number
            else fo.Segmentation(mask_path=str(path))
        )
        sample.save()
    return dataset


def by_class(editor, frame=0):
    return {editor_name(editor, shape): shape for shape in editor.shapes(frame)}


def send_segmentation(send, dataset):
    return send(field="labels", classes=field_facts(dataset, "labels").classes)


def test_pull__an_untouched_segmentation_stays_as_it_is(segmented, client, send):
    editor = Editor(client, send_segmentation(send, segmented))
    assert sorted(by_class(editor)) == ["car", "road"]
    before = documents(segmented)
    for _ in range(2):
        editor.save(editor.everything())
        editor.finish()
        assert pull(segmented, "round_1", client).counts == {}
        assert documents(segmented) == before


@pytest.mark.parametrize("number", [0, 1])
def test_pull__only_the_pixels_of_an_edited_class_change(segmented, client, send, number):
    editor = Editor(client, send_segmentation(send, segmented))
    before = documents(segmented)
    shapes = by_class(editor, number)
    rest = [shape for shape in editor.everything() if shape.id != shapes["car"].id]
    left, top, right, bottom = shapes["car"].points[-4:]
    moved = (*shapes["car"].points[:-4], left, top + 5, right, bottom + 5)
    editor.save([*rest, replace(shapes["car"], points=moved)])
    editor.finish()
    report = pull(segmented, "round_1", client)
    assert (report.counts, len(report.sample_ids)) == ({"moved": 1}, 1)
    expected = array()
    expected[30:34, 10:20] = 0
    expected[35:39, 10:20] = CAR
    sample = segmented.skip(number).first()
    assert np.array_equal(sample.labels.mask, expected)
    assert (sample.labels.mask_path, sample.labels.tags) == (None, ["t"] if number else [])
    editor.save(editor.everything())
    editor.finish()
    assert pull(segmented, "round_1", client).counts == {}
    undo_pull(segmented, "round_1")
    after = documents(segmented)
    assert [document.get("labels") for document in after] == [
        document.get("labels") for document in before
    ]


def test_pull__a_class_that_was_added_renamed_or_removed(segmented, client, send):
    editor = Editor(client, send_segmentation(send, segmented))
    before = [document.get("labels") for document in documents(segmented)]
    first, second = by_class(editor, 0), by_class(editor, 1)
    kept = [
        shape
        for shape in editor.everything()
        if shape.id not in {first["car"].id, second["road"].id}
    ]
    sky = editor.labels["sky"].id
    drawn = [
        editor.relabelled(first["car"], "sky"),
        Shape("mask", 1, sky, (0, 4, 0, 0, 1, 1)),
        Shape("mask", 1, sky, (0, 1, 3, 0, 3, 0)),
        Shape("polygon", 4, sky, (2.0, 2.0, 6.0, 2.0, 6.0, 5.0, 2.0, 5.0)),
    ]
    editor.save([*kept, *drawn])
    editor.finish()
    report = pull(segmented, "round_1", client)
    assert report.counts == {"relabelled": 1, "removed": 1, "added": 2}
    one, two = array(), array()
    one[one == CAR] = 7
    two[two == ROAD] = 0
    two[:2, :2] = two[0, 3] = 7
    masks = [sample.labels and sample.labels.mask for sample in segmented]
    assert np.array_equal(masks[0], one)
    assert np.array_equal(masks[1], two)
    assert np.argwhere(masks[4]).min(axis=0).tolist() == [2, 2]
    editor.save(editor.everything())
    editor.finish()
    assert pull(segmented, "round_1", client).counts == {}
    undo_pull(segmented, "round_1")
    assert [document.get("labels") for document in documents(segmented)] == before


def test_push__a_segmentation_of_another_size_or_of_colours_is_named(segmented, send):
    for mask in (np.ones((24, 32), np.uint8), np.ones((48, 64, 3), np.uint8)):
        segmented.first()["labels"] = None
        sample = segmented.last()
        sample["labels"] = fo.Segmentation(mask=mask)
        sample.save()
        with pytest.raises(MalformedLabel, match="segmentation"):
            send_segmentation(send, segmented)
    assert segmented.list_annotation_runs() == []


SCALARS = {"sunny": True, "people": -3, "blur": 0.1, "weather": "fog"}


@pytest.fixture
def described(dataset):
    """The dataset with a value of each type on every second sample."""
    for sample in dataset.match_tags("even"):
        for name, value in SCALARS.items():
            sample[name] = value
        sample.save()
    return dataset


@pytest.mark.parametrize(
    "edit",
    [
        ("sunny", "false", False),
        ("people", "12", 12),
        ("blur", "1e-07", 1e-7),
        ("weather", "", None),
    ],
)
def test_pull__a_scalar_keeps_its_type(described, client, send, edit):
    field, text, value = edit
    record = send(field=field)
    editor = Editor(client, record)
    before = documents(described)
    editor.save(editor.everything())
    editor.finish()
    assert pull(described, "round_1", client).counts == {}
    assert documents(described) == before
    first, *rest = editor.everything()
    names = {spec.id: spec.name for spec in record.tasks[0].labels[0].attributes}
    texts = {
        spec: text if names[spec] == "value" else old for spec, old in first.attributes.items()
    }
    editor.save([replace(first, attributes=texts), *rest[1:]])
    editor.finish()
    assert pull(described, "round_1", client).counts == {"attribute": 1, "removed": 1}
    now = described.values(field)
    assert (now[0], type(now[0])) == (value, type(value))
    assert now[2] is None
    undo_pull(described, "round_1")
    assert [document.get(field) for document in documents(described)] == [
        document.get(field) for document in before
    ]


def test_field_facts__what_fiftyone_keeps_is_not_for_annotators(dataset):
    for field in ("filepath", "id", "tags", "metadata", "created_at"):
        with pytest.raises(UnsupportedField):
            field_facts(dataset, field)


def boxed(number, left, top, right, bottom):
    """A mask that fills a box of pixels, its right and bottom included."""
    pixels = (right - left + 1) * (bottom - top + 1)
    return Shape("mask", 1, number, (0, pixels, left, top, right, bottom))


@pytest.fixture
def overlapped(segmented, client, send):
    """A round in which somebody drew sky over road and car, and left these as they were."""
    editor = Editor(client, send_segmentation(send, segmented))
    editor.save([*editor.everything(), boxed(editor.labels["sky"].id, 12, 22, 18, 32)])
    editor.finish()
    assert pull(segmented, "round_1", client).counts == {"added": 1}
    expected = array()
    expected[22:33, 12:19] = 7
    assert np.array_equal(second_mask(segmented), expected)
    return editor


def second_mask(dataset):
    return dataset.skip(1).first().labels.mask


def test_pull__a_mask_drawn_over_others_gives_them_back_when_it_goes(
    segmented, client, overlapped
):
    sky = by_class(overlapped, 1)["sky"].id
    overlapped.save([shape for shape in overlapped.everything() if shape.id != sky])
    overlapped.finish()
    assert pull(segmented, "round_1", client).counts == {"removed": 1}
    assert np.array_equal(second_mask(segmented), array())


def test_pull__an_edit_beside_an_overlap_leaves_the_overlap(segmented, client, overlapped):
    shapes = by_class(overlapped, 1)
    rest = [shape for shape in overlapped.everything() if shape.id != shapes["car"].id]
    more = boxed(shapes["car"].label_id, 40, 0, 44, 3)
    overlapped.save([*rest, shapes["car"], more])
    overlapped.finish()
    assert pull(segmented, "round_1", client).counts == {"moved": 1}
    expected = array()
    expected[22:33, 12:19] = 7
    expected[:4, 40:45] = CAR
    assert np.array_equal(second_mask(segmented), expected)


def test_pull__an_edit_in_fiftyone_stays_a_conflict_when_another_class_is_merged(
    segmented, client, send
):
    editor = Editor(client, send_segmentation(send, segmented))
    sample = segmented.skip(1).first()
    mine = array()
    mine[30:34, 10:12] = ROAD
    sample.labels.mask = mine
    sample.save()
    shapes = by_class(editor, 1)
    rest = [shape for shape in editor.everything() if shape.id != shapes["car"].id]
    sky = boxed(editor.labels["sky"].id, 0, 0, 3, 3)
    editor.save([*rest, boxed(shapes["car"].label_id, 50, 44, 52, 46), sky])
    editor.finish()
    assert pull(segmented, "round_1", client).counts == {"added": 1, "conflict": 1}
    mine[:4, :4] = 7
    assert np.array_equal(second_mask(segmented), mine)
    assert pull(segmented, "round_1", client).counts == {"conflict": 1}
    assert np.array_equal(second_mask(segmented), mine)


def test_pull__no_provenance_is_written_where_no_label_can_hold_it(segmented, client, send):
    editor = Editor(client, send_segmentation(send, segmented))
    before = [document.get("labels") for document in documents(segmented)]
    editor.save([*editor.everything(), boxed(editor.labels["sky"].id, 0, 0, 3, 3)])
    editor.finish()
    assert pull(segmented, "round_1", client, provenance=True).counts == {"added": 1}
    undo_pull(segmented, "round_1")
    assert [document.get("labels") for document in documents(segmented)] == before


def test_pull__a_tag_of_another_class_is_no_value(described, client, send):
    record = send(field="sunny")
    editor = Editor(client, record)
    task = record.tasks[0].id
    path = f"/api/tasks/{task}"
    night = {"name": "night", "type": "tag", "attributes": []}
    client._transport.send_json("PATCH", path, {"labels": [night]})
    (new,) = [label for label in client.task_labels(task) if label.name == "night"]
    before = documents(described)
    editor.save([*editor.everything(), Shape("tag", 1, new.id, ())])
    editor.finish()
    report = pull(described, "round_1", client)
    assert report.counts == {}
    assert "1 of type tag stay in CVAT only" in " ".join(report.problems)
    assert documents(described) == before


def test_pull__of_two_tags_of_a_value_the_last_counts(described, client, send):
    editor = Editor(client, send(field="people"))
    first, *rest = editor.everything()
    newer = replace(first, attributes=dict.fromkeys(first.attributes, "12"))
    editor.save([first, *rest, newer])
    editor.finish()
    assert pull(described, "round_1", client).counts == {"attribute": 1}
    assert described.first()["people"] == 12
