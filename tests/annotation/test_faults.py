"""A server or a network that fails once, at any request: nothing is lost, doubled or orphaned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.annotation import make_plan, pull, push, rounds_status, undo_pull
from relabel.cvat import CvatClient, Timeouts
from relabel.errors import RelabelError
from tests.annotation.faulty_proxy import FAULTS, faulty_proxy
from tests.annotation.small_push import remove, request_of, state_of
from tests.annotation.test_round_trip import Annotator, documents

pytestmark = pytest.mark.cvat

KEY = "faulty"
TIMEOUT = 1.0


@pytest.fixture
def proxy(cvat_config):
    with faulty_proxy(cvat_config.url, TIMEOUT) as proxy:
        yield proxy


@pytest.fixture
def team(cvat_team):
    """Two persons."""
    return cvat_team[:2]


@pytest.fixture
def spoiled(proxy, cvat_config):
    """The proxy, and a client that reaches the server through it."""
    timeouts = Timeouts(TIMEOUT, TIMEOUT, TIMEOUT, 60)
    with CvatClient(replace(cvat_config, url=proxy.url, timeouts=timeouts)) as client:
        yield proxy, client


def twice(call):
    """Calls once more after a typed error; says whether there was one."""
    try:
        call()
    except RelabelError:
        call()
        return True
    return False


@pytest.mark.parametrize("fault", FAULTS)
def test_push__one_spoiled_answer(dataset, client, spoiled, team, fault):
    proxy, proxied = spoiled
    plan = make_plan(dataset, replace(request_of(dataset, KEY, team), images_per_job=3))
    before = documents(dataset)
    proxy.spoil(0, fault)
    push(dataset, plan, proxied)
    undisturbed = state_of(dataset, client, KEY)
    count, failed = len(proxy.seen), 0
    remove(dataset, client, KEY)
    assert count > 12
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        failed += twice(lambda: push(dataset, plan, proxied))
        assert state_of(dataset, client, KEY) == undisturbed, proxy.seen[number - 1]
        assert documents(dataset) == before
        remove(dataset, client, KEY)
    assert (failed == 0) == (fault == "429"), "only a 429 can be sent again whatever it was"


@pytest.mark.parametrize("fault", FAULTS)
def test_status_and_pull__one_spoiled_answer(dataset, client, spoiled, fault):
    proxy, proxied = spoiled
    plan = make_plan(dataset, replace(request_of(dataset, KEY, ()), images_per_job=None))
    annotator = Annotator(client, push(dataset, plan, proxied))
    annotator.edit(annotator.on_frame(0)[0], points=(8.0, 6.0, 32.0, 24.0))
    annotator.complete()
    before = [document["ground_truth"] for document in documents(dataset)]
    proxy.spoil(0, fault)
    pull(dataset, KEY, proxied)
    count = len(proxy.seen)
    pulled = [document["ground_truth"] for document in documents(dataset)]
    assert pulled != before
    undo_pull(dataset, KEY)
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        twice(lambda: pull(dataset, KEY, proxied))
        assert [document["ground_truth"] for document in documents(dataset)] == pulled
        assert undo_pull(dataset, KEY).left == ()
        assert [document["ground_truth"] for document in documents(dataset)] == before
    proxy.spoil(1, fault)
    twice(lambda: rounds_status(dataset, proxied))
    (status,) = rounds_status(dataset, proxied)
    assert (status.images, status.images_done) == (6, 3)
    remove(dataset, client, KEY)
