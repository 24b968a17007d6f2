"""A push of large files that is killed goes on in the middle of a file."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
import requests
from PIL import Image

from relabel.annotation import make_plan, push
from relabel.cvat import tus, uploads
from tests.annotation.sending.small_push import remove, request_of, state_of, unique
from tests.annotation.sending.test_resume import killed

__all__ = ["killed"]

pytestmark = pytest.mark.cvat

KEY = unique("large_files")
CHUNK = 4096


@contextmanager
def counted():
    """The method of every request."""
    send, methods = requests.adapters.HTTPAdapter.send, []

    def counting(adapter, request, **options):
        methods.append(request.method)
        return send(adapter, request, **options)

    requests.adapters.HTTPAdapter.send = counting
    try:
        yield methods
    finally:
        requests.adapters.HTTPAdapter.send = send


@pytest.fixture
def request_for(dataset, monkeypatch):
    """One task of six images, two of which travel in three and four chunks."""
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", CHUNK)
    monkeypatch.setattr(tus, "CHUNK_BYTES", CHUNK)
    noise = np.random.default_rng(51)
    for path, size in zip(dataset.values("filepath")[1::3], [(64, 48), (80, 64)], strict=True):
        Image.fromarray(noise.integers(0, 255, (*size, 3), dtype=np.uint8)).save(path)
    return request_of(dataset, KEY, (), images_per_job=6)


def test_push__killed_in_the_middle_of_a_large_file(dataset, client, request_for, killed):
    with counted() as methods:
        push(dataset, make_plan(dataset, request_for), client)
    undisturbed, chunks = state_of(dataset, client, KEY), methods.count("PATCH")
    remove(dataset, client, KEY)
    assert chunks == 7
    dataset.persistent = True
    number, status, resumed = 0, -9, []
    while status == -9:
        number += 1
        status = killed(dataset, KEY, (), number, images_per_job=6, chunk=CHUNK)
        dataset.reload()
        if status == -9:
            with counted() as methods:
                push(dataset, make_plan(dataset, request_for), client)
            resumed.append(methods.count("PATCH"))
        assert state_of(dataset, client, KEY) == undisturbed, f"killed after request {number}"
        remove(dataset, client, KEY)
    assert status == 0
    assert set(range(chunks + 1)) <= set(resumed), "each number of chunks was left to send once"
