"""Large files in chunks, against the stand-in through a proxy that loses connections."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from relabel.cvat import (
    CvatClient,
    CvatConfig,
    CvatForbidden,
    CvatServerError,
    ImageFile,
    Timeouts,
    tus,
    uploads,
)
from relabel.cvat.uploads import UploadJournal
from tests.annotation.sending.faulty_proxy import FAULTS, faulty_proxy
from tests.cvat.conftest import Answer

pytestmark = pytest.mark.cvat

CHUNK = 4096


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(tus, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(uploads, "MAX_REQUEST_BYTES", CHUNK)
    monkeypatch.setattr(tus, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def proxy(cvat_url):
    with faulty_proxy(cvat_url, 1.0) as proxy:
        yield proxy


@pytest.fixture
def client(proxy, cvat_admin):
    config = CvatConfig(proxy.url, *cvat_admin)
    with CvatClient(replace(config, timeouts=Timeouts(20, 20, 1.5, 60))) as client:
        yield client


@pytest.fixture
def task(client):
    task_id = client.create_task("large", [])
    yield task_id
    client.delete_task(task_id)


@pytest.fixture
def files(tmp_path):
    """A small image, one of about four chunks, a small one."""

    def make(name, *size):
        path = tmp_path / name
        pixels = np.random.default_rng(size[0]).integers(0, 255, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
        return ImageFile(path, name, path.stat().st_size)

    return [make("a.png", 8, 8), make("b.png", 80, 64), make("c.png", 9, 9)]


def content(client, task_id, number):
    path = f"/api/tasks/{task_id}/data"
    params = {"type": "frame", "number": number, "quality": "original"}
    return client._transport.request("GET", path, params=params).content


def holds(client, task_id, files):
    """Whether a task holds files, byte by byte and in order."""
    client.wait_until_read([task_id])
    client.check_frames(task_id, [file.name for file in files])
    return all(
        content(client, task_id, number) == file.path.read_bytes()
        for number, file in enumerate(files)
    )


def test_send_images__large_and_small_files_in_one_task_keep_their_order(client, task, files):
    told = []
    client.upload_images(task, files, progress=lambda *state: told.append(state))
    assert holds(client, task, files)
    total = sum(file.size for file in files)
    assert told[-1] == (total, total)
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    steps = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(told)]
    assert max(steps) <= CHUNK, "it is told chunk by chunk"


def test_send__a_refused_chunk_is_an_error_after_which_it_goes_on(client, proxy, task, files):
    large = files[1]
    refusals = iter([lambda: proxy.spoil(2, "403")])
    upload = tus.ResumableUpload(
        client._transport,
        task,
        large.path,
        large.name,
        note=lambda _: next(refusals, lambda: None)(),
    )
    with pytest.raises(CvatForbidden):
        upload.send(lambda _: None)
    upload.send(lambda _: None)
    client.upload_images(task, [large], journal=Remembered({large.name: "forgotten"}))
    assert holds(client, task, [large])


LOST = [fault for fault in FAULTS if fault != "403"]


@pytest.mark.parametrize("lost", list(itertools.product(LOST, [1, 2, 3])), ids=str)
def test_send__a_lost_connection(client, proxy, task, files, lost):
    """One of the chunks, or its answer, is lost: nothing is missing and nothing is doubled."""
    large, (fault, number) = files[1], lost
    upload = tus.ResumableUpload(
        client._transport,
        task,
        large.path,
        large.name,
        note=lambda _: proxy.spoil(number, fault),
    )
    upload.send(lambda _: None)
    client.upload_images(task, [large], journal=Remembered({large.name: "forgotten"}))
    assert holds(client, task, [large])


class Remembered(UploadJournal):
    """What another process left behind."""

    def __init__(self, begun):
        super().__init__()
        self._begun = begun

    @property
    def small_sent(self):
        return True


class Killed(BaseException):
    pass


def test_send_images__goes_on_in_another_process_where_it_stood(client, proxy, task, files):
    """The journal is all that is left: nothing that the server has travels again."""
    journal = UploadJournal()

    def die(sent, _total):
        if sent >= files[0].size + files[2].size + 2 * CHUNK:
            raise Killed

    with pytest.raises(Killed):
        client.upload_images(task, files, journal=journal, progress=die)
    proxy.seen.clear()
    told = []
    client.upload_images(
        task, files, journal=Remembered(journal._begun), progress=lambda *state: told.append(state)
    )
    assert told[0][0] == files[0].size + files[2].size + 2 * CHUNK
    methods = [line.split()[0] for line in proxy.seen]
    assert methods == ["HEAD", *["PATCH"] * (len(told) - 1), "POST"]
    assert holds(client, task, files)


def test_send__a_file_that_changed_since_it_was_begun(client, task, files):
    large, journal = files[1], UploadJournal()

    def die(sent, _total):
        if sent:
            raise Killed

    with pytest.raises(Killed):
        client.upload_images(task, [large], journal=journal, progress=die)
    Image.new("RGB", (999, 999)).save(large.path, compress_level=0)
    client.upload_images(task, [large], journal=Remembered(journal._begun))
    assert holds(client, task, [large])


def test_send__gives_up_when_nothing_is_gained(script, config, files):
    large = files[1]
    upload = "/api/tasks/7/data/1_abc"
    created = Answer(201, raw=b"", headers={"Location": f"http://inside:8080{upload}"})
    script.on("POST", "/api/tasks/7/data/", created)
    sizes = {"Upload-Offset": "0", "Upload-Length": str(large.size), "Content-Length": "0"}
    script.on("HEAD", upload, Answer(200, raw=b"", headers=sizes))
    script.on("PATCH", upload, Answer(503, {"detail": "later"}))
    with CvatClient(config(script.url)) as client, pytest.raises(CvatServerError, match="503"):
        client.upload_images(7, [large])
    assert script.seen("PATCH", upload) == 5
    assert script.seen("POST", "/api/tasks/7/data/") == 2, "one begins the upload, none ends it"


class FirstIsThere(UploadJournal):
    """Of a process that died after the first of its requests, with one file in it."""

    files_sent = 1


def test_send_images__begun_in_smaller_requests_than_would_be_made_now(client, task, files):
    small = [files[0], files[2]]
    uploads._post_data(client._transport, task, headers={"Upload-Start": "true"})
    multiple = {"Upload-Multiple": "true"}
    uploads._send_batch(client._transport, task, small[:1], {"image_quality": 70}, multiple)
    client.upload_images(task, small, journal=FirstIsThere())
    assert holds(client, task, small)
