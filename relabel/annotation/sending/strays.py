"""What a round has on a server, also what was made late: an answer that was lost says nothing.

A server may carry out a request after we have given it up, even after we have asked what is there
and have made the same anew. Tasks carry a text of ours, by which they are found again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record.rounds import trackers
from .projects import discard_project

if TYPE_CHECKING:
    from ...cvat import CvatClient
    from ..record.rounds import Round


def delete_tasks(record: Round, client: CvatClient) -> None:
    """Deletes every task of a round, and looks once more when that is done."""
    known = {task.id for task in record.tasks if task.id}
    _delete(known | _found(record, client), client)
    _delete(_found(record, client), client)


def delete_strays(record: Round, client: CvatClient) -> None:
    """Deletes what was made twice: tasks and an empty project that the round does not go on with.

    Args:
        record: the round, all of whose tasks and whose project are known
        client: the server
    """
    _delete(_found(record, client) - {task.id for task in record.tasks}, client)
    discard_project(record, client, keep=record.project_id)


def _found(record: Round, client: CvatClient) -> set[int]:
    return set().union(*client.find_tasks(trackers(record)).values())


def _delete(task_ids: set[int], client: CvatClient) -> None:
    for task_id in sorted(task_ids):
        client.delete_task(task_id)
