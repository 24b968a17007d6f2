"""What the panel says of work that takes a while, and how it is cancelled."""

from __future__ import annotations

import json
import sys
import threading

import pytest

from relabel.annotation import list_rounds
from tests.annotation.comparing.test_kinds import Editor
from tests.annotation.comparing.test_unreadable import move_all
from tests.annotation.stock.stock_rounds import stored
from tests.operators.app import operator
from tests.panels.test_cvat_status import annotator, call, cvat_environment, job_ids

__all__ = ["annotator", "cvat_environment", "job_ids"]


@pytest.fixture
def moved(dataset, job_ids, client):
    """A round of which all boxes have been moved in CVAT."""
    (record,) = list_rounds(dataset)
    move_all(Editor(client, record))
    yield record
    client.delete_task(record.tasks[0].id)


@pytest.fixture
def client(cvat_environment):
    from relabel.annotation import connect

    return connect()


@pytest.fixture
def halted(monkeypatch):
    """Holds what a method of the panel calls at its first word, until it was looked at."""
    module = sys.modules[type(operator("cvat_status")).__module__]

    def halt(name):
        arrived, go_on, works = threading.Event(), threading.Event(), getattr(module, name)

        def wait(tell):
            def held(share, label):
                tell(share, label)
                arrived.set()
                assert go_on.wait(60)
                tell(share, label)

            return held

        def halting(*arguments, **options):
            if "progress" in options:
                options["progress"] = wait(options["progress"])
            else:
                arguments = (*arguments[:-1], wait(arguments[-1]))
            return works(*arguments, **options)

        monkeypatch.setattr(module, name, halting)
        return arrived, go_on

    return halt


WORKS = [("preview_pull", "review_pull"), ("pull", "pull"), ("undo", "undo_pull")]


@pytest.mark.parametrize(("method", "engine"), WORKS)
def test_progress__is_told_and_the_work_can_be_cancelled(dataset, moved, halted, method, engine):
    if method == "undo":
        call(dataset, "pull", key="fix_1")
    before, answers = stored(dataset), []
    arrived, go_on = halted(engine)

    def work():
        answers.append(call(dataset, method, key="fix_1", run="r1")[0])

    thread = threading.Thread(target=work)
    thread.start()
    assert arrived.wait(60)
    told, _ = call(dataset, "progress", run="r1")
    assert (told["share"], bool(told["label"])) == (0, True)
    assert call(dataset, "cancel", run="r1")[0] == {"cancelled": True}
    go_on.set()
    thread.join(60)
    (answer,) = answers
    assert answer["error"] == {"message": "It was cancelled.", "advice": "Nothing was changed."}
    assert stored(dataset) == before
    assert call(dataset, "progress", run="r1")[0] == {}
    assert call(dataset, "cancel", run="r1")[0] == {"cancelled": False}


def test_cancel__too_late_the_merge_is_reported(dataset, moved, monkeypatch):
    module = sys.modules[type(operator("cvat_status")).__module__]
    pull = module.pull

    def pulled(*arguments, **options):
        report = pull(*arguments, **options)
        assert call(dataset, "cancel", run="r1")[0] == {"cancelled": True}
        return report

    monkeypatch.setattr(module, "pull", pulled)
    answer, asked = call(dataset, "pull", key="fix_1", run="r1")
    assert answer["samples"] == 6, json.dumps(answer)
    assert "reload_dataset" in asked
