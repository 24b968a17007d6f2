"""Ways to log in, and the limit for those who have not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from demo.cvat_server import Account, running_server

if TYPE_CHECKING:
    from pathlib import Path

    from demo.cvat_server import RunningServer
    from tests.demo.cvat_server.client import Client


def _about(server: RunningServer, **headers: str) -> requests.Response:
    return requests.get(f"{server.url}/api/users/self", headers=headers, timeout=30)


def test_basic__right_and_wrong_password(server: RunningServer):
    url = f"{server.url}/api/users/self"
    answer = requests.get(url, auth=("anno1", server.users["anno1"]), timeout=30)
    assert answer.json()["username"] == "anno1"
    answer = requests.get(url, auth=("anno1", "wrong"), timeout=30)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid username/password."})
    assert answer.headers["www-authenticate"] == "Token"


def test_basic__costs_more_than_a_token(server: RunningServer, admin: Client):
    def seconds(**more: object) -> float:
        start = time.perf_counter()
        requests.get(f"{server.url}/api/users/self", timeout=30, **more)  # type: ignore[arg-type]
        return time.perf_counter() - start

    slow = min(seconds(auth=("admin", server.users["admin"])) for _ in range(3))
    headers = {"Authorization": f"Token {admin.token}"}
    assert slow > 3 * min(seconds(headers=headers) for _ in range(3))


def test_session__writes_need_the_csrf_token(server: RunningServer):
    session = requests.Session()
    session.post(
        f"{server.url}/api/auth/login",
        json={"username": "anno2", "password": server.users["anno2"]},
        timeout=30,
    )
    url = f"{server.url}/api/projects"
    assert session.get(url, timeout=30).status_code == 200
    refused = session.post(url, json={"name": "p"}, timeout=30)
    assert (refused.status_code, refused.json()) == (
        403,
        {"detail": "CSRF Failed: CSRF token missing."},
    )
    headers = {"X-CSRFToken": session.cookies["csrftoken"]}
    made = session.post(url, json={"name": "p"}, headers=headers, timeout=30)
    assert made.status_code == 201
    session.delete(f"{url}/{made.json()['id']}", headers=headers, timeout=30)


def test_access_token__use_list_revoke(server: RunningServer, worker: Client):
    made = worker.json("POST", "/api/auth/access_tokens", json={"name": "a", "read_only": False})
    bearer = {"Authorization": f"Bearer {made['value']}"}
    assert _about(server, **bearer).json()["username"] == "anno1"
    assert _about(server, Authorization=f"Token {made['value']}").status_code == 401
    assert _about(server, Authorization=f"Bearer {worker.token}").status_code == 401
    own = requests.get(f"{server.url}/api/auth/access_tokens/self", headers=bearer, timeout=30)
    assert own.json()["id"] == made["id"]
    (shown,) = worker.list("/api/auth/access_tokens")
    assert "value" not in shown
    assert shown["last_used_date"] is not None
    again = requests.post(
        f"{server.url}/api/auth/access_tokens", json={"name": "b"}, headers=bearer, timeout=30
    )
    assert again.status_code == 403
    worker.json("DELETE", f"/api/auth/access_tokens/{made['id']}")
    assert _about(server, **bearer).json() == {"detail": "Invalid token."}


def test_access_token__read_only_and_expired(server: RunningServer, worker: Client):
    read_only = worker.json("POST", "/api/auth/access_tokens", json={"name": "ro"})
    assert read_only["read_only"] is True
    headers = {"Authorization": f"Bearer {read_only['value']}"}
    url = f"{server.url}/api/projects"
    assert requests.get(url, headers=headers, timeout=30).status_code == 200
    assert requests.post(url, json={"name": "x"}, headers=headers, timeout=30).status_code == 403
    old = {"name": "old", "expiry_date": "2020-01-01T00:00:00Z"}
    expired = worker.json("POST", "/api/auth/access_tokens", json=old)
    assert expired["expiry_date"] == "2020-01-01T00:00:00Z"
    assert _about(server, Authorization=f"Bearer {expired['value']}").status_code == 401
    for token in (read_only, expired):
        worker.json("DELETE", f"/api/auth/access_tokens/{token['id']}")


def test_log_out__ends_the_token_for_all(server: RunningServer):
    def log_in() -> str:
        body = {"email": "reviewer1@example.com", "password": server.users["reviewer1"]}
        answer = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30)
        key: str = answer.json()["key"]
        return key

    key = log_in()
    assert log_in() == key
    headers = {"Authorization": f"Token {key}"}
    answer = requests.post(f"{server.url}/api/auth/logout", headers=headers, timeout=30)
    assert answer.json() == {"detail": "Successfully logged out."}
    assert _about(server, **headers).json() == {"detail": "Invalid token."}
    assert log_in() != key


def test_anonymous__limited_a_minute(tmp_path: Path):
    accounts = (Account("only", "only-pw", admin=True),)
    with running_server(tmp_path, users=accounts) as server:
        about = f"{server.url}/api/server/about"
        body = {"username": "only", "password": "only-pw"}
        key = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30).json()["key"]
        statuses = [requests.get(about, timeout=30).status_code for _ in range(100)]
        assert statuses == [200] * 99 + [429]
        refused = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30)
        assert refused.status_code == 429
        seconds = int(refused.headers["retry-after"])
        assert 0 < seconds <= 60
        assert refused.json()["detail"].startswith("Request was throttled. Expected available in")
        headers = {"Authorization": f"Token {key}"}
        assert {_about(server, **headers).status_code for _ in range(20)} == {200}
        assert _about(server, Authorization="Token wrong").status_code == 401


def test_data__stays_over_a_restart(tmp_path: Path):
    accounts = (Account("only", "only-pw", admin=True),)
    keys = []
    for _ in range(2):
        with running_server(tmp_path, users=accounts) as server:
            body = {"username": "only", "password": "only-pw"}
            answer = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30)
            keys.append(answer.json()["key"])
    assert keys[0] == keys[1]


def test_running_server__error_holds_what_it_wrote(tmp_path: Path):
    with (
        pytest.raises(RuntimeError, match=r"127\.0\.0\.1 only"),
        running_server(tmp_path, options=("--host", "0.0.0.0")),
    ):
        pass
