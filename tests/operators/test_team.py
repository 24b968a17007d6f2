"""Jobs of a round, changed by operators."""

from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionError

from relabel.annotation import Request, RoundField, field_facts, make_plan, push
from tests.operators.app import execute, form, problems

pytestmark = pytest.mark.cvat


@pytest.fixture
def task_id(dataset, server, cvat_pair):
    schema = field_facts(dataset, "ground_truth").to_schema()
    fields = (RoundField("ground_truth", schema),)
    request = Request("fix_1", fields, images_per_job=3, reviewers=cvat_pair[1:])
    task_id = push(dataset, make_plan(dataset, request), server).tasks[0].id
    yield task_id
    server.delete_task(task_id)


def test_update_jobs__assigns_and_moves(dataset, server, task_id, cvat_pair):
    somebody = cvat_pair[0]
    assert problems(form("update_jobs", dataset)) == []
    ids = [job.id for job in server.jobs([task_id])]
    params = {"key": "fix_1", "jobs": ids, "assignee": somebody, "stage": "(as it is)"}
    result = execute("update_jobs", dataset, {**params, "state": "rejected"}).result
    assert result == {"key": "fix_1", "changed": ids, "jobs": 2}
    assert {(job.assignee, job.state) for job in server.jobs([task_id])} == {
        (somebody, "rejected")
    }
    execute("update_jobs", dataset, {"key": "fix_1", "jobs": ids[:1], "unassign": True})
    assert [job.assignee for job in server.jobs([task_id])] == [None, somebody]


def test_update_jobs__says_that_nothing_is_asked_for(dataset, server, task_id):
    with pytest.raises(ExecutionError, match="Nothing is to be changed"):
        execute("update_jobs", dataset, {"key": "fix_1", "jobs": [1], "state": "(as it is)"})


def test_send_to_review__without_jobs_takes_the_completed(dataset, server, task_id, cvat_pair):
    assert problems(form("send_to_review", dataset)) == []
    first, second = server.jobs([task_id])
    server.set_job(second.id, state="completed")
    result = execute("send_to_review", dataset, {"key": "fix_1"}).result
    assert result["changed"] == [second.id]
    assert [(job.stage, job.assignee) for job in server.jobs([task_id])] == [
        ("annotation", first.assignee),
        ("validation", cvat_pair[1]),
    ]


@pytest.mark.parametrize("operator", ["update_jobs", "send_to_review"])
def test_forms__without_a_round(dataset, server, operator):
    assert problems(form(operator, dataset)) != []
