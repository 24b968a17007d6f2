"""CVAT's own client against the server: what it relies on holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cvat_sdk import Client, Config, models
from cvat_sdk.api_client.exceptions import ApiException, NotFoundException
from cvat_sdk.core.exceptions import BackgroundRequestException
from cvat_sdk.core.proxies.annotations import AnnotationUpdateAction
from cvat_sdk.core.proxies.tasks import ResourceType
from PIL import Image

from tests.videos import write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cvat_sdk.core.proxies.tasks import Task

pytestmark = pytest.mark.cvat

LABELS = [
    {
        "name": "cat",
        "type": "rectangle",
        "attributes": [
            {
                "name": "pose",
                "mutable": True,
                "input_type": "select",
                "default_value": "sitting",
                "values": ["sitting", "lying"],
            }
        ],
    },
    {"name": "dog"},
]
SIZE = (64, 48)
EXACT = [1.123456789012345, 2.5, 30.00001, 40.999999999]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{name}.png" for name in ("c", "a", "e", "b", "d")]
    for index, path in enumerate(paths):
        Image.new("RGB", SIZE, (50 * index, 80, 120)).save(path)
    return paths


@pytest.fixture(scope="module")
def client(cvat_url: str, cvat_admin: tuple[str, str]) -> Iterator[Client]:
    config = Config(status_check_period=0.05)
    with Client(cvat_url, config=config, check_server_version=False) as client:
        client.login(cvat_admin)
        yield client


@pytest.fixture
def task(client: Client, images: list[Path]) -> Iterator[Task]:
    """Five images in two jobs."""
    task = client.tasks.create_from_data(
        {"name": "sdk", "labels": LABELS, "segment_size": 3},
        images,
        resource_type=ResourceType.LOCAL,
        data_params={"image_quality": 70, "sorting_method": "predefined"},
    )
    yield task
    task.remove()


def _shapes(answer: Any) -> list[dict[str, Any]]:
    return [shape.to_dict() for shape in answer.shapes]


def _box(task: Task, frame: int, points: list[float], **more: Any) -> Any:
    label = next(label for label in task.get_labels() if label.name == "cat")
    return models.LabeledShapeRequest(
        type="rectangle", frame=frame, label_id=label.id, points=points, **more
    )


def test_client__says_the_version(client: Client):
    version = client.get_server_version()
    assert (version.major, version.minor) >= (2, 40)


def test_login__wrong_password_is_refused(cvat_url: str, cvat_admin: tuple[str, str]):
    with (
        Client(cvat_url, check_server_version=False) as client,
        pytest.raises(ApiException, match="Unable to log in"),
    ):
        client.login((cvat_admin[0], "not the password"))


def test_create_from_data__frames_in_the_order_given(task: Task, images: list[Path]):
    frames = task.get_frames_info()
    assert [frame.name for frame in frames] == [path.name for path in images]
    assert {(frame.width, frame.height) for frame in frames} == {SIZE}


def test_create_from_data__jobs_cut_by_segment_size(task: Task):
    ranges = sorted((job.start_frame, job.stop_frame) for job in task.get_jobs())
    assert ranges == [(0, 2), (3, 4)]
    assert [job.id for job in task.get_jobs()] == sorted(
        (job.id for job in task.get_jobs()), reverse=True
    )


def test_create_from_data__labels_and_attributes(task: Task):
    labels = {label.name: label for label in task.get_labels()}
    assert sorted(labels) == ["cat", "dog"]
    (pose,) = labels["cat"].attributes
    assert (pose.name, pose.input_type.value, list(pose["values"])) == (
        "pose",
        "select",
        ["sitting", "lying"],
    )


def test_create_from_data__unreadable_image_fails_late(client: Client, tmp_path: Path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    before = {task.id for task in client.tasks.list()}
    with pytest.raises(BackgroundRequestException, match="Error"):
        client.tasks.create_from_data(
            {"name": "sdk-broken", "labels": LABELS},
            [broken],
            data_params={"image_quality": 70},
        )
    for task in client.tasks.list():
        if task.id not in before and task.name == "sdk-broken":
            assert task.jobs.count == 0
            task.remove()


def test_get_frame__original_bytes(task: Task, images: list[Path]):
    assert task.get_frame(1, quality="original").read() == images[1].read_bytes()


def test_set_annotations__doubles_come_back_exactly(task: Task):
    task.set_annotations(models.LabeledDataRequest(shapes=[_box(task, 4, EXACT)]))
    (shape,) = _shapes(task.get_annotations())
    assert shape["points"] == EXACT
    assert shape["frame"] == 4
    assert [value["value"] for value in shape["attributes"]] == ["sitting"]


def test_set_annotations__new_ids_each_time(task: Task):
    sent = models.LabeledDataRequest(shapes=[_box(task, 0, EXACT)])
    task.set_annotations(sent)
    (first,) = _shapes(task.get_annotations())
    task.set_annotations(sent)
    (second,) = _shapes(task.get_annotations())
    assert first["id"] != second["id"]


def test_update_annotations__keeps_the_id(task: Task):
    task.set_annotations(models.LabeledDataRequest(shapes=[_box(task, 0, EXACT)]))
    (shape,) = _shapes(task.get_annotations())
    moved = _box(task, 0, [2.0, 2.0, 6.0, 6.0], id=shape["id"])
    task.update_annotations(
        models.PatchedLabeledDataRequest(shapes=[moved]), action=AnnotationUpdateAction.UPDATE
    )
    (after,) = _shapes(task.get_annotations())
    assert (after["id"], after["points"]) == (shape["id"], [2.0, 2.0, 6.0, 6.0])


def test_job__sees_only_its_frames(task: Task):
    boxes = [_box(task, frame, EXACT) for frame in range(5)]
    task.set_annotations(models.LabeledDataRequest(shapes=boxes))
    first = min(task.get_jobs(), key=lambda job: job.start_frame)
    assert {shape["frame"] for shape in _shapes(first.get_annotations())} == {0, 1, 2}


def test_job_update__stage_alone_resets_the_state(task: Task):
    job = task.get_jobs()[0]
    job.update({"state": "completed"})
    assert str(job.fetch().state) == "completed"
    job.update({"stage": "validation"})
    job.fetch()
    assert (str(job.stage), str(job.state)) == ("validation", "new")


def test_jobs_list__filter_expression(client: Client, task: Task):
    done = task.get_jobs()[0]
    done.update({"state": "completed"})
    expression = {
        "and": [{"in": [{"var": "task_id"}, [task.id]]}, {"==": [{"var": "state"}, "completed"]}]
    }
    page, _ = client.api_client.jobs_api.list(filter=json.dumps(expression))
    assert [job.id for job in page.results] == [done.id]


def test_remove__task_is_gone(client: Client, images: list[Path]):
    task = client.tasks.create_from_data(
        {"name": "sdk-gone", "labels": LABELS}, images[:1], data_params={"image_quality": 70}
    )
    job = task.get_jobs()[0]
    task.remove()
    with pytest.raises(NotFoundException):
        client.tasks.retrieve(task.id)
    with pytest.raises(NotFoundException):
        client.jobs.retrieve(job.id)


def test_project__its_labels_serve_its_tasks(client: Client, images: list[Path]):
    project = client.projects.create({"name": "sdk", "labels": LABELS})
    try:
        task = client.tasks.create_from_data(
            {"name": "sdk", "project_id": project.id},
            images[:2],
            data_params={"image_quality": 70},
        )
        assert [label.name for label in task.get_labels()] == ["cat", "dog"]
        assert [other.id for other in project.get_tasks()] == [task.id]
    finally:
        project.remove()
    with pytest.raises(NotFoundException):
        client.tasks.retrieve(task.id)


def test_video__frames_and_tracks_over_jobs(client: Client, tmp_path: Path):
    video = write_video(tmp_path / "film.mp4", frames=20, size=SIZE)
    task = client.tasks.create_from_data(
        {"name": "video", "labels": LABELS, "segment_size": 4, "overlap": 2},
        [video],
        resource_type=ResourceType.LOCAL,
        data_params={
            "image_quality": 70,
            "start_frame": 2,
            "stop_frame": 16,
            "frame_step": 2,
        },
    )
    try:
        assert (task.mode, task.size) == ("interpolation", 8)
        assert [(job.start_frame, job.stop_frame) for job in task.get_jobs()][::-1] == [
            (0, 3),
            (2, 5),
            (4, 7),
        ]
        with Image.open(task.get_frame(3, quality="original")) as image:
            brightness = image.convert("L").resize((1, 1)).getpixel((0, 0))
        assert brightness == pytest.approx(255 * 8 // 20, abs=4)  # file frame 2 + 3 * 2
        shapes = [
            models.TrackedShapeRequest(type="rectangle", frame=frame, points=[frame, 0, 20, 9])
            for frame in (0, 7)
        ]
        label = next(label for label in task.get_labels() if label.name == "cat")
        track = models.LabeledTrackRequest(frame=0, label_id=label.id, shapes=shapes)
        task.set_annotations(models.LabeledDataRequest(tracks=[track]))
        (stored,) = task.get_annotations().tracks
        assert [shape.frame for shape in stored.shapes] == [0, 2, 3, 4, 5, 7]
    finally:
        task.remove()
