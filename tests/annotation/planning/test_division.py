"""What a plan says of tasks, jobs and the yardstick is what CVAT makes of it."""

from __future__ import annotations

import pytest

from relabel.annotation import InvalidDivision, Request, RoundField
from relabel.annotation.planning.division import (
    check_division,
    choose_yardstick,
    jobs_of_task,
    task_sizes,
    yardstick_size,
)
from relabel.labels import LabelSchema

FIELD = RoundField("ground_truth", LabelSchema(("cat",)))


def request(**options):
    return Request("round_1", (FIELD,), **options)


def test_task_sizes__the_last_task_is_smaller():
    assert task_sizes(7, request(images_per_task=3)) == [3, 3, 1]
    assert task_sizes(7, request()) == [7]
    assert task_sizes(0, request()) == []


@pytest.mark.parametrize(
    ("images", "options", "jobs"),
    [
        (6, {}, 1),
        (7, {"images_per_job": 3}, 3),
        (7, {"images_per_job": 9}, 1),
        (5, {"images_per_job": 3, "overlap": 1}, 2),
        (6, {"images_per_job": 3, "overlap": 1}, 3),
        (6, {"images_per_job": 4, "overlap": 2}, 2),
        (5, {"images_per_job": 3, "consensus_replicas": 2}, 6),
        (5, {"images_per_job": 3, "validation": "ground_truth"}, 3),
        (8, {"images_per_job": 3, "validation": "honeypots", "validation_share": 0.25}, 3),
    ],
)
def test_jobs_of_task(images, options, jobs):
    assert jobs_of_task(images, request(**options)) == jobs


def test_choose_yardstick__the_same_for_the_same_seed():
    asked = request(validation="ground_truth", validation_share=0.25)
    chosen = choose_yardstick(20, asked, "seed")
    assert len(set(chosen)) == yardstick_size(20, asked) == 5
    assert chosen == sorted(chosen) == choose_yardstick(20, asked, "seed")
    assert chosen != choose_yardstick(20, asked, "another")


def test_yardstick_size__at_least_one_image():
    assert yardstick_size(3, request(validation="ground_truth")) == 1
    assert yardstick_size(3, request()) == 0


@pytest.mark.parametrize(
    "options",
    [
        {"overlap": 1},
        {"overlap": 2, "images_per_job": 3},
        {"overlap": -1, "images_per_job": 3},
        {"overlap": 1, "images_per_job": 2, "consensus_replicas": 2},
        {"validation": "honeypots", "consensus_replicas": 2},
        {"consensus_replicas": 1},
        {"consensus_replicas": 12},
        {"consensus_replicas": 2, "assignees": ("a",)},
        {"weights": (1,)},
        {"weights": (1, 0), "assignees": ("a", "b")},
        {"validation": "gt"},
        {"validation": "ground_truth", "validation_share": 0.0},
        {"validation": "honeypots", "validation_share": 1.0},
        {"validation": "honeypots", "honeypots_per_job": 2},
        {"validation": "honeypots", "images_per_task": 1},
    ],
)
def test_check_division__refuses_what_cvat_cannot(options):
    with pytest.raises(InvalidDivision):
        check_division(10, request(**options))


def test_check_division__takes_a_team():
    check_division(
        10,
        request(
            images_per_job=4,
            overlap=2,
            validation="ground_truth",
            assignees=("a", "b"),
            weights=(2, 1),
        ),
    )
