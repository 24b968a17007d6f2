"""Waits until the server has made frames and jobs out of the files of tasks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import CvatDataRejected, CvatNotFound, CvatRejected, CvatServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .transport import Transport

_FIRST_POLL, _SLOWEST_POLL = 0.2, 5.0
_LISTED = 500


def wait_until_read(transport: Transport, task_ids: Iterable[int]) -> set[int]:
    """Waits until the server has read the files of tasks, all in one request at a time.

    Returns:
        the tasks that the server knows nothing about: nothing was sent, or it was read so long
        ago (minutes) that it does not remember

    Raises:
        CvatDataRejected: if it cannot read the files of one of them
        CvatServerError: if it does not come to an end in time
    """
    waiting, unknown = set(task_ids), set[int]()
    deadline = time.monotonic() + transport.config.timeouts.processing
    pause = _FIRST_POLL
    while waiting:
        answers = _ask(transport, waiting)
        unknown |= waiting - answers.keys()
        for task_id, answer in answers.items():
            _check(task_id, answer)
        waiting = {number for number, answer in answers.items() if answer["status"] != "finished"}
        if not waiting:
            break
        if time.monotonic() > deadline:
            raise CvatServerError(
                f"CVAT has not read the images of task {min(waiting)} in time.",
                "Its import workers may be down or busy; ask its administrator.",
            )
        time.sleep(pause)
        pause = min(pause * 1.6, _SLOWEST_POLL)
    return unknown


def _ask(transport: Transport, task_ids: set[int]) -> dict[int, dict[str, Any]]:
    """What the server says of the reading of tasks, as far as it remembers."""
    answers: dict[int, dict[str, Any]] = {}
    if len(task_ids) > 1:
        listed = transport.get("/api/requests", action="create", target="task", page_size=_LISTED)
        for item in listed["results"]:
            task_id = item["operation"]["task_id"]
            if task_id in task_ids:
                answers[task_id] = item
    for task_id in task_ids - answers.keys():
        request = quote(f"action=create&target=task&target_id={task_id}", safe="")
        try:
            answers[task_id] = transport.get(f"/api/requests/{request}")
        except (CvatNotFound, CvatRejected):
            continue
    return answers


def _check(task_id: int, answer: dict[str, Any]) -> None:
    if answer["status"] == "failed":
        reason = str(answer["message"]).strip().splitlines()[-1:] or ["no reason given"]
        raise CvatDataRejected(f"CVAT could not read the images: {reason[0]}", task_id=task_id)
