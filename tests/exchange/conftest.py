"""Which CVAT the exchange is tested against: a real one if it is named, else the stand-in."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def cvat_url(request: pytest.FixtureRequest) -> str:
    """The address of the server."""
    return os.environ.get("FIFTYONE_CVAT_URL") or request.getfixturevalue("cvat").url


@pytest.fixture(scope="session")
def cvat_admin(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Name and password of a user who may do everything."""
    if os.environ.get("FIFTYONE_CVAT_URL"):
        return os.environ["FIFTYONE_CVAT_USERNAME"], os.environ["FIFTYONE_CVAT_PASSWORD"]
    return "lead", request.getfixturevalue("cvat").users["lead"]
