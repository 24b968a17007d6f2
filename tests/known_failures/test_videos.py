"""What the stock exchange gets wrong about videos, by its number in the list of known failures."""

from __future__ import annotations

import pytest

from relabel.annotation import pull
from tests.annotation.conftest import client, send
from tests.annotation.test_video import FIELD, FRAMES, dataset, documents, jobs, labels

__all__ = ["client", "dataset", "jobs", "send"]

pytestmark = pytest.mark.cvat


def test_failure_07__videos_cut_into_segments_come_back_as_they_were_sent(
    dataset, client, send, jobs
):
    before = documents(dataset)
    assert len(labels(dataset)) == FRAMES
    record = send(field=FIELD, images_per_job=8, overlap=2)
    assert len(jobs(record)) == 5
    assert pull(dataset, record.key, client).sample_ids == ()
    assert documents(dataset) == before
