"""A CVAT for the tests: a real one if the environment names it, else the stand-in of the demo."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="session")
def cvat_url(request: pytest.FixtureRequest) -> str:
    """The address of the server."""
    return os.environ.get("FIFTYONE_CVAT_URL") or request.getfixturevalue("cvat").url


@pytest.fixture(scope="session")
def cvat_admin(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and password of a user who may do everything."""
    if not os.environ.get("FIFTYONE_CVAT_URL"):
        return "lead", request.getfixturevalue("cvat").users["lead"]
    name, password = (os.environ.get(f"FIFTYONE_CVAT_{key}") for key in ("USERNAME", "PASSWORD"))
    if not name or not password:
        pytest.fail(
            "CVAT's own client and stock FiftyOne are tested with a password: set "
            "FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD"
        )
    return name, password


@pytest.fixture(scope="session")
def cvat_team(request: pytest.FixtureRequest, cvat_admin: tuple[str, str]) -> tuple[str, ...]:
    """The names of three users who may be given jobs; on a real server thrice the same."""
    if os.environ.get("FIFTYONE_CVAT_URL"):
        return (cvat_admin[0],) * 3
    return ("ann.a", "ann.b", "ann.c")
