"""Waits until the server has made frames and jobs out of the files of tasks."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .errors import CvatDataRejected, CvatForbidden, CvatNeverRead, CvatNotFound, CvatRejected

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .transport import Transport

_FIRST_POLL, _SLOWEST_POLL = 0.2, 5.0
_LISTED = 500
_IDS_PER_FILTER = 300  # keeps the address of a request below 4 kB, which every proxy takes
_EMPTY = "empty"
_ENDED = {"finished", _EMPTY}


class ReadingProgress(Protocol):
    """Hears how far the server is."""

    def __call__(self, left: int, total: int) -> None:
        """Takes how many tasks are still being read, and of how many."""


def wait_until_read(
    transport: Transport, task_ids: Iterable[int], progress: ReadingProgress | None = None
) -> set[int]:
    """Waits until the server has read the files of tasks, all in one request at a time.

    Of what the server has forgotten, or of all if it is too old to tell, the tasks themselves
    are asked.

    Args:
        transport: the connection
        task_ids: the tasks
        progress: called each time that the server is asked

    Returns:
        the tasks that have no frames and get none: nothing was sent

    Raises:
        CvatDataRejected: if it cannot read the files of one of them
        CvatNeverRead: if it has read none of them for the time that the configuration allows
    """
    waiting, empty = set(task_ids), set[int]()
    total = len(waiting)
    patience = transport.config.timeouts.processing
    deadline = time.monotonic() + patience
    pause = _FIRST_POLL
    while waiting:
        if progress:
            progress(len(waiting), total)
        answers = _ask(transport, waiting)
        unknown = waiting - answers.keys()
        filled = _filled(transport, unknown) if unknown else set()
        for task_id in unknown - filled:
            answers[task_id] = _ask_task(transport, task_id)
        for task_id, answer in answers.items():
            _check(task_id, answer)
        empty |= {number for number, item in answers.items() if item["status"] == _EMPTY}
        left = {number for number, item in answers.items() if item["status"] not in _ENDED}
        if len(left) < len(waiting):
            deadline = time.monotonic() + patience
        waiting = left
        if waiting and time.monotonic() > deadline:
            raise CvatNeverRead(
                f"CVAT has not read the images of task {min(waiting)} after {patience / 60:.0f} "
                "minutes.",
                "Its import workers may be down or busy: ask its administrator. If they only need "
                "longer, set FIFTYONE_CVAT_READING_MINUTES.",
            )
        if waiting:
            time.sleep(pause)
            pause = min(pause * 1.6, _SLOWEST_POLL)
    return empty


def _ask(transport: Transport, task_ids: set[int]) -> dict[int, dict[str, Any]]:
    """What the server says of the reading of tasks, as far as it remembers."""
    answers: dict[int, dict[str, Any]] = {}
    if len(task_ids) > 1:
        try:
            listed = transport.get(
                "/api/requests", action="create", target="task", page_size=_LISTED
            )
        except CvatNotFound:  # a server that is too old for it
            return answers
        for item in listed["results"]:
            task_id = item["operation"].get("task_id")
            if task_id in task_ids:
                answers[task_id] = item
    for task_id in task_ids - answers.keys():
        request = quote(f"action=create&target=task&target_id={task_id}", safe="")
        try:
            answers[task_id] = transport.get(f"/api/requests/{request}")
        except (CvatForbidden, CvatNotFound, CvatRejected):
            continue  # forgotten, or of somebody else whose round we go on with
    return answers


def _filled(transport: Transport, task_ids: set[int]) -> set[int]:
    """The tasks that have frames and jobs."""
    filled = set()
    remaining = iter(sorted(task_ids))
    while ids := list(itertools.islice(remaining, _IDS_PER_FILTER)):
        condition = json.dumps({"in": [{"var": "id"}, ids]})
        for task in transport.pages("/api/tasks", filter=condition):
            if task.get("size") and task["jobs"]["count"]:
                filled.add(task["id"])
    return filled


def _ask_task(transport: Transport, task_id: int) -> dict[str, Any]:
    """What a task without frames says itself, which old servers know and new ones still tell.

    It says "Finished" while nothing was sent.
    """
    try:
        answer = transport.get(f"/api/tasks/{task_id}/status")
    except CvatNotFound:
        return {"status": _EMPTY}
    status = str(answer["state"]).lower()
    return {**answer, "status": _EMPTY if status == "finished" else status}


def _check(task_id: int, answer: dict[str, Any]) -> None:
    if answer["status"] == "failed":
        reason = str(answer["message"]).strip().splitlines()[-1:] or ["no reason given"]
        raise CvatDataRejected(f"CVAT could not read the images: {reason[0]}", task_id=task_id)
