"""What the send form asks about the team, and what becomes of the answers."""

from __future__ import annotations

import pytest

from relabel.annotation import list_rounds
from tests.operators.app import execute, form, problems, texts

pytestmark = pytest.mark.cvat


@pytest.mark.parametrize(
    ("answers", "asked", "not_asked"),
    [
        ({}, "images_per_job", "project"),
        ({"more": True}, "reviewers", "extend_project"),
        ({"more": True, "project": "digits"}, "extend_project", "validation_share"),
        ({"more": True, "validation": "ground_truth"}, "validation_share", "honeypots_per_job"),
        ({"more": True, "validation": "honeypots"}, "honeypots_per_job", "extend_project"),
    ],
)
def test_form__asks_what_the_answers_call_for(dataset, server, answers, asked, not_asked):
    fields = form("send_to_cvat", dataset, {"what": "dataset", **answers})
    assert asked in fields
    assert not_asked not in fields


def test_form__says_what_cannot_be_before_the_click(dataset, server):
    shares = {"what": "dataset", "assignees": ["ann.a"], "weights": ["two"]}
    assert "whole numbers" in problems(form("send_to_cvat", dataset, shares))[0]
    overlap = {"what": "dataset", "images_per_job": 2, "overlap": 2}
    assert problems(form("send_to_cvat", dataset, overlap))


def test_send__reads_every_answer(dataset, server, cvat_team):
    first, second, third = cvat_team
    params = {
        "what": "dataset",
        "key": "team",
        "images_per_job": 2,
        "assignees": [first, second],
        "weights": ["2", "1"],
        "task_assignees": [third],
        "reviewers": [third],
        "project": " send_team ",
        "validation": "ground_truth",
        "validation_share": 0.5,
    }
    assert problems(form("send_to_cvat", dataset, params)) == []
    assert "6 images" in texts(form("send_to_cvat", dataset, params))
    execute("send_to_cvat", dataset, params)
    (record,) = list_rounds(dataset)
    server.delete_task(record.tasks[0].id)
    assert server.projects.delete_if_empty(server.projects.find("send_team"))
    request = record.request
    assert (request.images_per_job, request.assignees) == (2, (first, second))
    assert (request.weights, request.project) == ((2, 1), "send_team")
    assert (request.task_assignees, request.reviewers) == ((third,), (third,))
    assert (request.validation, request.validation_share) == ("ground_truth", 0.5)
