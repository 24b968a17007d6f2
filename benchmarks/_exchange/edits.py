"""Somebody who moves boxes in CVAT, with plain requests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from demo.annotator import log_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    import requests

_PIXELS = 2.0


def session() -> tuple[requests.Session, str]:
    """A session of the user that the environment names, and the server's address."""
    url = os.environ["FIFTYONE_CVAT_URL"].rstrip("/")
    name, password = (os.environ[f"FIFTYONE_CVAT_{key}"] for key in ("USERNAME", "PASSWORD"))
    return log_in(url, name, password), url


def move_boxes(jobs: Iterable[int], every: int = 1) -> int:
    """Moves boxes to the right, job by job.

    Args:
        jobs: the ids of the jobs
        every: moves every n-th box of a job

    Returns:
        how many were moved
    """
    http, url = session()
    moved = 0
    for job in jobs:
        address = f"{url}/api/jobs/{job}/annotations"
        shapes = http.get(address).json()["shapes"][::every]
        for shape in shapes:
            left, top, right, bottom = shape["points"]
            shape["points"] = [left + _PIXELS, top, right + _PIXELS, bottom]
        body = {"shapes": shapes, "tags": [], "tracks": []}
        http.patch(address, params={"action": "update"}, json=body).raise_for_status()
        moved += len(shapes)
    return moved
