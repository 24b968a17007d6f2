"""What a round has on a server, also what was made late: an answer that was lost says nothing.

A server may carry out a request after we have given it up, even after we have asked what is there
and have made the same anew. Tasks carry a text of ours, by which they are found again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ...cvat import CvatError
from ..record.late import late_rounds, note_late
from ..record.round import trackers
from .projects import delete_made_projects, discard_project

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo

    from ...cvat import CvatClient
    from ..record.late import Late
    from ..record.round import Round

logger = logging.getLogger(__name__)


def delete_tasks(record: Round, client: CvatClient) -> None:
    """Deletes every task of a round, and looks once more when that is done.

    What the server makes even later is deleted by :func:`delete_late`.
    """
    note_late(record, discarded=True)
    known = {task.id for task in record.tasks if task.id}
    _delete(known | _found(trackers(record), client), client)
    _delete(_found(trackers(record), client), client)


def delete_strays(record: Round, client: CvatClient) -> None:
    """Deletes what was made twice: tasks and an empty project that the round does not go on with.

    Args:
        record: the round, all of whose tasks and whose project are known
        client: the server
    """
    note_late(record, discarded=False)
    _delete(_found(trackers(record), client) - {task.id for task in record.tasks}, client)
    discard_project(record, client, keep=record.project_id)


def delete_late(dataset: fo.Dataset, client: CvatClient, *, rarely: bool = False) -> None:
    """Deletes what the server has made of rounds after they were resumed or discarded.

    Status and resuming look for it, a day long; it costs no request where nothing can come. If
    the server does not let us, it stays until the next time.

    Args:
        dataset: the dataset of the rounds
        client: the server
        rarely: whether it is asked at most once a minute
    """
    for late in late_rounds(dataset, client.server.url, rarely=rarely):
        try:
            _delete_late(late, client)
        except CvatError as error:
            logger.info("What was made late could not be looked for: %s", error)


def _delete_late(late: Late, client: CvatClient) -> None:
    _delete(_found(late.trackers, client) - set(late.tasks), client)
    if late.project:
        delete_made_projects(late.project, late.project_tracker, client, keep=late.project_id)


def _found(texts: Iterable[str], client: CvatClient) -> set[int]:
    return set().union(*client.find_tasks(texts).values())


def _delete(task_ids: set[int], client: CvatClient) -> None:
    for task_id in sorted(task_ids):
        client.delete_task(task_id)
