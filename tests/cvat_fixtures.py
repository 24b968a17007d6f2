"""A CVAT for the tests: a real one if the environment names it, else the stand-in of the demo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from demo.cvat_server import running_server
from relabel.cvat import CvatClient, CvatConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.cvat_server import RunningServer

STAND_IN_PEOPLE = ("ann.a", "ann.b", "ann.c", "lead")
ANNOTATOR = "CVAT_TEST_ANNOTATOR"
SHARE = "CVAT_TEST_SHARE"


def is_real() -> bool:
    """Whether the tests have a CVAT of the user's."""
    return bool(os.environ.get("FIFTYONE_CVAT_URL"))


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
def cvat_config(request: pytest.FixtureRequest) -> CvatConfig:
    """The server, and a user who may do everything there."""
    if is_real():
        return CvatConfig.from_mapping(os.environ)
    server = request.getfixturevalue("cvat")
    return CvatConfig(server.url, "lead", server.users["lead"])


@pytest.fixture(scope="session")
def cvat_url(cvat_config: CvatConfig) -> str:
    """The address of the server."""
    return cvat_config.url


@pytest.fixture(scope="session")
def cvat_admin(cvat_config: CvatConfig) -> tuple[str, str]:
    """Name and password of that user, for programs that take nothing else."""
    if not cvat_config.username or not cvat_config.password:
        pytest.skip(
            "stock FiftyOne and CVAT's own client log in with a password: set "
            "FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD"
        )
    return cvat_config.username, cvat_config.password


@pytest.fixture(scope="session")
def cvat_people(cvat_config: CvatConfig) -> tuple[str, ...]:
    """The names of all who may be given jobs, ourselves at the end."""
    if not is_real():
        return STAND_IN_PEOPLE
    with CvatClient(cvat_config) as client:
        others = set(client.user_names()) - {client.user.username}
        return (*sorted(others), client.user.username)


@pytest.fixture(scope="session")
def cvat_team(cvat_people: tuple[str, ...], cvat_url: str) -> tuple[str, ...]:
    """The names of three different users who may be given jobs."""
    if len(cvat_people) < 3:
        pytest.skip(f"{cvat_url} shows us {len(cvat_people)} users, and a team needs three")
    return cvat_people[:3]


@pytest.fixture(scope="session")
def cvat_pair(cvat_people: tuple[str, ...]) -> tuple[str, ...]:
    """The names of two users who may be given jobs, the same twice where there is but one."""
    return (cvat_people * 2)[:2]


@pytest.fixture(scope="session")
def cvat_annotator(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and password of a user who sees nothing but the jobs that he is given."""
    if not is_real():
        return "ann.a", request.getfixturevalue("cvat").users["ann.a"]
    name, _, password = os.environ.get(ANNOTATOR, "").partition(":")
    if not password:
        pytest.skip(f"needs a plain user of the server: set {ANNOTATOR}=name:password")
    return name, password
