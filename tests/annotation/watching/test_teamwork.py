"""Rounds of a team: overlap, a yardstick, replicas, people, from the push to the pull."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.annotation import (
    EVERYTHING,
    InvalidDivision,
    Request,
    RoundField,
    field_facts,
    list_rounds,
    load_round,
    make_plan,
    pull,
    review_pull,
    rounds_status,
)
from relabel.cvat import JobStage, JobState, JobType
from tests.annotation.desk import Desk
from tests.annotation.sending.small_push import own_tasks
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat

EVERY = tuple(JobType)


@pytest.fixture
def desk(client, send):
    """A round, and somebody who works on its jobs."""

    def desk(**options):
        return Desk(client, send(**options))

    return desk


# Overlap


def test_overlap__unedited_changes_nothing(dataset, client, desk):
    work = desk(images_per_job=3, overlap=1)
    assert [(job.start_frame, job.stop_frame) for job in work.jobs()] == [(0, 2), (2, 4), (4, 5)]
    before = stored(dataset)
    work.finish(*work.jobs())
    report = pull(dataset, "round_1", client)
    assert (report.counts, report.problems, report.jobs) == ({}, (), 3)
    assert stored(dataset) == before
    assert load_round(dataset, "round_1").finished


def test_overlap__the_earlier_job_decides(dataset, client, desk):
    work = desk(images_per_job=3, overlap=1)
    first, second, third = work.jobs()
    work.move(first, work.shapes(first, frame=2)[0])
    work.draw(first, frame=2)
    work.draw(second, frame=2)
    work.draw(second, frame=3)
    work.finish(first, second, third)
    report = pull(dataset, "round_1", client)
    assert report.counts == {"moved": 1, "added": 2}
    counts = [len(sample.ground_truth.detections) for sample in dataset]
    assert counts == [2, 2, 3, 3, 2, 2], "no label comes twice"
    assert [problem for problem in report.problems if "1 image of" in problem]


def test_overlap__the_later_job_does_not_undo_the_earlier(dataset, client, desk):
    work = desk(images_per_job=3, overlap=1)
    first, second, third = work.jobs()
    work.move(first, work.shapes(first, frame=2)[0])
    work.finish(first)
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    after = stored(dataset)
    work.finish(second, third)
    report = pull(dataset, "round_1", client)
    assert report.counts == {}
    assert [problem for problem in report.problems if "The earlier job decides" in problem]
    assert stored(dataset) == after


def test_overlap__an_image_waits_for_the_earlier_job(dataset, client, desk):
    work = desk(images_per_job=3, overlap=1)
    first, second, _ = work.jobs()
    work.move(second, work.shapes(second, frame=2)[0])
    work.move(second, work.shapes(second, frame=3)[0])
    work.finish(second)
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    work.finish(first)
    assert pull(dataset, "round_1", client).counts == {}


def test_overlap__images_are_counted_once(dataset, client, desk):
    work = desk(images_per_job=3, overlap=1)
    work.finish(*work.jobs()[:2])
    (status,) = rounds_status(dataset, client)
    assert [job.images for job in status.jobs] == [3, 2, 1]
    assert (status.images, status.images_done) == (6, 5)


# A yardstick


def test_ground_truth__shows_how_many_images_it_has(dataset, client, desk):
    desk(images_per_job=4, validation="ground_truth", validation_share=0.3)
    (status,) = rounds_status(dataset, client)
    shown = sorted((job.type, job.images) for job in status.tasks[0].jobs)
    assert shown == [("annotation", 2), ("annotation", 4), ("ground_truth", 2)]
    assert status.images == 6


def test_ground_truth__is_not_pulled(dataset, client, desk):
    work = desk(images_per_job=4, validation="ground_truth", validation_share=0.3)
    (truth,) = work.jobs(JobType.GROUND_TRUTH)
    before = stored(dataset)
    frames = {shape.frame for shape in work.shapes(truth)}
    assert len(frames) == 2, "it starts with what FiftyOne has of its images"
    for shape in work.shapes(truth):
        work.move(truth, shape)
    work.draw(truth, min(frames))
    work.finish(*work.jobs(), truth)
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {}
    assert stored(dataset) == before


def test_honeypots__unedited_changes_nothing(dataset, client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    names = work.names()
    assert len(names) == 8, "4 images, 2 honeypots, 2 images of the pool"
    before = stored(dataset)
    work.finish(*work.jobs())
    report = pull(dataset, "round_1", client, EVERYTHING)
    assert (report.counts, report.problems) == ({}, ())
    assert stored(dataset) == before
    assert load_round(dataset, "round_1").finished


def test_honeypots__look_like_ordinary_images(client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    for job in (*work.jobs(), *work.jobs(JobType.GROUND_TRUTH)):
        frames = range(job.start_frame, job.stop_frame + 1)
        assert [len(work.shapes(job, frame)) for frame in frames] == [2] * len(frames)


def test_honeypots__each_image_is_found_wherever_it_is(dataset, client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    names = work.names()
    once = [frame for frame, name in enumerate(names) if names.count(name) == 1]
    by_stem = {sample.filename.removesuffix(".png"): sample.id for sample in dataset}
    moved = {}
    for job in work.jobs():
        for frame in set(once) & set(range(job.start_frame, job.stop_frame + 1)):
            by = 1.0 + frame
            work.move(job, work.shapes(job, frame)[0], by)
            stem = names[frame].split("_", 1)[1].removesuffix(".png")
            moved[by_stem[stem]] = by
    before = {sample.id: sample.ground_truth.detections[0].bounding_box for sample in dataset}
    work.finish(*work.jobs())
    report = pull(dataset, "round_1", client)
    assert report.counts == {"moved": 4}
    assert set(report.sample_ids) == set(moved)
    for sample in dataset:
        left = sample.ground_truth.detections[0].bounding_box[0]
        shift = moved.get(sample.id, 0.0) / 64
        assert left == pytest.approx(before[sample.id][0] + shift, abs=1e-9)


def test_honeypots__what_is_drawn_on_them_is_not_pulled(dataset, client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    before = stored(dataset)
    for job in work.jobs():
        (pot,) = set(work.task.honeypots) & set(range(job.start_frame, job.stop_frame + 1))
        work.draw(job, pot)
        for shape in work.shapes(job, pot):
            work.move(job, shape)
    (truth,) = work.jobs(JobType.GROUND_TRUTH)
    work.draw(truth, truth.start_frame)
    work.finish(*work.jobs(), truth)
    report = pull(dataset, "round_1", client, EVERYTHING)
    assert (report.counts, report.problems) == ({}, ())
    assert stored(dataset) == before


def test_honeypots__progress_counts_images_that_come_back(dataset, client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    work.finish(work.jobs()[0])
    (status,) = rounds_status(dataset, client)
    assert (status.images, status.images_done) == (4, 2)
    assert [job.images for job in status.tasks[0].jobs] == [2, 2, 2]
    assert sorted(job.type for job in status.tasks[0].jobs) == [
        "annotation",
        "annotation",
        "ground_truth",
    ]


def test_honeypots__images_of_the_pool_are_not_out(dataset, client, desk):
    work = desk(images_per_job=2, validation="honeypots", validation_share=0.3)
    plan = make_plan(dataset, replace(load_round(dataset, "round_1").request, key="round_2"))
    assert (plan.images, plan.out_elsewhere) == (2, {"round_1": 4})
    assert work.task.pool == 2


# Replicas


def test_replicas__each_begins_with_the_labels(client, desk):
    work = desk(images_per_job=3, consensus_replicas=2)
    replicas = work.jobs(JobType.REPLICA)
    assert [len(work.shapes(job)) for job in replicas] == [6, 6, 6, 6]


def test_replicas__only_what_cvat_merges_is_pulled(dataset, client, desk):
    work = desk(images_per_job=6, consensus_replicas=2)
    one, other = work.jobs(JobType.REPLICA)
    for job in (one, other):
        work.move(job, work.shapes(job, frame=0)[0], by=1.0)
    work.draw(one, frame=1, points=(50.0, 40.0, 60.0, 47.0))
    work.finish(one, other)
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {}
    merges = {"task_id": work.task.id}
    client._transport.send_json("POST", "/api/consensus/merges", merges)
    moved = {**EVERYTHING.__dict__, "samples": frozenset({dataset.first().id})}
    review = review_pull(dataset, "round_1", client, replace(EVERYTHING, **moved))
    assert review.counts == {"moved": 1}
    (job,) = work.jobs()
    assert job.state == JobState.COMPLETED
    assert pull(dataset, "round_1", client).counts["moved"] == 1


def test_replicas__figures_count_the_parents(dataset, client, desk):
    work = desk(images_per_job=3, consensus_replicas=2)
    work.finish(*work.jobs(JobType.REPLICA))
    (status,) = rounds_status(dataset, client)
    assert (status.images, status.images_done, len(status.jobs)) == (6, 0, 2)
    assert len(status.tasks[0].jobs) == 6


# People


def test_push__gives_tasks_and_jobs_in_the_order_given(client, send, cvat_team):
    one, two, three = cvat_team
    record = send(
        images_per_task=3,
        images_per_job=1,
        assignees=(two, one),
        weights=(2, 1),
        task_assignees=(three, one),
        validation="ground_truth",
        reviewers=(three, two),
    )
    jobs = client.jobs((task.id for task in record.tasks), types=EVERY)
    workers = [job.assignee for job in jobs if job.type == JobType.ANNOTATION]
    assert workers == [two, one, two] * 2
    reviewers = [job.assignee for job in jobs if job.type == JobType.GROUND_TRUTH]
    assert reviewers == [three, two]
    tasks = [client._transport.get(f"/api/tasks/{task.id}") for task in record.tasks]
    managers = [task["assignee"]["username"] for task in tasks]
    assert managers == [three, one]
    assert all(job.stage == JobStage.ANNOTATION for job in jobs)


@pytest.mark.parametrize("option", ["assignees", "task_assignees", "reviewers"])
def test_push__an_unknown_person_is_an_error_before_anything_is_sent(
    dataset, client, send, option
):
    tasks = len(own_tasks(client))
    with pytest.raises(Exception, match="nobody_of_that_name"):
        send(**{option: ("nobody_of_that_name",)})
    assert len(own_tasks(client)) == tasks
    assert list_rounds(dataset) == []


# The plan


def test_plan__counts_the_jobs_that_cvat_makes(dataset, client, send):
    options = {"images_per_job": 2, "validation": "honeypots", "validation_share": 0.3}
    facts = field_facts(dataset, "ground_truth")
    request = Request("round_1", (RoundField("ground_truth", facts.to_schema()),), **options)
    plan = make_plan(dataset, request)
    assert (plan.jobs, plan.yardstick) == (3, 2)
    assert "2 of them are the yardstick" in str(plan)
    record = send(**options)
    assert len(client.jobs([record.tasks[0].id], types=EVERY)) == plan.jobs


def test_plan__refuses_what_cannot_be_divided(dataset):
    schema = field_facts(dataset, "ground_truth").to_schema()
    with pytest.raises(InvalidDivision, match="share 5 images"):
        make_plan(dataset, Request("round_1", (RoundField("ground_truth", schema),), overlap=5))
