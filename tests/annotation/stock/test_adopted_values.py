"""New values and lists of values that stock FiftyOne sent; fields that hold one label."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import pytest

from relabel.annotation import ConflictPolicy, pull, undo_pull
from relabel.annotation.stock.new_values import class_of
from relabel.cvat import Shape
from tests.annotation.stock.stock_rounds import Editor, shape_of, stored

pytestmark = pytest.mark.cvat


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("3", "-4"), "IntField"),
        (("3", "4.5"), "FloatField"),
        (("true", "False"), "BooleanField"),
        (("3", "true"), "StringField"),
        (("sunny",), "StringField"),
        ((), "StringField"),
    ],
)
def test_class_of(texts, expected):
    assert class_of(texts) == expected


@pytest.mark.parametrize("entered", [("7", 7), ("0.25", 0.25), ("true", True), ("wet", "wet")])
def test_pull__a_new_value_gets_the_type_of_what_was_entered(dataset, client, stock, entered):
    text, value = entered
    options = {"label_schema": {"fresh": {"type": "scalar"}}}
    editor = Editor(client, stock.annotate(**options))
    fresh = editor.classes()["fresh"]
    tag = Shape("tag", 2, fresh.id, (), attributes={fresh.attributes[0].id: text})
    editor.patch("create", tag)
    editor.finish()
    before = stored(dataset)
    assert pull(dataset, "stock_1", client).counts == {"added": 1}
    assert dataset.values("fresh") == [None, None, value, None, None, None]
    assert type(dataset.values("fresh")[2]) is type(value)
    undo_pull(dataset, "stock_1")
    for old, new in zip(before, stored(dataset), strict=True):
        assert {**new, "last_modified_at": 0} == {**old, "last_modified_at": 0}


def test_pull__a_new_value_of_a_field_that_was_declared_meanwhile(dataset, client, stock):
    editor = Editor(client, stock.annotate(label_schema={"fresh": {"type": "scalar"}}))
    dataset.add_sample_field("fresh", fo.StringField)
    fresh = editor.classes()["fresh"]
    editor.patch("create", Shape("tag", 2, fresh.id, (), attributes={fresh.attributes[0].id: "7"}))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"added": 1}
    assert dataset.values("fresh")[2] == "7"


@pytest.fixture
def listed(dataset, client, stock):
    """Numbers of which stock was given a list; one is not in it."""
    dataset.set_values("count", [1, 2, 3, 1, 2, 9])
    options = {"label_field": "count", "classes": ["1", "2", "3"]}
    return Editor(client, stock.annotate(**options))


def test_pull__values_of_a_list(dataset, client, listed):
    listed.finish()
    before = stored(dataset)
    assert pull(dataset, "stock_1", client).counts == {}
    assert stored(dataset) == before
    tag, classes = shape_of(listed, "1"), listed.classes()
    listed.patch("delete", tag)
    listed.patch("create", replace(tag, id=None, label_id=classes["3"].id))
    listed.patch("delete", shape_of(listed, "2", 1))
    listed.finish()
    assert pull(dataset, "stock_1", client).counts == {"relabelled": 1, "removed": 1}
    assert dataset.values("count") == [3, None, 3, 1, 2, 9]
    undo_pull(dataset, "stock_1")
    assert dataset.values("count") == [1, 2, 3, 1, 2, 9]


def test_pull__a_value_that_was_set_on_both_sides_is_a_conflict(dataset, client, stock):
    dataset.set_values("count", [None, 2, 3, 4, 5, 6])
    editor = Editor(client, stock.annotate(label_field="count"))
    count = editor.classes()["count"]
    tag = Shape("tag", 0, count.id, (), attributes={count.attributes[0].id: "7"})
    editor.patch("create", tag)
    editor.finish()
    sample = dataset.first()
    sample["count"] = 1
    sample.save()
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
        assert dataset.first().count == 1
    report = pull(dataset, "stock_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert (report.counts, dataset.first().count) == ({"added": 1}, 7)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}


def test_pull__a_field_that_holds_one_label_keeps_it_and_says_what_stays_in_cvat(
    dataset, client, send
):
    for sample in dataset:
        sample["best"] = fo.Detection(label="cat", bounding_box=[0.25, 0.25, 0.25, 0.25])
        sample.save()
    record = send(field="best")
    editor = Editor(client, [record.tasks[0].id])
    (box,) = editor.shapes(0)
    editor.patch("create", replace(box, id=None, attributes={}, points=(0.0, 0.0, 8.0, 8.0)))
    (other,) = editor.shapes(1)
    editor.patch("delete", other)
    editor.patch("create", replace(other, id=None, attributes={}, points=(0.0, 0.0, 32.0, 24.0)))
    editor.finish()
    ids = dataset.values("best.id")
    report = pull(dataset, "round_1", client)
    assert report.counts == {"moved": 1}
    assert any("1 labels were drawn beside another" in problem for problem in report.problems)
    assert dataset.values("best.id") == ids
    boxes = dataset.values("best.bounding_box")
    assert boxes[:2] == [[0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.5, 0.5]]
