"""A stand-in whose users are those of the recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from demo.cvat_server import Account, running_server
from tests.demo.cvat_server.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.cvat_server import RunningServer

ACCOUNTS = (
    Account("admin", "admin-pw", admin=True),
    Account("anno1", "anno1-pw"),
    Account("anno2", "anno2-pw"),
    Account("reviewer1", "reviewer1-pw"),
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests of the stand-in, without the limit for anonymous requests."""
    folder = tmp_path_factory.mktemp("stand-in")
    options = ("--anonymous-rate", "0")
    with running_server(folder, users=ACCOUNTS, options=options) as running:
        yield running


@pytest.fixture(scope="session")
def tokens(server: RunningServer) -> dict[str, str]:
    """User name to legacy token."""
    found = {}
    for name, password in server.users.items():
        answer = requests.post(
            f"{server.url}/api/auth/login",
            json={"username": name, "password": password},
            timeout=30,
        )
        found[name] = answer.json()["key"]
    return found


@pytest.fixture(scope="session")
def admin(server: RunningServer, tokens: dict[str, str]) -> Client:
    """The administrator."""
    return Client(server.url, tokens["admin"])


@pytest.fixture(scope="session")
def worker(server: RunningServer, tokens: dict[str, str]) -> Client:
    """A plain user."""
    return Client(server.url, tokens["anno1"])
