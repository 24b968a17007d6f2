"""A CVAT for the tests: the stand-in of the demo, one for all tests of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.cvat_server import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.cvat_server import RunningServer


@pytest.fixture(scope="session")
def cvat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A stand-in with the users ``lead`` (administrator), ``ann.a``, ``ann.b`` and ``ann.c``.

    Its limit for requests without a log-in is off, as many tests log in within a minute; the tests
    of the stand-in hold the limit itself.
    """
    folder = tmp_path_factory.mktemp("cvat")
    with running_server(folder, options=("--anonymous-rate", "0")) as server:
        yield server
