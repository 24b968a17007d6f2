"""Gives up a round that was interrupted: nothing of it stays on either side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..dataset.tags import tag_discarded
from ..errors import RoundError
from ..record.baseline import samples_of_round
from ..record.connection import check_server
from ..record.round import Round, RoundState
from ..record.rounds import forget_round, holding, load_round, save_round
from ..stock.stock import delete_run
from .projects import discard_project
from .strays import delete_tasks

if TYPE_CHECKING:
    import fiftyone as fo

    from ...cvat import CvatClient


def discard_round(dataset: fo.Dataset, key: str, client: CvatClient) -> None:
    """Removes a round that was never sent to its end, from CVAT and from FiftyOne.

    Args:
        dataset: the dataset
        key: the round
        client: the server that it is on

    Raises:
        UnknownRound: if there is no such round
        RoundError: if it is out: annotators may have worked on it
        RoundBusy: if somebody is sending it at this moment
        CvatError: if the server cannot be reached; the same call goes on then
    """
    record = load_round(dataset, key)
    check_server(record, client)
    with holding(record):
        record = load_round(dataset, key)
        if record.state is RoundState.OUT:
            raise RoundError(
                f"The round {key!r} is out; annotators may have worked on it.",
                "Delete its tasks in CVAT, then the annotation run in FiftyOne.",
            )
        discard_held(dataset, record, client)


def discard_held(dataset: fo.Dataset, record: Round, client: CvatClient) -> None:
    """The same, by who holds the round already.

    That it is being given up is recorded first, so that nobody goes on with what is left of it.
    """
    save_round(replace(record, state=RoundState.DISCARDING))
    delete_tasks(record, client)
    tag_discarded(dataset, samples_of_round(record.id))
    discard_project(record, client)
    delete_run(dataset, record.key)
    forget_round(record.id)
