"""What the stock exchange gets wrong with files, by its number in the list of known failures."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
import requests

from relabel.cvat import CvatDataRejected, ImageFile, LabelSpec
from relabel.cvat.uploads import MAX_REQUEST_BYTES
from tests.annotation.conftest import client
from tests.demo.cvat_server.client import png

__all__ = ["client"]

pytestmark = pytest.mark.cvat

MIB = 2**20


@pytest.fixture
def task(client):
    task_id = client.create_task("relabel test", [LabelSpec("cat")])
    yield task_id
    client.delete_task(task_id)


def file_of(path, content):
    path.write_bytes(content)
    return ImageFile(path, path.name, path.stat().st_size)


def test_failure_20__a_corrupt_image_ends_the_upload_with_the_reason(client, task, tmp_path):
    """Stock polls for ever, though the server has said why it failed."""
    good = file_of(tmp_path / "0.png", png())
    corrupt = file_of(tmp_path / "1.png", b"\x89PNG\r\n\x1a\n and nothing else")
    client.upload_images(task, [good, corrupt])
    begun = time.monotonic()
    with pytest.raises(CvatDataRejected, match="Truncated File Read") as caught:
        client.wait_until_read([task])
    assert caught.value.task_id == task
    assert time.monotonic() - begun < 60


def test_failure_23__requests_and_memory_stay_small(client, task, tmp_path, monkeypatch):
    """Stock reads all images of a task into memory for one request, which servers refuse."""
    noise = np.random.default_rng(23).integers(0, 255, 44 * MIB, dtype=np.uint8).tobytes()
    files = [
        file_of(tmp_path / f"{number}.png", png(8, 8) + noise[: size * MIB])
        for number, size in enumerate((6, 6, 6, 6, 44, 12, 12, 44))
    ]
    del noise
    send, lengths = requests.adapters.HTTPAdapter.send, []

    def measuring(adapter, request, **options):
        lengths.append(int(request.headers.get("Content-Length", 0)))
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", measuring)
    tracemalloc.start()
    client.upload_images(task, files)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    client.wait_until_read([task])
    client.check_frames(task, [file.name for file in files])
    assert sum(lengths) >= sum(file.size for file in files) > 136 * MIB
    assert max(lengths) < MAX_REQUEST_BYTES + MIB
    assert peak < 4 * MAX_REQUEST_BYTES, "which is less than half of what was sent"
