"""Sends a round to CVAT. What was interrupted goes on where it stood."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ...cvat import (
    CvatDataRejected,
    CvatError,
    CvatServerError,
    CvatThrottled,
    CvatUnauthorized,
    CvatUnreachable,
)
from ..dataset.groups import every_sample
from ..errors import RoundNameTaken, UnknownRound
from ..planning.intents import about_to_register, forget_torn_run
from ..planning.plan import check_key
from ..planning.planned import planned_ids
from ..progress import silent
from ..record.lease import this_operation
from ..record.remarks import rounds_with_unsaid, save_unsaid
from ..record.round import Round, RoundState
from ..record.rounds import forget_orphans, holding, list_rounds, load_round, save_round
from ..stock.stock import register_run
from .discard import discard_held, discard_round
from .projects import check_project
from .remarks import say_remarks
from .sending import Sending
from .strays import delete_late

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import fiftyone as fo

    from ...cvat import CvatClient
    from ..planning.plan import Plan
    from ..progress import Progress
    from ..record.remarks import Remark

logger = logging.getLogger(__name__)

_PASSING = (CvatUnreachable, CvatServerError, CvatThrottled, CvatUnauthorized)


def push(
    dataset: fo.Dataset,
    plan: Plan,
    client: CvatClient,
    progress: Progress | None = None,
    remarks: Sequence[Remark] = (),
    *,
    before_out: Callable[[], None] = lambda: None,
) -> Round:
    """Sends a round.

    Every step is recorded before it is taken. After a crash, or an error that may pass, the same
    call goes on where it stood; :func:`discard_round` gives it up instead. After any other error,
    and after Cancel, what was made in CVAT and in FiftyOne is removed at once.

    Args:
        dataset: the dataset
        plan: what to send
        client: where to
        progress: hears how far it is; if it raises, it is cancelled
        remarks: what annotators are to be told once it is out, with :func:`say_remarks`
        before_out: called once, right before it is noted that it is out; may raise to cancel

    Returns:
        the round, which is out

    Raises:
        UnknownAssignee: if a person is not known to the server; nothing was sent then
        ProjectLacksClasses: if something would have to be added to the project, and may not be
        UnreadableMedia: if an image is missing or cannot be read
        RoundNameTaken: if another round has the name, also one that was interrupted
        RoundBusy: if somebody else is sending it
        CvatError: if the server refuses something or cannot be reached
    """
    request = plan.request
    record = interrupted_round(dataset, request.key)
    if record is not None and record.state is RoundState.DISCARDING:
        discard_round(dataset, request.key, client)
        record = None
    resumed = record is not None
    people = client.find_users(request.people)
    if record is None:
        check_project(request, client)
        record = _begin(dataset, plan, client, remarks)
    else:
        _check_same(record, plan, client)
    sending = Sending(
        dataset, client, people, progress or silent, resumed=resumed, before_out=before_out
    )
    return _send(dataset, record, sending, plan.sample_ids)


def sent_before(dataset: fo.Dataset, key: str, operation: str | None) -> Round | None:
    """The round of that name, if an earlier attempt of an operation has sent it to its end."""
    if operation is None:
        return None
    try:
        record = load_round(dataset, key)
    except UnknownRound:
        return None
    is_out = record.state is RoundState.OUT and record.operation == operation
    return record if is_out else None


def resume_push(
    dataset: fo.Dataset,
    key: str,
    client: CvatClient,
    progress: Progress | None = None,
    *,
    before_out: Callable[[], None] = lambda: None,
) -> Round:
    """Goes on with a round that was interrupted, from what was recorded of it.

    What its annotators were not told yet is said then, also of a round that is out already.

    After an error, and after Cancel, it is an interrupted round still: what was sent before stays,
    and the same call goes on. Only if the server cannot read what it was sent is all removed.

    Args:
        dataset: the dataset
        key: the round
        client: the server that it is on
        progress: hears how far it is; if it raises, it is cancelled
        before_out: called once, right before it is noted that it is out; may raise to cancel

    Raises:
        UnknownRound: if no round of that name was interrupted
        CvatError: if the server refuses something or cannot be reached
    """
    delete_late(dataset, client)
    record = interrupted_round(dataset, key)
    if record is None:
        waiting = rounds_with_unsaid(list_rounds(dataset))
        record = next((one for one in waiting if one.key == key), None)
        record = record or sent_before(dataset, key, this_operation())
        if record is not None:
            _say(dataset, key, client, progress or silent)
            return record
    if record is None or record.state is not RoundState.PUSHING or record.url != client.server.url:
        raise UnknownRound(
            f"There is no interrupted round {key!r} on {client.server.url}.", "Refresh the panel."
        )
    view = dataset.load_annotation_view(key)
    people = client.find_users(record.request.people if record.request else ())
    sending = Sending(
        dataset, client, people, progress or silent, resumed=True, before_out=before_out
    )
    record = _send(dataset, record, sending, tuple(view.values("id")), keeps=True)
    _say(dataset, key, client, silent)
    return record


def _say(dataset: fo.Dataset, key: str, client: CvatClient, progress: Progress) -> None:
    def tell(done: int, total: int) -> None:
        progress(done / total, f"Showed {done:,} of {total:,} remarks to annotators")

    say_remarks(dataset, key, client, tell)


def interrupted_round(dataset: fo.Dataset, key: str) -> Round | None:
    """The round of that name, if it was never sent to its end."""
    try:
        record = load_round(dataset, key)
    except UnknownRound:
        return None
    return None if record.state is RoundState.OUT else record


def _begin(
    dataset: fo.Dataset, plan: Plan, client: CvatClient, remarks: Sequence[Remark]
) -> Round:
    request = plan.request
    forget_torn_run(dataset, request.key)
    check_key(dataset, request.key)
    forget_orphans()
    with about_to_register(dataset, request.key):
        run_id = register_run(
            every_sample(dataset).select(plan.sample_ids, ordered=True),
            request.key,
            url=client.server.url,
            fields=request.fields,
            span=request.span,
        )
        record = Round(
            id=run_id,
            key=request.key,
            dataset_id=dataset._doc.id,  # noqa: SLF001 - the id has no public name
            url=client.server.url,
            fields=request.fields,
            state=RoundState.PUSHING,
            created_at=datetime.now(UTC),
            request=request,
        )
        save_unsaid(record.id, remarks)
        save_round(record)
    return record


def _check_same(record: Round, plan: Plan, client: CvatClient) -> None:
    """Holds that a plan is what was interrupted, so that going on with it is what is wanted."""
    same = record.url == client.server.url and record.request == plan.request
    if same and record.tasks:
        same = planned_ids(record.id) == plan.sample_ids
    if not same:
        raise RoundNameTaken(
            f"A round named {record.key!r} was interrupted, and it is not the same as this one.",
            "Use the operators resume_round or discard_round, or choose another name.",
        )


def _send(
    dataset: fo.Dataset,
    record: Round,
    sending: Sending,
    sample_ids: tuple[str, ...],
    *,
    keeps: bool = False,
) -> Round:
    with holding(record):
        record = replace(load_round(dataset, record.key), operation=this_operation())
        if record.state is RoundState.OUT:
            return record
        try:
            return sending.run(record, sample_ids)
        except _PASSING as error:
            error.advice = (
                f"{error.advice} Then send it again under the same name: it goes on where it "
                "stopped. Or give it up with the operator discard_round."
            ).strip()
            raise
        except BaseException as error:
            named = sending.explain(error)
            # What the server cannot read it could not read the next time either.
            if not keeps or isinstance(error, CvatDataRejected):
                _give_up(dataset, record.key, sending)
            if named is not None:
                raise named from error
            raise


def _give_up(dataset: fo.Dataset, key: str, sending: Sending) -> None:
    with contextlib.suppress(Exception):  # who has cancelled may raise at every word
        sending.tell(1.0, "Removing what was sent")
    try:
        discard_held(dataset, load_round(dataset, key), sending.client)
    except CvatError as error:
        logger.warning("The round %s could not be removed: %s", key, error)
