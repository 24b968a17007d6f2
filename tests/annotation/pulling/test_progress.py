"""A push, a pull and an undo say how far they are, and can be cancelled before they write."""

from __future__ import annotations

import fiftyone.core.odm as foo
import pytest

from relabel.annotation import list_rounds, make_plan, pull, push, review_pull, undo_pull
from relabel.annotation.pulling import comparison
from relabel.annotation.sending import painting
from tests.annotation.comparing.test_unreadable import Editor, move_all
from tests.annotation.sending.small_push import request_of, tasks_of, unique
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat


class CancelledHere(Exception):
    pass


class Listener:
    """Hears how far something is; cancels it from some call on.

    Args:
        calls: the call that cancels it, or None
    """

    def __init__(self, calls=None):
        self.told = []
        self._calls = calls

    def __call__(self, share, label):
        self.told.append((share, label))
        if self._calls is not None and len(self.told) >= self._calls:
            raise CancelledHere

    @property
    def labels(self):
        return [label for _, label in self.told]


def test_push__says_how_far_it_is_and_leaves_nothing_whenever_cancelled(
    dataset, client, cvat_pair, monkeypatch
):
    monkeypatch.setattr(painting, "_IMAGES_AT_ONCE", 2)
    before, key = stored(dataset), unique("cancel")
    request = request_of(dataset, key, cvat_pair, images_per_task=4)
    plan = make_plan(dataset, request)
    for calls in range(1, 100):
        listener = Listener(calls)
        try:
            push(dataset, plan, client, listener)
        except CancelledHere:
            assert tasks_of(client, key) == [], listener.labels
            assert list_rounds(dataset) == []
            assert dataset.list_annotation_runs() == []
            assert stored(dataset) == before
        else:
            break
    for task in list_rounds(dataset)[0].tasks:
        client.delete_task(task.id)
    shares = [round(share, 9) for share, _ in listener.told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert {
        "Sent the labels of 2 of 4 images",
        "Sent the labels of 2 of 2 images",
        "CVAT reads the media of 2 of 2 tasks",
        "Assigned 2 of 3 jobs",
    } <= set(listener.labels)


def test_undo__says_how_far_it_is_and_leaves_nothing_if_cancelled(dataset, client, send):
    before = stored(dataset)
    move_all(Editor(client, send()))
    pull(dataset, "round_1", client)
    pulled = stored(dataset)
    for calls in (1, 2):
        with pytest.raises(CancelledHere):
            undo_pull(dataset, "round_1", Listener(calls))
        assert stored(dataset) == pulled
        assert not list_rounds(dataset)[0].torn
    listener = Listener()
    undo_pull(dataset, "round_1", listener)
    assert "Restoring the labels of 6 images" in listener.labels
    assert labels_of(stored(dataset)) == labels_of(before)


def labels_of(documents):
    return [document["ground_truth"] for document in documents]


def test_review__says_how_far_it_is_in_one_large_task(dataset, client, send, monkeypatch):
    monkeypatch.setattr(comparison, "_IMAGES_PER_REPORT", 2)
    move_all(Editor(client, send()))
    listener = Listener()
    review_pull(dataset, "round_1", client, progress=listener)
    assert listener.told == [
        (0, "Compared 0 of 1 jobs"),
        (2 / 6, "Compared 2 of 6 images"),
        (4 / 6, "Compared 4 of 6 images"),
    ]


def test_pull__says_how_far_it_is_and_leaves_nothing_if_cancelled(dataset, client, send):
    record = send(images_per_task=3)
    for task in record.tasks:
        editor = Editor(client, record)
        editor.task = task
        move_all(editor)
    before = stored(dataset)
    told = []

    def hear(share, label):
        told.append((share, label))
        if "Writing" in label:
            raise CancelledHere

    review_pull(dataset, "round_1", client, progress=hear)
    assert [label for _, label in told] == ["Compared 0 of 2 jobs", "Compared 1 of 2 jobs"]
    told.clear()
    with pytest.raises(CancelledHere):
        pull(dataset, "round_1", client, progress=hear)
    assert told[-1] == (0.5, "Writing the labels of 6 images")
    assert stored(dataset) == before
    kept = foo.get_db_conn()["relabel_undo"]
    assert kept.count_documents({"round_id": record.id}) == 0
    assert len(pull(dataset, "round_1", client).sample_ids) == 6
    assert kept.count_documents({"round_id": record.id, "tagged": {"$exists": False}}) == 6


def test_pull__not_written_if_its_operation_is_no_longer_wanted(dataset, client, send):
    record = send()
    move_all(Editor(client, record))
    before = stored(dataset)

    def unwanted():
        raise CancelledHere

    with pytest.raises(CancelledHere):
        pull(dataset, record.key, client, before_writing=unwanted)
    assert stored(dataset) == before
    assert foo.get_db_conn()["relabel_undo"].count_documents({"round_id": record.id}) == 0
    assert len(pull(dataset, record.key, client).sample_ids) == 6
