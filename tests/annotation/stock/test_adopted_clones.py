"""A clone of a dataset goes on with the rounds of videos that were out."""

from __future__ import annotations

import fiftyone as fo
import pytest

from relabel.annotation import pull, rounds_status
from tests.annotation.stock.stock_rounds import Editor
from tests.videos import write_video

pytestmark = pytest.mark.cvat


@pytest.fixture
def dataset(tmp_path):
    """A video with an object on all frames but the first."""
    sample = fo.Sample(filepath=str(write_video(tmp_path / "film.mp4", 12, (64, 48))))
    for number in range(2, 13):
        label = fo.Detection(label="car", bounding_box=[0.1 / number, 1 / 3, 0.25, 0.3])
        sample.frames[number] = fo.Frame(gt=fo.Detections(detections=[label]))
    dataset = fo.Dataset()
    dataset.add_sample(sample, dynamic=True)
    yield dataset
    dataset.delete()


def frames(dataset):
    return list(dataset._frame_collection.find({}).sort("frame_number", 1))


def test_pull__a_clone_of_a_dataset_of_videos_with_a_round_of_some_frames(dataset, client, send):
    record = send(field="frames.gt", start_frame=3, stop_frame=11, frame_step=4)
    editor = Editor(client, [record.tasks[0].id])
    clone = dataset.clone()
    try:
        (status,) = rounds_status(clone, client)
        assert (status.key, status.images, status.labels) == ("round_1", 3, 3)
        before = frames(clone)
        (car,) = editor.shapes(1)
        editor.move(car, 8.0, 12.0, 40.0, 24.0)
        editor.finish()
        # Nobody knows whether it was edited before it was cloned, so that it is asked.
        assert pull(clone, "round_1", client).counts == {"conflict": 1}
        assert frames(clone) == before
        assert pull(dataset, "round_1", client).counts == {"moved": 1}
        changed = [
            new["frame_number"]
            for old, new in zip(before, frames(dataset), strict=True)
            if old["gt"] != new["gt"]
        ]
        assert changed == [7]
    finally:
        clone.delete()


def test_pull__a_clone_that_is_untouched_stays_to_the_last_byte(dataset, client, send):
    editor = Editor(client, [send(field="frames.gt").tasks[0].id])
    clone = dataset.clone()
    try:
        editor.finish()
        before = frames(clone)
        for _ in range(2):
            assert pull(clone, "round_1", client).counts == {}
            assert frames(clone) == before
            editor.finish()
    finally:
        clone.delete()
