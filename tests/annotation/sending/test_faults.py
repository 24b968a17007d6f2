"""A server or a network that fails once, at any request: nothing is lost, doubled or orphaned."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from relabel.annotation import (
    make_plan,
    pull,
    pull_issues,
    push,
    review_pull,
    rounds_status,
    undo_pull,
)
from relabel.annotation.sending import painting
from relabel.errors import RelabelError
from tests.annotation.pulling.test_pull_requests import remark
from tests.annotation.sending.faulty_proxy import FAULTS
from tests.annotation.sending.small_push import remove, request_of, state_of, unique
from tests.annotation.test_round_trip import Annotator, documents

pytestmark = pytest.mark.cvat

KEY = unique("faulty")


@pytest.fixture
def plan(dataset, cvat_pair, monkeypatch):
    """Two tasks of one job each, for two persons; the labels of a task travel in two requests."""
    monkeypatch.setattr(painting, "_IMAGES_AT_ONCE", 2)
    request = replace(request_of(dataset, KEY, cvat_pair), images_per_job=3)
    return make_plan(dataset, request)


def twice(call):
    """Calls once more after a typed error; says whether there was one."""
    try:
        call()
    except RelabelError:
        call()
        return True
    return False


@pytest.mark.parametrize("fault", FAULTS)
def test_push__one_spoiled_answer(dataset, client, spoiled, plan, fault):
    proxy, proxied = spoiled
    before = documents(dataset)
    proxy.spoil(0, fault)
    push(dataset, plan, proxied)
    undisturbed = state_of(dataset, client, KEY)
    count, failed = len(proxy.seen), 0
    remove(dataset, client, KEY)
    assert count > 12
    assert {"POST", "PUT", "PATCH", "GET"} == {line.split()[0] for line in proxy.seen}
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        failed += twice(lambda: push(dataset, plan, proxied))
        assert state_of(dataset, client, KEY) == undisturbed, proxy.seen[number - 1]
        assert documents(dataset) == before
        remove(dataset, client, KEY)
    never_seen = fault in {"401", "429"}
    assert (failed == 0) == never_seen, "only what was refused unread can be sent again at once"


@pytest.fixture
def out(dataset, client, spoiled):
    """A round of two jobs with an edit in each, and an issue; what CVAT holds of it."""
    _, proxied = spoiled
    request = replace(request_of(dataset, KEY, ()), images_per_task=None, images_per_job=3)
    record = push(dataset, make_plan(dataset, request), proxied)
    annotator = Annotator(client, record)
    annotator.edit(annotator.on_frame(0)[0], points=(8.0, 6.0, 32.0, 24.0))
    annotator.delete(annotator.on_frame(4)[1])
    annotator.draw(5, "dog", (1.0, 2.0, 3.0, 4.0))
    remark(client, record.tasks[0].jobs[0], 1, "too wide")
    annotator.complete()

    def held():
        jobs = [(job.id, job.state, job.updated_at) for job in client.jobs([record.tasks[0].id])]
        return annotator.shapes(), jobs

    yield held
    remove(dataset, client, KEY)


def stored(dataset):
    """The samples without the times at which they were written."""
    return [{**document, "last_modified_at": None} for document in documents(dataset)]


def no_ids(documents):
    """What a pull makes, without the ids that it gives to new labels."""
    return str(re.sub(r"'_id': ObjectId\('[0-9a-f]*'\)", "", str(documents)))


@pytest.mark.parametrize("fault", FAULTS)
def test_pull__one_spoiled_answer(dataset, spoiled, out, fault):
    proxy, proxied = spoiled
    before, on_the_server = stored(dataset), out()
    proxy.spoil(0, fault)
    pull(dataset, KEY, proxied)
    count, pulled = len(proxy.seen), no_ids(stored(dataset))
    assert count >= 2
    assert pulled != no_ids(before)
    undo_pull(dataset, KEY)
    assert stored(dataset) == before
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        try:
            report = pull(dataset, KEY, proxied)
        except RelabelError:
            assert stored(dataset) == before, "all or nothing"
            report = pull(dataset, KEY, proxied)
        assert report.counts == {"moved": 1, "removed": 1, "added": 1}
        assert no_ids(stored(dataset)) == pulled
        assert undo_pull(dataset, KEY).left == ()
        assert stored(dataset) == before
        assert out() == on_the_server


@pytest.mark.parametrize("fault", FAULTS)
def test_status_review_and_issues__one_spoiled_answer(dataset, spoiled, out, fault):
    proxy, proxied = spoiled
    before, on_the_server = documents(dataset), out()
    looks = {
        "status": lambda: [s.images_done for s in rounds_status(dataset, proxied)],
        "review": lambda: review_pull(dataset, KEY, proxied).counts,
    }
    for look in looks.values():
        proxy.spoil(0, fault)
        undisturbed = look()
        for number in range(1, len(proxy.seen) + 1):
            proxy.spoil(number, fault)
            answers = []
            twice(lambda look=look, answers=answers: answers.append(look()))
            assert answers == [undisturbed]
            assert documents(dataset) == before, "who only looks writes nothing"
    for number in range(1, 4):
        proxy.spoil(number, fault)
        twice(lambda: pull_issues(dataset, KEY, proxied))
        assert len(proxy.seen) >= number
        (comments,) = dataset.values("cvat_issues.detections.comments", unwind=2)
        assert comments == [f"{proxied.user.username}: too wide"]
        clean = [{**doc, "cvat_issues": None, "tags": None} for doc in stored(dataset)]
        assert clean == [
            {**doc, "cvat_issues": None, "tags": None, "last_modified_at": None} for doc in before
        ]
    assert out() == on_the_server


def test_undo_pull__asks_nobody(dataset, spoiled, out):
    proxy, proxied = spoiled
    before = stored(dataset)
    pull(dataset, KEY, proxied)
    proxy.spoil(1, "reset")
    undo_pull(dataset, KEY)
    assert (proxy.seen, stored(dataset)) == ([], before)
