"""The record of a round of many tasks, each with many classes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from bson import ObjectId, encode

from relabel.annotation import RoundBusy, on_behalf_of
from relabel.annotation.record import lease, rounds
from relabel.annotation.record.round import Round, RoundState, SentTask, read_round
from relabel.annotation.record.rounds import save_round, save_task
from relabel.cvat import AttributeSpec, InputType, LabelSpec

TASKS, CLASSES, LARGEST = 80, 1_203, 16_000_000


def task_of(number, classes):
    """A task whose classes have the ids that a server gives them."""
    first = 10_000 * number
    return SentTask(
        id=number,
        name=f"task {number}",
        images=100,
        jobs=(number,),
        labels=tuple(
            LabelSpec(
                name=f"class {index}",
                type="rectangle",
                id=first + index,
                attributes=(
                    AttributeSpec("label_id", InputType.TEXT, ("",), "", first + index),
                    AttributeSpec("iscrowd", InputType.CHECKBOX, ("false",), "false", index),
                ),
            )
            for index in range(classes)
        ),
    )


def round_of(tasks):
    return Round(
        id=ObjectId(),
        key="many",
        dataset_id=ObjectId(),
        url="http://127.0.0.1",
        fields=(),
        state=RoundState.OUT,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        tasks=tasks,
    )


def stored(record):
    document = rounds._rounds().find_one({"_id": record.id})
    return document, read_round(document, record.key)


def test_save_round__keeps_many_tasks_of_many_classes():
    record = round_of(tuple(task_of(number, CLASSES) for number in range(TASKS)))
    save_round(record)
    document, read = stored(record)
    assert read == record
    assert len(encode(document)) < LARGEST / 4
    changed = task_of(TASKS, CLASSES)
    save_task(record.id, 3, changed)
    assert stored(record)[1].tasks[3] == changed


def test_save_round__a_few_classes_stay_readable():
    record = round_of((task_of(1, 10),))
    save_round(record)
    document, read = stored(record)
    assert read == record
    assert document["tasks"][0]["labels"][3]["name"] == "class 3"


def test_holding__the_next_attempt_of_an_operation_takes_over(database, monkeypatch):
    """What held it stands still on another machine, or is gone with that."""
    record = round_of(())
    save_round(record)
    with monkeypatch.context() as elsewhere, on_behalf_of("operation"):
        elsewhere.setattr(lease.socket, "gethostname", lambda: "elsewhere")
        before = rounds.holding(record)
        before.__enter__()
    for operation in (None, "another operation"):
        with on_behalf_of(operation), pytest.raises(RoundBusy), rounds.holding(record):
            pass
    with on_behalf_of("operation"), rounds.holding(record):
        assert rounds._rounds().find_one({"_id": record.id})["held_by"] == lease.this_process()
    with rounds.holding(record):  # who came after has left
        pass
    rounds.forget_round(record.id)
