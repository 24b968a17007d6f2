"""A pull, or its undoing, that ends at any point leaves all of it or nothing."""

from __future__ import annotations

import contextlib
from itertools import count

import fiftyone.core.odm as foo
import pymongo.synchronous.pool
import pytest

from relabel.annotation import (
    NothingToUndo,
    load_round,
    pull,
    review_pull,
    rounds_status,
    undo_pull,
)
from tests.annotation.test_round_trip import Annotator, documents

pytestmark = pytest.mark.cvat

_WRITES = {"insert", "update", "delete", "findAndModify"}


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def crash(monkeypatch):
    """Ends this process's writing at its n-th write to the database, before it is sent."""
    connection = pymongo.synchronous.pool.Connection
    command, write_command = connection.command, connection.write_command
    left = None

    def write():
        nonlocal left
        if left is not None:
            left -= 1
            if left < 0:
                raise Crash

    def crashing_command(self, dbname, spec, *args, **options):
        if next(iter(spec)) in _WRITES:
            write()
        return command(self, dbname, spec, *args, **options)

    def crashing_write_command(self, *args, **options):
        write()
        return write_command(self, *args, **options)

    monkeypatch.setattr(connection, "command", crashing_command)
    monkeypatch.setattr(connection, "write_command", crashing_write_command)

    @contextlib.contextmanager
    def crash(writes):
        nonlocal left
        left = writes
        try:
            yield
        finally:
            left = None
            # The hold of a process that is gone does not count; this one is not.
            foo.get_db_conn()["relabel_rounds"].update_many({}, {"$set": {"held_until": None}})

    return crash


@pytest.fixture
def edited(dataset, client, send):
    """A round with every kind of change in CVAT; returns what tells one state from another."""
    record = send(images_per_job=3)
    annotator = Annotator(client, record)
    annotator.edit(annotator.on_frame(0)[0], points=(1.0, 2.0, 3.0, 4.0))
    annotator.edit(annotator.on_frame(0)[1], label_id=annotator.label_id("cat"), attributes={})
    annotator.delete(annotator.on_frame(1)[0])
    annotator.draw(4, "dog", (10.0, 12.0, 20.0, 24.0))
    annotator.complete()
    known = {str(label["_id"]) for doc in documents(dataset) for label in labels_in(doc)}

    def named(item):
        """Replaces the ids of new labels, which differ from pull to pull."""
        label_id = str(item["_id"] if "_id" in item else item["id"])
        return {**item, "_id": None, "id": label_id if label_id in known else "new"}

    def state():
        frames = foo.get_db_conn()["relabel_frames"].find({"round_id": record.id}).sort("frame", 1)
        now = load_round(dataset, record.key)
        return {
            "labels": [[named(label) for label in labels_in(doc)] for doc in documents(dataset)],
            "baseline": [[named(label) for label in frame["labels"]] for frame in frames],
            "pulled": now.pulled,
            "pulls": [(item.number, item.writing) for item in now.pulls],
        }

    return state


def labels_in(document):
    return document["ground_truth"]["detections"]


def undo_if_there_is_one(dataset):
    with contextlib.suppress(NothingToUndo):
        undo_pull(dataset, "round_1")


def crashed(crash, writes, action):
    """Whether an action came to no end."""
    with crash(writes):
        try:
            action()
        except Crash:
            return True
    return False


@pytest.mark.parametrize("following", ["status", "review", "pull", "undo"])
def test_pull__ended_at_any_write_is_taken_back_by_the_next_call(
    dataset, client, edited, crash, following
):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    undo_pull(dataset, "round_1")
    assert edited() == before

    torn = 0
    for writes in count():
        if not crashed(crash, writes, lambda: pull(dataset, "round_1", client)):
            break
        if edited() not in (before, after):
            torn += 1
        finished = edited() == after
        if following == "status":
            rounds_status(dataset, client)
        elif following == "review":
            found = review_pull(dataset, "round_1", client).counts
            expected = {"moved": 1, "relabelled": 1, "removed": 1, "added": 1}
            assert found == ({} if finished else expected)
        elif following == "undo":
            undo_if_there_is_one(dataset)
        else:
            pull(dataset, "round_1", client)
        if following == "pull":
            assert edited() == after
        elif following == "undo":
            assert edited() == before
        else:
            assert edited() == (after if finished else before)
        undo_if_there_is_one(dataset)
        assert edited() == before
    assert writes > 6
    assert torn >= 3, "there were states that were neither"
    assert edited() == after


@pytest.mark.parametrize("following", ["status", "review", "pull", "undo"])
def test_undo_pull__ended_at_any_write_is_finished_by_the_next_call(
    dataset, client, edited, crash, following
):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    for writes in count():
        if not crashed(crash, writes, lambda: undo_pull(dataset, "round_1")):
            break
        not_begun = edited() == after
        if following == "status":
            rounds_status(dataset, client)
        elif following == "review":
            review_pull(dataset, "round_1", client)
        elif following == "undo":
            undo_if_there_is_one(dataset)
        else:
            pull(dataset, "round_1", client)
        if following == "pull":
            assert edited() == after
        elif following == "undo":
            assert edited() == before
        else:
            assert edited() == (after if not_begun else before)
        pull(dataset, "round_1", client)
        assert edited() == after
    assert writes > 5
    assert edited() == before
