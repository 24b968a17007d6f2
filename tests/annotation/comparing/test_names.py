"""Names that CVAT would not keep: classes travel under others, the rest is said at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.annotation import (
    EVERYTHING,
    InvalidRoundName,
    RoundField,
    UnsupportedField,
    field_facts,
    pull,
)
from relabel.annotation.comparing.naming import class_names
from relabel.labels import LabelSchema
from tests.annotation.desk import Desk

LONG = "a very long name that nobody can read to its end in any list of classes"
NAMES = {" cat": "cat (2)", "cat": "cat", LONG: LONG[:64].rstrip(), "  ": "(blank)"}


def test_class_names__are_what_cvat_keeps():
    names = class_names([RoundField("f", LabelSchema((*NAMES, "(blank)")))])
    assert names == {"f": {**NAMES, "  ": "(blank) (2)", "(blank)": "(blank)"}}


def test_class_names__long_ones_that_begin_alike_are_told_apart():
    long = [f"{LONG} {number}" for number in range(12)]
    names = class_names([RoundField("f", LabelSchema(tuple(long)))])["f"]
    assert len(set(names.values())) == len(long)
    assert max(map(len, names.values())) <= 64


@pytest.mark.cvat
def test_pull__classes_come_back_under_their_own_names(dataset, client, send):
    classes = [[" cat", LONG], ["cat", "  "]] * 3
    dataset.set_values("ground_truth.detections.label", classes)
    before = [str(sample.ground_truth.to_dict()) for sample in dataset]
    record = send(classes=NAMES)
    assert {label.name for label in record.tasks[0].labels} == set(NAMES.values())
    desk = Desk(client, record)
    (job,) = desk.jobs()
    desk.draw(job, 0, "cat (2)")
    desk.finish(job)
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {"added": 1}
    after = [str(sample.ground_truth.to_dict()) for sample in dataset]
    assert after[1:] == before[1:]
    assert dataset.first().ground_truth.detections[2].label == " cat"


@pytest.mark.parametrize("name", [" note", "n" * 65])
def test_make_plan__an_attribute_whose_name_cvat_does_not_keep(dataset, client, send, name):
    dataset.set_values("ground_truth.detections.note", [["a", "b"]] * 6, dynamic=True)
    schema = field_facts(dataset, "ground_truth").to_schema()
    (note,) = schema.attributes
    schema = replace(schema, attributes=(replace(note, name=name),))
    with pytest.raises(UnsupportedField, match="Leave it out"):
        send(fields=(RoundField("ground_truth", schema),))
    assert dataset.list_annotation_runs() == []


def test_make_plan__a_round_whose_name_is_too_long_for_a_task(dataset, client, send):
    with pytest.raises(InvalidRoundName, match="240"):
        send("r" * 241)


@pytest.mark.cvat
def test_push__a_round_with_the_longest_name(dataset, client, send):
    record = send("r" * 240, images_per_task=3)
    assert [task.name for task in record.tasks] == ["r" * 240 + "_1", "r" * 240 + "_2"]
