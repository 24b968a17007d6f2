"""What the send form asks about images, and about labels to start from."""

from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import pytest

from relabel.annotation import list_rounds
from tests.operators.app import execute, form, problems
from tests.videos import write_video

pytestmark = pytest.mark.cvat


@pytest.fixture
def video_dataset(tmp_path):
    """A video of ten frames with a label on each."""
    sample = fo.Sample(filepath=str(write_video(tmp_path / "film.mp4", 10, (64, 48))))
    for number in range(1, 11):
        car = fo.Detection(label="car", bounding_box=[0.1, 0.1, 0.3, 0.3])
        sample.frames[number] = fo.Frame(gt=fo.Detections(detections=[car]))
    dataset = fo.Dataset()
    dataset.add_sample(sample, dynamic=True)
    dataset.compute_metadata()
    yield dataset
    dataset.delete()


def asked(dataset, **params):
    return form("send_to_cvat", dataset, {"what": "dataset", "more": True, **params})


def test_form__asks_for_the_field_of_images_if_there_are_several(dataset, server):
    assert "media_field" not in asked(dataset)
    dataset.add_sample_field("thumbnail", fo.StringField)
    dataset.set_values("thumbnail", dataset.values("filepath"))
    dataset.app_config.media_fields = ["filepath", "thumbnail"]
    dataset.save()
    assert asked(dataset)["media_field"]["default"] == "filepath"


def test_form__asks_where_a_share_or_a_storage_is(dataset, server):
    assert "media_root" not in asked(dataset)
    assert "local folder" in problems(asked(dataset, media="share"))[0]
    root = str(Path(dataset.first().filepath).parent)
    assert problems(asked(dataset, media="share", media_root=root)) == []
    assert "storage_id" in asked(dataset, media="storage", media_root=root)
    assert "cloud storage" in problems(asked(dataset, media="storage", media_root=root))[0]


def test_send__starts_a_new_field_from_predictions(dataset, server):
    dataset.rename_sample_field("ground_truth", "predictions")
    params = {
        "what": "dataset",
        "key": "r",
        "label_field": "(new field)",
        "new_field": "ground_truth",
        "start_from": "predictions",
    }
    assert "predictions" in [
        choice["value"] for choice in asked(dataset, **params)["start_from"]["view"]["choices"]
    ]
    assert execute("send_to_cvat", dataset, params).result["images"] == 6
    (record,) = list_rounds(dataset)
    shapes = server.task_annotations(record.tasks[0].id).shapes
    server.delete_task(record.tasks[0].id)
    assert (record.fields[0].name, record.fields[0].start_from) == ("ground_truth", "predictions")
    assert record.fields[0].schema.classes == ("cat", "dog")
    assert len(shapes) == 12


def test_form__asks_which_frames_of_videos_are_sent(server, video_dataset):
    fields = asked(video_dataset, start_frame=3)
    assert problems(fields) == []
    assert {"start_frame", "stop_frame", "frame_step"} <= fields.keys()
    assert not {"media", "images_per_task", "validation"} & fields.keys()
    assert "start_frame" not in form("send_to_cvat", video_dataset, {"what": "dataset"})
