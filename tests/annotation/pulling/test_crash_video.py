"""A pull that writes frames of a video, or its undoing, leaves all of it or nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from relabel.annotation import load_round, pull, rounds_status, undo_pull
from relabel.cvat import Shape
from tests.annotation.pulling.test_crash import crash, crashed, undo_if_there_is_one
from tests.annotation.test_video import FIELD, Annotator, dataset, documents, jobs, label_named

__all__ = ["crash", "dataset", "jobs"]

pytestmark = pytest.mark.cvat

GONE = 1
"""A frame without labels, and without a document; an annotator draws something on it."""


@pytest.fixture
def edited(dataset, client, send, jobs):
    """A round with an object moved, one removed, a label drawn where there was no document."""
    sample = dataset.first()
    del sample.frames[GONE]
    sample.save()
    record = send(field=FIELD)
    (job,) = jobs(record)
    car, bus = (label_named(client, record, name) for name in ("car", "bus"))

    def change(track):
        if track.label_id == bus:
            return None
        moved = [replace(one, points=tuple(p + 1.5 for p in one.points)) for one in track.shapes]
        return replace(track, shapes=tuple(moved))

    job.edit(change)
    _draw(job, Shape(type="rectangle", frame=GONE - 1, label_id=car, points=(1, 2, 30, 40)))
    job.finish()
    known = {document["_id"] for document in documents(dataset)}
    labels = {label["_id"] for document in documents(dataset) for label in _labels_in(document)}

    def state():
        """The frames as stored, without ids that differ from pull to pull."""
        return [
            {
                "number": document["frame_number"],
                "new": document["_id"] not in known,
                "labels": [
                    {**label, "_id": label["_id"] if label["_id"] in labels else "new"}
                    for label in _labels_in(document)
                ],
            }
            for document in documents(dataset)
        ]

    return state


def _draw(job: Annotator, shape):
    found = job.client.job_annotations(job.job.id)
    job.client.put_job_annotations(job.job.id, replace(found, shapes=(*found.shapes, shape)))


def _labels_in(document):
    return (document.get("gt") or {}).get("detections") or []


def test_pull__of_a_video_ended_at_any_write(dataset, client, edited, crash):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    assert [one["new"] for one in after].count(True) == 1
    undo_pull(dataset, "round_1")
    assert edited() == before
    torn = 0
    for writes in count():
        if not crashed(crash, writes, lambda: pull(dataset, "round_1", client)):
            break
        half_done = load_round(dataset, "round_1").torn
        finished = edited() == after and not half_done
        torn += half_done
        rounds_status(dataset, client)
        assert edited() == (after if finished else before), f"ended at write {writes}"
        pull(dataset, "round_1", client)
        assert edited() == after
        undo_if_there_is_one(dataset)
        assert edited() == before
    assert writes > 6
    assert torn >= 3
    assert edited() == after


def test_undo_pull__of_a_video_ended_at_any_write(dataset, client, edited, crash):
    before = edited()
    pull(dataset, "round_1", client)
    after = edited()
    for writes in count():
        if not crashed(crash, writes, lambda: undo_pull(dataset, "round_1")):
            break
        not_begun = edited() == after and not load_round(dataset, "round_1").torn
        rounds_status(dataset, client)
        assert edited() == (after if not_begun else before), f"ended at write {writes}"
        pull(dataset, "round_1", client)
        assert edited() == after
    assert writes > 5
    assert edited() == before
