from __future__ import annotations

import pytest

from relabel.annotation import Request, RoundField, make_plan
from relabel.annotation.planning.effort import RATES, SECONDS_PER_IMAGE, describe_minutes
from relabel.labels import LabelSchema, ShapeType

BOXES = RoundField("ground_truth", LabelSchema(("cat", "dog")))
RECTANGLE = RATES[ShapeType.RECTANGLE]


def minutes(dataset, *fields, **options):
    return make_plan(dataset, Request("r", fields or (BOXES,), **options)).minutes


def test_minutes__labels_that_are_there_are_checked(dataset):
    expected = (6 * SECONDS_PER_IMAGE + 12 * RECTANGLE.check) / 60
    assert minutes(dataset) == pytest.approx(expected)


def test_minutes__a_new_field_gets_a_label_on_each_image(dataset):
    masks = RoundField("new", LabelSchema(("cat",), shape_type=ShapeType.MASK))
    expected = 6 * (SECONDS_PER_IMAGE + RATES[ShapeType.MASK].draw) / 60
    assert minutes(dataset, masks) == pytest.approx(expected)
    both = (6 * SECONDS_PER_IMAGE + 12 * RECTANGLE.check + 6 * RATES[ShapeType.MASK].draw) / 60
    assert minutes(dataset, BOXES, masks) == pytest.approx(both)


def test_minutes__rates_of_the_user(dataset):
    found = minutes(dataset, seconds_per_image=20.0, seconds_per_label=0.0)
    assert found == pytest.approx(6 * 20 / 60)


def test_minutes__who_does_the_same_takes_as_long(dataset):
    once = minutes(dataset)
    assert minutes(dataset, consensus_replicas=3) == pytest.approx(3 * once)
    share = {"validation": "ground_truth", "validation_share": 0.5}
    assert minutes(dataset, **share) == pytest.approx(1.5 * once)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "a minute"),
        (4.4, "4 min"),
        (23.0, "25 min"),
        (57.0, "55 min"),
        (58.0, "1 h"),
        (125.0, "2 h"),
        (150.0, "2.5 h"),
        (580.0, "9.5 h"),
        (60_000.0, "1,000 h"),
    ],
)
def test_describe_minutes__as_people_say_it(number, text):
    assert describe_minutes(number) == text


def test_plan__says_how_long_it_takes(dataset):
    plan = make_plan(dataset, Request("r", (BOXES,), seconds_per_image=1200.0))
    assert "Annotators need about 2 h." in str(plan)
