"""Jobs are given to people and moved between stages and states, from FiftyOne."""

from __future__ import annotations

import pytest

from relabel.annotation import (
    NOBODY,
    InvalidJobChange,
    JobChange,
    change_jobs,
    send_to_review,
)
from relabel.cvat import JobStage, JobState, JobType, UnknownAssignee

pytestmark = pytest.mark.cvat

EVERY = tuple(JobType)


@pytest.fixture
def jobs(client, send, cvat_team):
    """A round of three jobs; answers how they are now."""
    record = send(images_per_job=2, assignees=cvat_team[:2])

    def jobs(types=(JobType.ANNOTATION,)):
        return client.jobs([record.tasks[0].id], types=types)

    return jobs


def test_change_jobs__assigns_and_moves(dataset, client, jobs, cvat_team):
    first, second, _ = jobs()
    change = JobChange(cvat_team[2], JobStage.ACCEPTANCE, JobState.COMPLETED)
    assert change_jobs(dataset, "round_1", client, [first.id, second.id], change) == [
        first.id,
        second.id,
    ]
    now = [(job.assignee, job.stage, job.state) for job in jobs()]
    assert now[:2] == [(cvat_team[2], "acceptance", "completed")] * 2
    assert now[2] == (cvat_team[0], "annotation", "new")
    assert change_jobs(dataset, "round_1", client, [first.id], change) == []


def test_change_jobs__what_is_not_named_stays(dataset, client, jobs, cvat_team):
    first, *_ = jobs()
    client.set_job(first.id, state=JobState.REJECTED)
    change_jobs(dataset, "round_1", client, [first.id], JobChange(stage=JobStage.VALIDATION))
    job = jobs()[0]
    assert (job.assignee, job.stage, job.state) == (cvat_team[0], "validation", "rejected")
    change_jobs(dataset, "round_1", client, [first.id], JobChange(state=JobState.NEW))
    job = jobs()[0]
    assert (job.assignee, job.stage, job.state) == (cvat_team[0], "validation", "new")
    change_jobs(dataset, "round_1", client, [first.id], JobChange(assignee=NOBODY))
    job = jobs()[0]
    assert (job.assignee, job.stage, job.state) == (None, "validation", "new")


def test_change_jobs__an_unknown_person_changes_nothing(dataset, client, jobs):
    before = jobs()
    change = JobChange("nobody_of_that_name", state=JobState.COMPLETED)
    with pytest.raises(UnknownAssignee, match="nobody_of_that_name"):
        change_jobs(dataset, "round_1", client, [job.id for job in before], change)
    assert jobs() == before


def test_change_jobs__a_job_of_another_round_changes_nothing(dataset, client, jobs, send):
    other = send(key="round_2", include_out=True).tasks[0].jobs[0]
    before = jobs()
    with pytest.raises(InvalidJobChange, match=f"no job {other}"):
        change_jobs(
            dataset,
            "round_1",
            client,
            [before[0].id, other],
            JobChange(state=JobState.COMPLETED),
        )
    assert jobs() == before


def test_change_jobs__ground_truth_jobs_as_well(dataset, client, send, cvat_team):
    record = send(validation="ground_truth")
    (truth,) = client.jobs([record.tasks[0].id], types=(JobType.GROUND_TRUTH,))
    change_jobs(dataset, "round_1", client, [truth.id], JobChange(cvat_team[1]))
    (truth,) = client.jobs([record.tasks[0].id], types=(JobType.GROUND_TRUTH,))
    assert truth.assignee == cvat_team[1]


@pytest.mark.parametrize("params", [{}, {"stage": "review"}, {"state": "done"}])
def test_from_mapping__refuses_what_cvat_does_not_know(params):
    with pytest.raises(InvalidJobChange):
        JobChange.from_mapping(params)


def test_send_to_review__completed_jobs_to_reviewers_in_turn(dataset, client, send, cvat_team):
    record = send(images_per_job=1, assignees=cvat_team[:1], reviewers=cvat_team[1:])
    task_id = record.tasks[0].id
    for job in client.jobs([task_id])[:4]:
        client.set_job(job.id, state=JobState.COMPLETED)
    moved = send_to_review(dataset, "round_1", client)
    jobs = client.jobs([task_id])
    assert moved == [job.id for job in jobs[:4]]
    assert [job.assignee for job in jobs[:4]] == [*cvat_team[1:]] * 2
    assert {(job.stage, job.state) for job in jobs[:4]} == {("validation", "new")}
    assert {(job.stage, job.state) for job in jobs[4:]} == {("annotation", "new")}
    assert send_to_review(dataset, "round_1", client) == []


def test_send_to_review__nobody_reviews_what_he_drew(dataset, client, jobs, cvat_team):
    first, second, _ = jobs()
    asked = [first.id, second.id]
    send_to_review(dataset, "round_1", client, asked, reviewers=cvat_team[:2])
    one, other, _ = cvat_team
    assert [job.assignee for job in jobs()[:2]] == [other, one]


def test_send_to_review__needs_reviewers(dataset, client, jobs):
    with pytest.raises(InvalidJobChange, match="no reviewers"):
        send_to_review(dataset, "round_1", client, [jobs()[0].id])
