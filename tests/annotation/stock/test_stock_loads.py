"""Rounds of ours of videos and of whole values, loaded by stock FiftyOne without this plugin."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    field_facts,
    make_plan,
    pull,
    push,
)
from tests.annotation.stock.stock_labels import masks
from tests.annotation.stock.stock_rounds import Editor, Stock, shape_of, stored
from tests.videos import write_video

pytestmark = pytest.mark.cvat

FRAMES = 12


@pytest.fixture
def film(tmp_path):
    """A video with an object that moves, one that is alone on each frame, and a value."""
    sample = fo.Sample(filepath=str(write_video(tmp_path / "film.mp4", FRAMES, (64, 48))))
    for number in range(1, FRAMES + 1):
        moving = fo.Detection(
            label="car", bounding_box=[0.03125 * (number % 4), 0.25, 0.25, 0.25], index=3
        )
        still = fo.Detection(label="bus", bounding_box=[0.5, 0.5, 0.25, 0.25])
        sample.frames[number] = fo.Frame(gt=fo.Detections(detections=[moving, still]))
    dataset = fo.Dataset()
    dataset.add_sample(sample, dynamic=True)
    yield dataset
    dataset.delete()


def sent(dataset, client, *names, **options):
    """Sends fields of a dataset."""
    fields = tuple(RoundField(name, field_facts(dataset, name).to_schema()) for name in names)
    return push(dataset, make_plan(dataset, Request("round_1", fields, **options)), client)


def frames_of(dataset):
    found = dataset._frame_collection.find({}).sort("frame_number", 1)
    return {item["frame_number"]: item["gt"]["detections"] for item in found}


def test_stock__loads_some_frames_of_a_video_onto_those_frames(film, client, cvat_config):
    stock = Stock(film, cvat_config)
    record = sent(film, client, "frames.gt", start_frame=3, stop_frame=11, frame_step=4)
    try:
        editor = Editor(client, [record.tasks[0].id])
        bus = editor.classes()["bus"].id
        (shape,) = [item for item in editor.shapes(1) if item.label_id == bus]
        editor.move(shape, 8.0, 12.0, 40.0, 24.0)
        before = frames_of(film)
        stock.run(["load_annotations", "round_1", {"unexpected": "ignore"}])
        after = frames_of(film)
        # The frames 3, 7 and 11 were sent.
        assert [number for number in before if before[number] != after[number]] == [7]
        for number in before:
            ids = [label["_id"] for label in before[number]]
            assert [label["_id"] for label in after[number]] == ids
        assert after[7][1]["bounding_box"] == pytest.approx([0.125, 0.25, 0.5, 0.25])
        editor.finish()
        film.reload()
        assert pull(film, "round_1", client).counts == {}
        assert stock.run(["get_status", "round_1", {}])["states"] == ["completed"]
        assert stock.run(["delete_annotation_run", "round_1", {}])["runs"] == []
    finally:
        client.delete_task(record.tasks[0].id)


def test_stock__loads_values_and_several_fields_of_whole_images(dataset, client, stock):
    painted = np.zeros((48, 64), np.uint8)
    painted[4:20, 8:40] = 1
    for number, sample in enumerate(dataset):
        sample["count"], sample["share"], sample["fine"] = number, number / 4, number % 2 == 0
        sample["note"] = f"text {number}"
        sample["masks"], sample["sky"] = masks(), fo.Segmentation(mask=painted)
        sample.save()
    dataset.mask_targets = {"sky": {1: "cloud"}}
    dataset.save()
    names = ("ground_truth", "masks", "sky", "count", "share", "fine", "note")
    record = sent(dataset, client, *names)
    try:
        editor = Editor(client, [record.tasks[0].id])
        tag = shape_of(editor, "count", 2)
        (spec,) = [spec for spec in editor.classes()["count"].attributes if spec.name == "value"]
        editor.patch("update", replace(tag, attributes={**tag.attributes, spec.id: "41"}))
        ids = [dataset.values(f"{name}.detections.id") for name in ("ground_truth", "masks")]
        segments = dataset.values("sky.id")
        stock.run(["load_annotations", "round_1", {"unexpected": "ignore"}])
        dataset.reload()
        assert dataset.values("count") == [0, 1, 41, 3, 4, 5]
        assert dataset.values("share") == [number / 4 for number in range(6)]
        assert dataset.values("fine") == [True, False] * 3
        assert dataset.values("note") == [f"text {number}" for number in range(6)]
        assert [dataset.values(f"{n}.detections.id") for n in ("ground_truth", "masks")] == ids
        assert dataset.values("sky.id") == segments
        for sample in dataset:
            assert np.count_nonzero((sample.sky.mask == 1) != painted) < 0.1 * painted.sum()
        editor.finish()
        before = stored(dataset)
        report = pull(dataset, "round_1", client)
        assert report.counts.get("attribute") is None
        assert [item["count"] for item in stored(dataset)] == [item["count"] for item in before]
    finally:
        client.delete_task(record.tasks[0].id)
