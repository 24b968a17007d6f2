"""A server or a network that fails once, at any request of a round of videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bson import encode

from relabel.annotation import make_plan, pull, push, undo_pull
from relabel.cvat import tus, uploads
from relabel.errors import RelabelError
from tests.annotation.sending.small_push import remove, request_of
from tests.annotation.sending.test_faults import no_ids, twice
from tests.annotation.sending.test_resume_video import KEY, dataset, state_of
from tests.annotation.test_video import Annotator

__all__ = ["dataset"]

pytestmark = pytest.mark.cvat

FAULTS = ("429", "500", "502", "503", "reset", "time-out", "cut off")
OPTIONS = {"images_per_task": None, "images_per_job": 8, "overlap": 2, "frame_step": 2}


@pytest.fixture
def one_video(dataset, monkeypatch):
    """A video with tracks and labels of single frames, which travels in some chunks."""
    dataset.delete_samples([dataset.first().id])
    size = Path(dataset.first().filepath).stat().st_size
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", size // 2)
    monkeypatch.setattr(tus, "CHUNK_BYTES", size // 2 + 1)
    return dataset


def stored(dataset):
    """The documents of the videos and their frames, without the times of their changes."""
    found = [*dataset._sample_collection.find(), *dataset._frame_collection.find()]
    return [{**document, "last_modified_at": None} for document in found]


@pytest.mark.parametrize("fault", FAULTS)
def test_push__one_spoiled_answer(one_video, client, spoiled, fault):
    proxy, proxied = spoiled
    before = [encode(document) for document in stored(one_video)]
    plan = make_plan(one_video, request_of(one_video, KEY, (), field="frames.gt", **OPTIONS))
    proxy.spoil(0, fault)
    push(one_video, plan, proxied)
    undisturbed, count = state_of(one_video, client), len(proxy.seen)
    remove(one_video, client, KEY)
    assert {"POST", "PUT", "PATCH", "GET"} == {line.split()[0] for line in proxy.seen}
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        twice(lambda: push(one_video, plan, proxied))
        assert state_of(one_video, client) == undisturbed, proxy.seen[number - 1]
        assert [encode(document) for document in stored(one_video)] == before
        remove(one_video, client, KEY)


def moved(track):
    """A track that is at the same place on each of its keyframes."""
    shapes = (replace(shape, points=(1.0, 2.0, 9.0, 9.0)) for shape in track.shapes)
    return replace(track, shapes=tuple(shapes))


def deleted(_):
    """No track."""


@pytest.mark.parametrize("fault", FAULTS)
def test_pull__one_spoiled_answer(one_video, client, spoiled, fault):
    proxy, proxied = spoiled
    request = request_of(one_video, KEY, (), field="frames.gt", **OPTIONS)
    record = push(one_video, make_plan(one_video, request), proxied)
    first, second, *others = [Annotator(client, job) for job in client.jobs([record.tasks[0].id])]
    first.edit(moved)
    second.edit(deleted)
    for annotator in (first, second, *others):
        annotator.finish()
    before, on_the_server = stored(one_video), state_of(one_video, client)["tasks"]
    proxy.spoil(0, fault)
    report = pull(one_video, KEY, proxied)
    assert {"moved", "removed"} <= report.counts.keys()
    count, pulled = len(proxy.seen), no_ids(stored(one_video))
    undo_pull(one_video, KEY)
    assert stored(one_video) == before
    assert count >= 4
    for number in range(1, count + 1):
        proxy.spoil(number, fault)
        try:
            again = pull(one_video, KEY, proxied)
        except RelabelError:
            assert stored(one_video) == before, "all or nothing"
            again = pull(one_video, KEY, proxied)
        assert again.counts == report.counts
        assert no_ids(stored(one_video)) == pulled
        assert undo_pull(one_video, KEY).left == ()
        assert stored(one_video) == before
        assert state_of(one_video, client)["tasks"] == on_the_server
    remove(one_video, client, KEY)
