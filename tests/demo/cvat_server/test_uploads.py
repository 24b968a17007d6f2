"""Resumable uploads, many files, and what is not taken."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.demo.cvat_server.client import png

if TYPE_CHECKING:
    import requests

    from tests.demo.cvat_server.client import Client

TUS = {"Tus-Resumable": "1.0.0"}


def _new_task(admin: Client) -> int:
    body = {"name": "upload", "labels": [{"name": "cat"}]}
    task_id: int = admin.json("POST", "/api/tasks", json=body)["id"]
    return task_id


def _create(admin: Client, task_id: int, name: str, length: int) -> requests.Response:
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata}
    return admin.send("POST", f"/api/tasks/{task_id}/data/", headers=headers)


def _append(
    admin: Client, location: str, offset: int, content: bytes, kind: str = "offset+octet-stream"
) -> requests.Response:
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": f"application/{kind}"}
    path = location.removeprefix(admin.url)
    return admin.send("PATCH", path, headers=headers, data=content)


def test_tus__two_chunks_and_a_small_file(admin: Client):
    task_id, content = _new_task(admin), png(320, 240)
    middle = len(content) // 2
    assert _is_empty(_start(admin, task_id), 202)
    created = _create(admin, task_id, "big.png", len(content))
    assert created.status_code == 201
    assert created.headers["upload-filename"] == "big.png"
    location = created.headers["location"]
    first = _append(admin, location, 0, content[:middle])
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(middle))
    path = location.removeprefix(admin.url)
    told = admin.send("HEAD", path, headers=TUS)
    assert (told.status_code, told.headers["upload-offset"]) == (200, str(middle))
    assert _append(admin, location, 5, content[middle:]).status_code == 409
    assert _append(admin, location, middle, b"x", kind="json").status_code == 415
    last = _append(admin, location, middle, content[middle:])
    assert (last.status_code, last.headers["upload-offset"]) == (204, str(len(content)))
    assert admin.send("HEAD", path, headers=TUS).status_code == 404
    again = _create(admin, task_id, "big.png", 10)
    assert (again.status_code, again.json()) == (409, "File with same name already exists")
    small = admin.send(
        "POST",
        f"/api/tasks/{task_id}/data/",
        headers={"Upload-Multiple": "true"},
        data={"image_quality": 70},
        files={"client_files[0]": ("small.png", png())},
    )
    assert _is_empty(small, 200)
    finish = {
        "image_quality": 70,
        "sorting_method": "predefined",
        "upload_file_order": ["small.png", "big.png"],
    }
    answer = admin.json(
        "POST", f"/api/tasks/{task_id}/data/", headers={"Upload-Finish": "true"}, json=finish
    )
    assert admin.wait(answer["rq_id"])["status"] == "finished"
    frames = admin.json("GET", f"/api/tasks/{task_id}/data/meta")["frames"]
    assert [(f["name"], f["width"]) for f in frames] == [("small.png", 64), ("big.png", 320)]
    shown = admin.send("GET", f"/api/tasks/{task_id}/data?type=frame&number=1&quality=original")
    assert shown.content == content
    admin.json("DELETE", f"/api/tasks/{task_id}")


def _start(admin: Client, task_id: int) -> requests.Response:
    return admin.send("POST", f"/api/tasks/{task_id}/data/", headers={"Upload-Start": ""})


def _is_empty(answer: requests.Response, status: int) -> bool:
    return answer.status_code == status and answer.content == b""


def test_tus__a_folder_in_the_name_fails_with_the_last_chunk(admin: Client):
    task_id, content = _new_task(admin), png()
    created = _create(admin, task_id, "b/1.png", len(content))
    assert created.status_code == 201
    assert _append(admin, created.headers["location"], 0, content).status_code == 500
    admin.json("DELETE", f"/api/tasks/{task_id}")


@pytest.mark.parametrize(
    ("metadata", "length", "status", "text"),
    [
        ("", 10, 400, "\"Metadata is expected to contain 'filename' key\""),
        ("filename Li4vLi4veC5wbmc=", 10, 400, '"File name ../../x.png is not allowed"'),
        (
            "filename aC5wbmc=",
            26843545601,
            413,
            '"File size exceeds max limit of 26843545600 bytes"',
        ),
    ],
)
def test_tus__refused(admin: Client, metadata: str, length: int, status: int, text: str):
    task_id = _new_task(admin)
    headers = TUS | {"Upload-Length": str(length)}
    headers |= {"Upload-Metadata": metadata} if metadata else {}
    answer = admin.send("POST", f"/api/tasks/{task_id}/data/", headers=headers)
    assert (answer.status_code, answer.text) == (status, text)
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_many_files__more_than_a_thousand_in_one_request(admin: Client):
    task_id, content = _new_task(admin), png(8, 8)
    files = [(f"client_files[{i}]", (f"{i:04}.png", content)) for i in range(1200)]
    answer = admin.json(
        "POST", f"/api/tasks/{task_id}/data", data={"image_quality": 70}, files=files
    )
    assert admin.wait(answer["rq_id"])["status"] == "finished"
    assert admin.json("GET", f"/api/tasks/{task_id}")["size"] == 1200
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_second_upload__refused_also_while_the_first_is_read(admin: Client):
    task_id = admin.make_task(1)
    answer = admin.send("POST", f"/api/tasks/{task_id}/data", json={"image_quality": 70})
    assert (answer.status_code, answer.json()) == (400, ["Adding more data is not supported"])
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_refused_upload__a_large_body_still_gets_its_answer(admin: Client, worker: Client):
    task_id = _new_task(admin)
    files = {"client_files[0]": ("large.png", bytes(40_000_000))}
    for _ in range(3):
        answer = worker.send("POST", f"/api/tasks/{task_id}/data", files=files)
        assert answer.status_code == 403
    assert admin.json("GET", f"/api/tasks/{task_id}")["data"] is None
    admin.json("DELETE", f"/api/tasks/{task_id}")


@pytest.mark.parametrize(
    ("files", "fields"),
    [
        ({"client_files[0]": ("scan.pdf", b"no scan")}, {"image_quality": 70}),
        ({}, {"image_quality": 70, "remote_files[0]": "http://127.0.0.1:9/x.png"}),
    ],
)
def test_unsupported__says_so(admin: Client, files: dict[str, object], fields: dict[str, object]):
    task_id = _new_task(admin)
    parts = [(name, (None, str(value))) for name, value in fields.items()]
    answer = admin.send("POST", f"/api/tasks/{task_id}/data", files=[*parts, *files.items()])
    assert answer.status_code == 501
    assert "does not support" in answer.json()["detail"]
    admin.json("DELETE", f"/api/tasks/{task_id}")


@pytest.mark.parametrize(
    "path",
    ["webhooks", "quality/reports", "cloudstorages/1/status", "lambda/functions", "schema/"],
)
def test_unsupported_addresses__say_so(admin: Client, path: str):
    answer = admin.send("GET", f"/api/{path}")
    assert answer.status_code == 501
    assert answer.headers["content-type"] == "application/vnd.cvat+json"
    assert "does not support" in answer.json()["detail"]
