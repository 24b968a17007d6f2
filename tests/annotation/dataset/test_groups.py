"""Rounds of samples in groups, and of other media fields than the file path."""

from __future__ import annotations

import fiftyone as fo
import pytest
from PIL import Image

from relabel.annotation import (
    Request,
    RoundField,
    UnsupportedField,
    UnsupportedMedia,
    field_facts,
    make_plan,
    pull,
    review_pull,
)
from relabel.cvat import JobState
from relabel.labels import LabelSchema

pytestmark = pytest.mark.cvat

SIZES = {"left": (64, 48), "right": (80, 40)}


@pytest.fixture
def dataset(tmp_path):
    """Three groups of two images and a point cloud; each image has a box and a smaller copy."""
    dataset = fo.Dataset()
    dataset.add_group_field("group", default="left")
    samples = []
    for number in range(3):
        group = fo.Group()
        for name, size in SIZES.items():
            path, small = tmp_path / f"{name}-{number}.png", tmp_path / f"s-{name}-{number}.png"
            Image.new("RGB", size).save(path)
            Image.new("RGB", (size[0] // 2, size[1] // 2)).save(small)
            box = fo.Detection(label="cat", bounding_box=[0.25, 0.5, 0.25, 0.125 * (number + 1)])
            samples.append(
                fo.Sample(
                    filepath=str(path),
                    small=str(small),
                    group=group.element(name),
                    ground_truth=fo.Detections(detections=[box]),
                )
            )
        cloud = tmp_path / f"{number}.pcd"
        cloud.write_text("")
        samples.append(fo.Sample(filepath=str(cloud), group=group.element("lidar")))
    dataset.add_samples(samples)
    dataset.app_config.media_fields = ["filepath", "small"]
    dataset.save()
    yield dataset
    dataset.delete()


def plan_of(dataset, **options):
    field = RoundField("ground_truth", LabelSchema(("cat",)))
    return make_plan(dataset, Request("r", (field,), **options))


def slices_of(dataset, sample_ids):
    flat = dataset.select_group_slices(["left", "right"])
    return [flat[sample_id].group.name for sample_id in sample_ids]


def shapes_of(client, record):
    return client.task_annotations(record.tasks[0].id).shapes


def test_make_plan__takes_the_slices_that_are_asked_for(dataset):
    assert slices_of(dataset, plan_of(dataset).sample_ids) == ["left"] * 3
    right = plan_of(dataset, group_slices=("right",))
    assert slices_of(dataset, right.sample_ids) == ["right"] * 3
    both = plan_of(dataset, group_slices=("left", "right"))
    assert sorted(slices_of(dataset, both.sample_ids)) == ["left"] * 3 + ["right"] * 3
    assert (both.images, both.labels) == (6, 6)
    assert plan_of(dataset.limit(1), group_slices=("left", "right")).images == 2
    dataset.group_slice = "right"
    assert slices_of(dataset, plan_of(dataset).sample_ids) == ["right"] * 3


def test_field_facts__looks_at_every_slice(dataset):
    flat = dataset.select_group_slices(["left", "right"])
    right = flat.match({"group.name": "right"}).first()
    box = fo.Detection(label="dog", bounding_box=[0, 0, 1, 1], mood="calm")
    right["ground_truth"].detections.append(box)
    right.save()
    dataset.add_dynamic_sample_fields()
    facts = field_facts(dataset, "ground_truth")
    assert (facts.classes, facts.labels) == (("cat", "dog"), 7)
    assert [attribute.name for attribute in facts.attributes] == ["mood"]


def test_make_plan__says_which_slices_can_be_sent(dataset):
    for name, text in [("lidar", "holds point-clouds"), ("top", "does not exist")]:
        with pytest.raises(UnsupportedMedia, match=rf"{text}.*left, right"):
            plan_of(dataset, group_slices=(name,))


def test_round_trip__two_slices_in_one_task(dataset, client, send):
    record = send(group_slices=("left", "right"))
    (task,) = record.tasks
    frames = client._transport.get(f"/api/tasks/{task.id}/data/meta")["frames"]
    sizes = [(frame["width"], frame["height"]) for frame in frames]
    assert sorted(sizes) == sorted([*SIZES.values()] * 3)
    for shape in shapes_of(client, record):
        width, height = sizes[shape.frame]
        assert shape.points[:2] == (0.25 * width, 0.5 * height)
    (first, *_) = shapes_of(client, record)
    moved = first.to_json() | {"id": first.id, "points": [0, 0, *first.points[2:]]}
    body = {"version": 0, "tags": [], "tracks": [], "shapes": [moved]}
    path = f"/api/tasks/{task.id}/annotations"
    client._transport.send_json("PATCH", path, body, {"action": "update"})
    for job in task.jobs:
        client.set_job(job, state=JobState.COMPLETED)
    assert review_pull(dataset, record.key, client).counts == {"moved": 1}
    pull(dataset, record.key, client)
    flat = dataset.select_group_slices(["left", "right"])
    boxes = [box for boxes in flat.values("ground_truth.detections.bounding_box") for box in boxes]
    assert sum(box[:2] == [0, 0] for box in boxes) == 1
    assert sum(box[:2] == [0.25, 0.5] for box in boxes) == 5
    assert len(dataset.load_annotation_view(record.key)) == 6


def test_push__another_media_field_with_images_of_another_size(dataset, client, send):
    record = send(media_field="small")
    names = client.frame_names(record.tasks[0].id)
    assert [name[7:] for name in names] == [f"s-left-{number}.png" for number in range(3)]
    for shape in shapes_of(client, record):
        assert shape.points[:2] == (0.25 * 32, 0.5 * 24)


def test_make_plan__a_field_that_names_no_media(dataset):
    with pytest.raises(UnsupportedField, match="filepath, small"):
        plan_of(dataset, media_field="note")
