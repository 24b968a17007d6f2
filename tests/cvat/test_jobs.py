"""Jobs of a team: who has them, where they stand, and what kind they are."""

from __future__ import annotations

import pytest

from relabel.cvat import ImageFile, JobStage, JobState, JobType, LabelSpec, Shape, Yardstick
from tests.annotation.conftest import client
from tests.demo.cvat_server.client import png

__all__ = ["client"]

pytestmark = pytest.mark.cvat
EVERY = tuple(JobType)


@pytest.fixture
def make_task(client, tmp_path):
    """Makes tasks of five images, which are deleted after the test."""
    ids = []

    def make_task(yardstick=None, **options):
        images = []
        for number in range(5):
            path = tmp_path / f"{number}.png"
            path.write_bytes(png())
            images.append(ImageFile(path, path.name, path.stat().st_size))
        task_id = client.create_task("relabel test", [LabelSpec("cat")], **options)
        ids.append(task_id)
        client.upload_images(task_id, images, yardstick=yardstick)
        client.wait_until_read([task_id])
        return task_id

    yield make_task
    for task_id in ids:
        client.delete_task(task_id)


def spans(jobs):
    return [(job.start_frame, job.stop_frame) for job in jobs]


def test_set_job__a_new_stage_keeps_the_state_that_is_given(client, make_task, cvat_people):
    task_id = make_task()
    (job,) = client.jobs([task_id])
    person = client.find_users(cvat_people[:1])[cvat_people[0]]
    client.set_job(job.id, state=JobState.REJECTED, stage=JobStage.VALIDATION, assignee=person)
    (job,) = client.jobs([task_id])
    assert (job.state, job.stage, job.assignee) == ("rejected", "validation", cvat_people[0])
    client.set_job(job.id, state=JobState.COMPLETED)
    (job,) = client.jobs([task_id])
    assert (job.state, job.stage, job.assignee) == ("completed", "validation", cvat_people[0])
    client.set_job(job.id, state=JobState.NEW, assignee=None)
    (job,) = client.jobs([task_id])
    assert (job.state, job.assignee) == ("new", None)


def test_create_task__jobs_that_share_images(client, make_task):
    task_id = make_task(images_per_job=3, overlap=1)
    assert spans(client.jobs([task_id])) == [(0, 2), (2, 4)]


def test_create_task__replicas(client, make_task):
    task_id = make_task(images_per_job=3, replicas=2)
    parents = client.jobs([task_id])
    assert spans(parents) == [(0, 2), (3, 4)]
    replicas = client.jobs([task_id], types=(JobType.REPLICA,))
    first, second = (job.id for job in parents)
    assert [job.parent_id for job in replicas] == [first, first, second, second]


def test_upload_images__with_a_ground_truth_job(client, make_task):
    task_id = make_task(Yardstick(("1.png", "4.png")), images_per_job=3)
    assert client.frame_names(task_id) == [f"{number}.png" for number in range(5)]
    assert spans(client.jobs([task_id])) == [(0, 2), (3, 4)]
    assert len(client.jobs([task_id], types=(JobType.GROUND_TRUTH,))) == 1


def test_upload_images__with_honeypots(client, make_task):
    task_id = make_task(Yardstick(("1.png",), honeypots_per_job=1), images_per_job=2)
    names = client.frame_names(task_id)
    assert spans(client.jobs([task_id])) == [(0, 2), (3, 5)]
    assert sorted(names) == ["0.png", *["1.png"] * 3, "2.png", "3.png", "4.png"]
    (truth,) = client.jobs([task_id], types=(JobType.GROUND_TRUTH,))
    assert spans([truth]) == [(6, 6)]
    assert names[6] == "1.png"


def test_put_job_shapes__of_a_replica_is_not_in_the_task(client, make_task):
    task_id = make_task(replicas=2)
    (label,) = client.task_labels(task_id)
    replica, _ = client.jobs([task_id], types=(JobType.REPLICA,))
    box = Shape("rectangle", 0, label.id, (1.0, 2.0, 3.0, 4.0))
    (put,) = client.put_job_shapes(replica.id, [box])
    assert client.job_annotations(replica.id).shapes == (put,)
    assert client.task_annotations(task_id).shapes == ()
