"""How long a background request can be asked for."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

import requests

from demo.cvat_server import Account, running_server
from tests.demo.cvat_server.client import Client, png

if TYPE_CHECKING:
    from pathlib import Path

TASK = {"name": "t", "labels": [{"name": "cat"}]}


def test_request__finished_vanishes_and_failed_stays(tmp_path: Path):
    accounts = (Account("only", "only-pw", admin=True),)
    options = ("--finished-request-ttl", "0")
    with running_server(tmp_path, users=accounts, options=options) as server:
        body = {"username": "only", "password": "only-pw"}
        key = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30).json()["key"]
        client = Client(server.url, key)

        bad = client.json("POST", "/api/tasks", json=TASK)["id"]
        answer = client.json("POST", f"/api/tasks/{bad}/data", json={"image_quality": 70})
        failed = client.wait(answer["rq_id"])
        assert failed["message"] == "ValueError: No media data found\n"
        ended, expires = (
            datetime.fromisoformat(failed[key]) for key in ("finished_date", "expiry_date")
        )
        assert (expires - ended).days == 365

        good = client.json("POST", "/api/tasks", json=TASK)["id"]
        files = {"client_files[0]": ("a.png", png())}
        answer = client.json(
            "POST", f"/api/tasks/{good}/data", data={"image_quality": 70}, files=files
        )
        deadline = time.monotonic() + 20
        path = f"/api/requests/{answer['rq_id']}"
        while (shown := client.send("GET", path)).status_code != 404:
            assert time.monotonic() < deadline
        assert shown.text == "There is no request with specified id"
        assert client.json("GET", f"/api/tasks/{good}")["size"] == 1
