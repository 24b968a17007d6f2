"""A push sends all or nothing, and says why."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest
from PIL import ExifTags, Image

from relabel.annotation import (
    EmptySelection,
    InvalidRoundName,
    Request,
    RoundField,
    RoundNameTaken,
    UnreadableMedia,
    UnsupportedField,
    field_facts,
    list_rounds,
    make_plan,
    pull,
)
from relabel.annotation.planning.elsewhere import Elsewhere
from relabel.annotation.record.round import RoundState
from relabel.cvat import CvatDataRejected, CvatForbidden, JobState, UnknownAssignee
from relabel.labels import LabelSchema, boxes
from tests.annotation.sending.small_push import own_tasks

pytestmark = pytest.mark.cvat


def task_names(client):
    return [task["name"] for task in own_tasks(client)]


@pytest.fixture
def nothing_left(dataset, client):
    """Holds that a failed push leaves nothing on either side."""
    tasks = task_names(client)
    before = list(dataset._sample_collection.find())
    yield
    assert task_names(client) == tasks
    dataset.reload()
    assert dataset.list_annotation_runs() == []
    assert list_rounds(dataset) == []
    assert list(dataset._sample_collection.find()) == before
    for name in ("relabel_rounds", "relabel_frames"):
        assert foo.get_db_conn()[name].count_documents({"dataset_id": dataset._doc.id}) == 0


def test_push__frame_i_is_sample_i_and_coordinates_are_exact(dataset, client, send):
    awkward = [0.1, 1 / 3, 0.123456789012345, 0.3]
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = awkward
    sample.save()
    record = send(images_per_job=4)
    task = record.tasks[0]
    names = [
        frame["name"]
        for frame in client._transport.get(f"/api/tasks/{task.id}/data/meta")["frames"]
    ]
    paths = dataset.values("filepath")
    assert [name[7:] for name in names] == [Path(path).name for path in paths]
    shape = min(client.task_annotations(task.id).shapes, key=lambda shape: shape.id)
    x, y, width, height = awkward
    assert shape.points == (x * 64, y * 48, (x + width) * 64, (y + height) * 48)
    assert [job.frame_count for job in client.jobs([task.id])] == [4, 2]
    assert record.state is RoundState.OUT


def test_push__assigns_jobs_in_the_order_of_their_frames(dataset, client, send, cvat_pair):
    record = send(images_per_job=1, assignees=cvat_pair)
    jobs = client.jobs([record.tasks[0].id])
    assert [job.start_frame for job in jobs] == list(range(6))
    assert [job.assignee for job in jobs] == [*cvat_pair] * 3


def test_push__an_unknown_assignee(dataset, send, nothing_left):
    with pytest.raises(UnknownAssignee, match=re.escape("nobody.at.all")):
        send(assignees=("nobody.at.all",))


def test_push__a_missing_file(dataset, send, nothing_left):
    Path(dataset.skip(2).first().filepath).unlink()
    with pytest.raises(UnreadableMedia, match=r"image-2\.png is missing"):
        send()


def test_push__a_file_that_is_no_image(dataset, send, nothing_left):
    Path(dataset.skip(2).first().filepath).write_text("hello")
    with pytest.raises(UnreadableMedia, match=r"image-2\.png is no image"):
        send()


def test_push__an_image_that_only_the_server_finds_unreadable(
    dataset, send, nothing_left, monkeypatch
):
    module = sys.modules["relabel.annotation.sending.checking"]
    find_images = module.find_images

    def find_then_break(*arguments):
        for images in find_images(*arguments):
            images[2].file.path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
            yield images

    monkeypatch.setattr(module, "find_images", find_then_break)
    with pytest.raises(CvatDataRejected, match=r"CVAT could not read .*image-2\.png"):
        send()


def test_push__a_refusal_on_the_way(client, send, nothing_left, monkeypatch):
    def refuse(*_):
        raise CvatForbidden("CVAT does not let this user do that.")

    monkeypatch.setattr(client, "put_task_shapes", refuse)
    with pytest.raises(CvatForbidden):
        send()
    monkeypatch.undo()


def test_push__cancel_leaves_nothing_behind(client, send, nothing_left, monkeypatch):
    def cancel(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "put_task_shapes", cancel)
    with pytest.raises(KeyboardInterrupt):
        send()
    monkeypatch.undo()


def test_push__a_label_that_is_none(dataset, send, nothing_left):
    dataset._sample_collection.update_one(
        {"_id": dataset.first()._id},
        {"$set": {"ground_truth.detections.0.bounding_box": [0.1, float("nan"), 0.1, 0.1]}},
    )
    before = list(dataset._sample_collection.find())
    with pytest.raises(boxes.MalformedLabel, match="four finite numbers"):
        send()
    assert str(list(dataset._sample_collection.find())) == str(before)
    dataset._sample_collection.update_one(  # NaN is not equal to itself
        {"_id": dataset.first()._id},
        {"$set": {"ground_truth.detections.0.bounding_box": [0.125, 0.25, 0.25, 0.5]}},
    )


def say_it_after_the_pixels(path):
    """Moves what a PNG says of its camera behind its pixels, where some programs write it."""
    data = path.read_bytes()
    start, stop, end = data.index(b"eXIf") - 4, data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    path.write_bytes(data[:start] + data[stop:end] + data[start:stop] + data[end:])


@pytest.mark.parametrize(
    ("suffix", "change"), [(".jpg", None), (".png", None), (".png", say_it_after_the_pixels)]
)
def test_push__a_photo_that_its_camera_turned(dataset, client, send, suffix, change):
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    sample = dataset.first()
    path = Path(sample.filepath).with_name(f"turned{suffix}")
    Image.new("RGB", (48, 64)).save(path, exif=turned)  # shown as 64 wide and 48 high
    if change:
        change(path)
    sample.filepath = str(path)
    sample.save()
    (task,) = send(samples=dataset.limit(1)).tasks
    first, *_ = client.task_annotations(task.id).shapes
    assert first.points == (0.125 * 64, 0.25 * 48, 0.375 * 64, 0.75 * 48)


def test_make_plan__counts_what_would_be_sent(dataset):
    schema = LabelSchema(("cat", "dog"))
    plan = make_plan(
        dataset.limit(5), Request("r", (RoundField("ground_truth", schema),), images_per_job=2)
    )
    assert (plan.images, plan.labels, plan.jobs) == (5, 10, 3)
    assert plan.bytes == sum(
        Path(path).stat().st_size for path in dataset.limit(5).values("filepath")
    )
    assert str(plan).startswith("This sends 5 images (0.0 MB) with 10 labels as 1 task, 3 jobs.")


def test_make_plan__sends_whole_images_for_patches_and_filtered_labels(dataset):
    request = Request("r", (RoundField("ground_truth", LabelSchema(("cat", "dog"))),))
    cats = fo.ViewField("label") == "cat"
    for view in (
        dataset.to_patches("ground_truth").limit(3),
        dataset.limit(2).filter_labels("ground_truth", cats),
    ):
        plan = make_plan(view, request)
        assert plan.sample_ids == tuple(dataset.limit(2).values("id"))
        assert plan.labels == 4


def test_make_plan__leaves_out_what_is_out_until_it_is_pulled(dataset, client, send):
    record = send("first", dataset.limit(2))
    request = Request("second", (RoundField("ground_truth", LabelSchema(("cat", "dog"))),))
    plan = make_plan(dataset, request)
    assert plan.sample_ids == tuple(dataset.skip(2).values("id"))
    assert plan.elsewhere == {"first": Elsewhere(tuple(dataset.limit(2).values("id")), 4)}
    assert '2 of them are out in round "first" with 4 labels, and left out.' in str(plan)
    with pytest.raises(EmptySelection, match="'first'"):
        make_plan(dataset.limit(2), request)
    client.set_job(record.tasks[0].jobs[0], state=JobState.COMPLETED)
    pull(dataset, "first", client)
    assert make_plan(dataset, request).images == 6


def test_make_plan__what_cannot_be_sent(dataset, send):
    schema = LabelSchema(("cat", "dog"))
    dataset.add_sample_field("kind", fo.EmbeddedDocumentField, fo.Classification)
    send("taken", dataset.limit(1))
    for request, error, text in [
        (Request("taken", (RoundField("ground_truth", schema),)), RoundNameTaken, "taken"),
        (
            Request("no-identifier", (RoundField("ground_truth", schema),)),
            InvalidRoundName,
            "underscores",
        ),
        (
            Request("r", (RoundField("kind", schema),)),
            UnsupportedField,
            "a field of classification",
        ),
        (Request("r", (RoundField("filepath", schema),)), UnsupportedField, "no field of labels"),
        (Request("r", (RoundField("new field", schema),)), UnsupportedField, "new field"),
        (
            Request("r", (RoundField("ground_truth", LabelSchema(())),)),
            UnsupportedField,
            "no classes",
        ),
        (
            Request("r", (RoundField("ground_truth", LabelSchema(("cat",))),)),
            UnsupportedField,
            "dog",
        ),
    ]:
        with pytest.raises(error, match=text):
            make_plan(dataset, request)
    with pytest.raises(EmptySelection):
        make_plan(dataset.match_tags("none"), Request("r", (RoundField("ground_truth", schema),)))


def test_field_facts__offers_what_people_can_edit_and_nothing_internal(dataset):
    for index, sample in enumerate(dataset):
        label = sample.ground_truth.detections[0]
        label["iscrowd"] = index % 2
        label["truncated"] = bool(index % 2)
        label["note"] = "x"
        label["height_m"] = 1.5
        label["parts"] = ["a", 1]
        label["nested"] = {"a": 1}
        label["mistakenness"] = 0.5
        label["eval"] = "tp"
        sample.save()
    facts = field_facts(dataset, "ground_truth")
    assert {item.name: item.kind.value for item in facts.attributes} == {
        "height_m": "float",
        "iscrowd": "0/1",
        "note": "text",
        "parts": "list",
        "truncated": "bool",
    }
    assert facts.left_out == ("nested",)
    assert (facts.classes, facts.labels, facts.with_mask) == (("cat", "dog"), 12, 0)


def test_field_facts__choices_that_cvat_cannot_keep_are_text(dataset, send):
    choices = {"long": ["x" * 201, "y"], "spaced": [" x", "y"], "lines": ["x\ny"], "fine": ["x"]}
    for name, values in choices.items():
        for sample, value in zip(dataset, values, strict=False):
            sample.ground_truth.detections[0][name] = value
            sample.save()
    dataset.add_dynamic_sample_fields()
    attributes = field_facts(dataset, "ground_truth").attributes
    assert {item.name: item.kind.value for item in attributes} == {
        "long": "text",
        "spaced": "text",
        "lines": "text",
        "fine": "choice",
    }
    (spec, *_) = send().tasks[0].labels
    assert {item.name: item.values for item in spec.attributes}["fine"] == ("", "x")


def test_field_facts__the_annotation_schema_of_the_dataset_goes_first(dataset):
    sample = dataset.first()
    sample.ground_truth.detections[0]["side"] = "left"
    sample.ground_truth.detections[0]["note"] = "x"
    sample.ground_truth.detections[0]["secret"] = "y"
    sample.save()
    dataset.add_dynamic_sample_fields()
    dataset.set_label_schemas(dataset.generate_label_schemas())
    schemas = dataset.label_schemas
    schemas["ground_truth"]["classes"] = ["dog", "cat", "bird"]
    schemas["ground_truth"]["attributes"] = [
        {"name": "side", "type": "str", "component": "radio", "values": ["left", "right"]},
        {"name": "note", "type": "str", "component": "text"},
        {"name": "secret", "type": "str", "component": "text", "read_only": True},
    ]
    dataset.set_label_schemas(schemas)
    facts = field_facts(dataset, "ground_truth")
    assert facts.classes == ("dog", "cat", "bird")
    kinds = {item.name: (item.kind.value, item.choices) for item in facts.attributes}
    assert kinds == {"side": ("radio", ("left", "right")), "note": ("text", ())}
    assert facts.left_out == ("secret",)
