"""Rounds whose images CVAT finds itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from demo.cvat_server import running_server
from relabel.annotation import (
    MediaReference,
    UnreadableMedia,
    list_rounds,
    load_round,
    make_plan,
    pull,
    push,
)
from relabel.cvat import CvatClient, CvatConfig, CvatDataRejected, JobState, MediaNotOnServer
from tests.annotation.sending.small_push import request_of, tasks_of, unique
from tests.cvat_fixtures import SHARE, is_real

pytestmark = pytest.mark.cvat

KEY, PHOTOS = unique("by_reference"), unique("photos")


@pytest.fixture(scope="module")
def server(request, tmp_path_factory):
    """A server, and the local folder that it mounts as its share."""
    if is_real():
        if SHARE not in os.environ:
            pytest.skip(f"needs the share of the server: set {SHARE} to its folder here")
        yield request.getfixturevalue("cvat_config"), Path(os.environ[SHARE])
        return
    folder = tmp_path_factory.mktemp("cvat")
    (folder / "share").mkdir()
    with running_server(folder) as server:
        yield CvatConfig(server.url, "lead", server.users["lead"]), folder / "share"


@pytest.fixture
def client(server):
    with CvatClient(server[0]) as client:
        yield client


@pytest.fixture
def share(server, tmp_path):
    """The images of the dataset on the share, in a folder of their own."""
    folder = server[1] / PHOTOS
    folder.mkdir()
    for path in tmp_path.glob("image-*.png"):
        shutil.copy(path, folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nothing_left(dataset, client):
    """Holds that a push that failed leaves nothing on either side."""
    yield
    assert tasks_of(client, KEY) == []
    dataset.reload()
    assert list_rounds(dataset) == []
    assert dataset.list_annotation_runs() == []


def plan_of(dataset, root, **options):
    media = MediaReference(str(root), PHOTOS, **options)
    request = replace(request_of(dataset, KEY, ()), media=media)
    return make_plan(dataset.sort_by("filepath", reverse=True), request)


def test_push__images_of_a_share_and_back(dataset, client, share, tmp_path):
    record = push(dataset, plan_of(dataset, tmp_path), client)
    names = [name for task in record.tasks for name in client.frame_names(task.id)]
    assert names == [f"{PHOTOS}/image-{number}.png" for number in (5, 4, 3, 2, 1, 0)]
    assert load_round(dataset, KEY).request.media == MediaReference(str(tmp_path), PHOTOS)
    for task in record.tasks:
        client.put_task_shapes(task.id, [])
        for job in task.jobs:
            client.set_job(job, state=JobState.COMPLETED)
    pull(dataset, KEY, client)
    assert dataset.count("ground_truth.detections") == 0
    for task in record.tasks:
        client.delete_task(task.id)


def test_push__the_wrong_root_fails_before_anything_is_made(
    dataset, client, share, tmp_path, nothing_left
):
    shutil.rmtree(share)
    with pytest.raises(MediaNotOnServer, match=rf"'{PHOTOS}/image-5\.png'.*root of the share"):
        push(dataset, plan_of(dataset, tmp_path), client)


def test_push__an_image_that_the_share_does_not_have(
    dataset, client, share, tmp_path, nothing_left
):
    (share / "image-1.png").unlink()
    with pytest.raises(CvatDataRejected, match=rf"{PHOTOS}/image-1\.png"):
        push(dataset, plan_of(dataset, tmp_path), client)


def test_push__an_image_that_is_another_one_there(dataset, client, share, tmp_path, nothing_left):
    """Labels would lie elsewhere; also in a later task than the first."""
    Image.new("RGB", (99, 48)).save(share / "image-0.png")
    with pytest.raises(CvatDataRejected, match=r"image-0\.png has \(99, 48\) pixels in CVAT"):
        push(dataset, plan_of(dataset, tmp_path), client)


def test_push__an_image_outside_the_root(dataset, client, tmp_path, nothing_left):
    with pytest.raises(UnreadableMedia, match="not in the folder that the server knows"):
        push(dataset, plan_of(dataset, tmp_path / "elsewhere"), client)


def test_push__an_unknown_cloud_storage(dataset, client, tmp_path, nothing_left):
    with pytest.raises(MediaNotOnServer, match="cloud storage 77"):
        push(dataset, plan_of(dataset, tmp_path, storage_id=77), client)
