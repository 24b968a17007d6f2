"""Attributes of every type over a real server: entered as their type wants, kept both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId, encode

from relabel.annotation import Request, RoundField, field_facts, make_plan, pull, push, undo_pull
from relabel.cvat import JobState, Shape
from relabel.labels import Attribute, AttributeKind, LabelSchema
from tests.annotation.comparing.test_kinds import Editor
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat

CORNER = (0.0, 0.0, 32.0, 24.0)

# What the labels have, how annotators enter it, a text that they enter, what comes of it.
TYPES = {
    "bool": ([True, False, None], "checkbox", "false", False),
    "binary": ([1, 0, None], "checkbox", "false", 0),
    "binary_one": ([1, 1, None], "checkbox", "false", 0),
    "digits": (["1", "0", None], "select", "0", "0"),
    "int": ([7, -3, None], "number", "-12", -12),
    "beyond_every_range": ([2**62, -(2**63), None], "number", "9007199254740993", 2**53 + 1),
    "float": ([0.1, 5e-324, None], "text", "0.30000000000000004", 0.1 + 0.2),
    "whole_floats": ([1.0, 0.0, None], "text", "0.0", 0.0),
    "infinite": ([float("inf"), float("-inf"), None], "text", "-0.0", -0.0),
    "text": (["p" * 201, "q"], "text", 'a "b", c;\nd \\ ü 😀', 'a "b", c;\nd \\ ü 😀'),
    "several_lines": (["one\ntwo", " blanks ", ""], "text", "three\n\nfour", "three\n\nfour"),
    "very_long": (["é" * 5000, "x", None], "text", "y" * 4096, "y" * 4096),
    "select": (["night", "day", "", None], "select", "day", "day"),
    "list_of_texts": ([["a", ""], [], None], "text", '["b, c", "\\"d\\""]', ["b, c", '"d"']),
    "list_of_all": ([[1, 2.5, True, "x"]], "text", '[0, 1.0, false, "0"]', [0, 1.0, False, "0"]),
    "long_list": ([list(range(2000)), [1]], "text", "[2, 3]", [2, 3]),
}


@pytest.fixture
def valued(dataset):
    """Gives the labels of a dataset values of an attribute, in turn; None is no value at all."""

    def valued(values):
        labels = []
        for number, sample in enumerate(dataset):
            for index, label in enumerate(sample.ground_truth.detections):
                value = values[(2 * number + index) % len(values)]
                if value is not None:
                    label["value"] = value
                labels.append(label)
            sample.save()
        dataset.add_dynamic_sample_fields()
        return labels

    return valued


def kept(dataset):
    return [encode({**document, "last_modified_at": None}) for document in stored(dataset)]


def labels_of(dataset, index=0):
    return stored(dataset)[index]["ground_truth"]["detections"]


def spec_of(editor, label="cat", name="value"):
    return next(item for item in editor.labels[label].attributes if item.name == name)


@pytest.mark.parametrize("name", list(TYPES))
def test_pull__an_attribute_keeps_its_type(dataset, client, send, valued, name):
    values, entered, text, expected = TYPES[name]
    valued(values)
    editor = Editor(client, send())
    before = kept(dataset)
    spec = spec_of(editor)
    assert spec.input_type == entered
    # Every shape of the second image is moved, and a value of the first one is edited.
    shapes = [
        replace(shape, points=CORNER) if shape.frame == 1 else shape
        for shape in editor.everything()
    ]
    edited = replace(shapes[0], attributes={**shapes[0].attributes, spec.id: text})
    editor.save([edited, *shapes[1:]])
    editor.finish()
    old = [labels_of(dataset, index) for index in (0, 1)]
    report = pull(dataset, "round_1", client)
    assert (report.counts, report.problems) == ({"moved": 2, "attribute": 1}, ())
    (first, second), moved = labels_of(dataset), labels_of(dataset, 1)
    assert encode({"": first["value"]}) == encode({"": expected}), "the type too"
    assert {**first, "value": 0} == {**old[0][0], "value": 0}
    assert encode(second) == encode(old[0][1])
    for label, was in zip(moved, old[1], strict=True):
        assert encode({**label, "bounding_box": 0}) == encode({**was, "bounding_box": 0})
    assert kept(dataset)[2:] == before[2:]
    undo_pull(dataset, "round_1")
    assert kept(dataset) == before


@pytest.mark.parametrize(
    "case",
    [
        ("binary", "maybe"),
        ("int", "1.5"),
        ("int", "many"),
        ("float", "far"),
        ("list_of_texts", "["),
    ],
)
def test_pull__a_text_that_is_no_value_stays_open(dataset, client, send, valued, case):
    name, text = case
    valued(TYPES[name][0])
    editor = Editor(client, send())
    before = kept(dataset)
    first, *others = editor.everything()
    attributes = {**first.attributes, spec_of(editor).id: text}
    editor.save([replace(first, attributes=attributes), *others])
    editor.finish()
    for _ in range(2):
        (problem,) = pull(dataset, "round_1", client).problems
        assert repr(text) in problem
        assert kept(dataset) == before


def test_pull__a_choice_of_radio_buttons(dataset, client, send, valued):
    """The annotation schema of a dataset says what is a radio button; its order is kept."""
    valued(["day", "night", None])
    choice = {
        "name": "value",
        "type": "str",
        "component": "radio",
        "values": ["night", "day", "?"],
    }
    schema = {"type": "detections", "component": "radio", "attributes": [choice]}
    dataset.set_label_schemas({"ground_truth": {**schema, "classes": ["dog", "cat"]}})
    editor = Editor(client, send())
    spec = spec_of(editor)
    assert (spec.input_type, spec.values) == ("radio", ("", "night", "day", "?"))
    first, second, *others = editor.everything()
    assert [first.attributes[spec.id], second.attributes[spec_of(editor, "dog").id]] == [
        "day",
        "night",
    ]
    attributes = {**first.attributes, spec.id: "?"}
    editor.save([replace(first, attributes=attributes), second, *others])
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"attribute": 1}
    assert [label["value"] for label in labels_of(dataset)] == ["?", "night"]
    assert "value" not in labels_of(dataset, 1)[0] or labels_of(dataset, 1)[0]["value"] is None


@pytest.fixture
def per_class(dataset, client):
    """A round in which cats alone have ``collar`` and dogs alone have ``breed``."""
    for sample in dataset:
        cat, dog = sample.ground_truth.detections
        cat["collar"], dog["breed"] = True, "collie"
        sample.save()
    dataset.add_dynamic_sample_fields()
    attributes = (
        Attribute("collar", AttributeKind.BOOL, classes=("cat",)),
        Attribute("breed", AttributeKind.TEXT, classes=("dog",)),
    )
    field = RoundField("ground_truth", LabelSchema(("cat", "dog"), attributes))
    record = push(dataset, make_plan(dataset, Request("round_1", (field,))), client)
    yield record
    client.delete_task(record.tasks[0].id)


def test_pull__attributes_of_some_classes_only(dataset, client, per_class):
    editor = Editor(client, per_class)
    names = {name: {item.name for item in spec.attributes} for name, spec in editor.labels.items()}
    assert names == {"cat": {"label_id", "collar"}, "dog": {"label_id", "breed"}}
    before = kept(dataset)
    cat, dog, other_cat, *others = editor.everything()
    ids = {name: spec_of(editor, label, name).id for label, name in
           (("cat", "collar"), ("dog", "breed"))}  # fmt: skip
    carrier = {name: spec_of(editor, name, "label_id").id for name in editor.labels}
    relabelled = replace(
        other_cat,
        label_id=editor.labels["dog"].id,
        attributes={
            carrier["dog"]: other_cat.attributes[carrier["cat"]],
            ids["breed"]: "pug",
        },
    )
    editor.save(
        [
            replace(cat, attributes={**cat.attributes, ids["collar"]: "false"}),
            replace(dog, attributes={**dog.attributes, ids["breed"]: "husky"}),
            relabelled,
            *others,
            Shape("rectangle", 2, editor.labels["dog"].id, CORNER, attributes={ids["breed"]: "x"}),
        ]
    )
    editor.finish()
    report = pull(dataset, "round_1", client)
    assert report.problems == ()
    assert report.counts == {"attribute": 3, "relabelled": 1, "added": 1}
    first, second = labels_of(dataset)
    assert (first["collar"], second["breed"]) == (False, "husky")
    changed = labels_of(dataset, 1)[0]
    assert (changed["label"], changed["breed"]) == ("dog", "pug")
    assert changed["collar"] is True, "what dogs do not have, nobody took away"
    new = labels_of(dataset, 2)[2]
    assert (new["label"], new["breed"], "collar" in new) == ("dog", "x", False)
    undo_pull(dataset, "round_1")
    assert kept(dataset) == before


UNKNOWN = {
    "nested": [[1, [2.5, "x"]], {"a": [None]}],
    "mapping": {"b": {"c": [1, 2]}, "d": None},
    "seen_at": datetime(2026, 2, 3, 4, 5, 6, 789000, UTC),
    "scalar": np.float32(0.1).item(),
    "array": np.array([[1, 2], [3, 4]]),
    "mixed_in": 3,
}


def test_pull__attributes_that_cannot_travel_stay_as_they_are(dataset, client, send):
    for number, sample in enumerate(dataset):
        for label in sample.ground_truth.detections:
            for name, value in UNKNOWN.items():
                label[name] = value
            label["mixed_in"] = number if number % 2 else str(number)
            label.confidence, label.index, label.tags = 0.25, number, ["a", "b"]
            label.instance = fo.Instance()
        sample.save()
    # FiftyOne's own objects do not take one, but other programs write it.
    dataset._sample_collection.update_many(
        {}, {"$set": {"ground_truth.detections.$[].reference": ObjectId()}}
    )
    facts = field_facts(dataset, "ground_truth")
    travelling = {attribute.name for attribute in facts.attributes}
    assert travelling == {"scalar"}
    assert set(facts.left_out) == {*UNKNOWN, "reference"} - travelling
    editor = Editor(client, send())
    before = kept(dataset)
    old = labels_of(dataset)
    editor.save(
        [
            replace(shape, points=CORNER) if shape.frame == 0 else shape
            for shape in editor.everything()
        ]
    )
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 2}
    for label, was in zip(labels_of(dataset), old, strict=True):
        assert encode({**label, "bounding_box": 0}) == encode({**was, "bounding_box": 0})
    assert kept(dataset)[1:] == before[1:]
    undo_pull(dataset, "round_1")
    assert kept(dataset) == before


def test_pull__completed_without_an_edit_an_attribute_nobody_has_stays_missing(
    dataset, client, send, valued
):
    """CVAT shows a default for what is missing; it comes back only if somebody chose it."""
    valued([True, None])
    editor = Editor(client, send())
    spec = spec_of(editor, "dog")
    before = kept(dataset)
    shapes = editor.everything()
    dog = next(shape for shape in shapes if shape.label_id == editor.labels["dog"].id)
    assert dog.attributes[spec.id] == "false"
    editor.save(shapes)
    for job in editor.task.jobs:
        client.set_job(job, state=JobState.COMPLETED)
    assert pull(dataset, "round_1", client).counts == {}
    assert kept(dataset) == before
