"""A CVAT of the user's: it answers before the first test, and nothing of ours is on it at the end.

Tasks and projects are compared by their ids: what we own there and what is newer than the tests is
named, and the run has failed. It is not deleted, as somebody else may work under the same name.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from relabel.cvat import CvatClient, CvatConfig
from relabel.errors import RelabelError
from tests.cvat_fixtures import is_real

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTS = ("tasks", "projects")
_NEWEST = pytest.StashKey[dict[str, int]]()
_LEFT = pytest.StashKey[list[str]]()


@dataclass(frozen=True)
class _Visit:
    """What we see of a server.

    Args:
        client: the server
    """

    client: CvatClient

    def newest(self) -> dict[str, int]:
        """The largest id of each list."""
        return {name: max((item for item, _ in self._owned(name)), default=0) for name in _LISTS}

    def since(self, newest: dict[str, int]) -> list[str]:
        """What we own that is newer."""
        return [
            f"{name.removesuffix('s')} {number} {title!r}"
            for name in _LISTS
            for number, title in self._owned(name)
            if number > newest[name]
        ]

    def _owned(self, name: str) -> Iterator[tuple[int, str]]:
        condition = json.dumps({"==": [{"var": "owner"}, self.client.user.username]})
        for item in self.client._transport.pages(f"/api/{name}", filter=condition):
            yield item["id"], item["name"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Ends the run at once if the server cannot be used."""
    if not is_real():
        return
    try:
        with CvatClient(CvatConfig.from_mapping(os.environ)) as client:
            session.config.stash[_NEWEST] = _Visit(client).newest()
    except RelabelError as error:
        pytest.exit(str(error), returncode=2)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Looks for what the tests have left."""
    newest = session.config.stash.get(_NEWEST, None)
    if newest is None:
        return
    try:
        with CvatClient(CvatConfig.from_mapping(os.environ)) as client:
            left = _Visit(client).since(newest)
    except RelabelError as error:
        left = [f"nobody knows what: {error}"]
    session.config.stash[_LEFT] = left
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what is left."""
    left = config.stash.get(_LEFT, None)
    if left is None:
        return
    terminalreporter.section("what the tests left on the CVAT server")
    terminalreporter.write_line("\n".join(left) or "nothing")
