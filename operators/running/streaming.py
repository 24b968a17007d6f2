"""Shows in the App how far an operator is that runs at once, and how it ended.

The App shows progress only of an operator that executes as a generator; from Python and on an
executor such an operator would have no result. So the operators here are both: they stream to the
App, and just run anywhere else.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fiftyone.operators import types

from ...relabel.annotation import on_behalf_of
from ...relabel.errors import RelabelError, Unforeseen
from ..forms import show_error
from .cancelling import Cancelled, Running, operation_of, require_wanted, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    import fiftyone.operators as foo
    from fiftyone.operators.message import GeneratedMessage

    Report = Callable[[float, str], None]
    Work = Callable[[Report], dict[str, Any]]
    Afterwards = Callable[[dict[str, Any]], Sequence[GeneratedMessage]]

logger = logging.getLogger(__name__)
_log = logging.getLogger("relabel.operation")  # FiftyOne's own loggers have handlers of theirs

CANCEL = "@relabel/cvat/cancel_run"
_REPORT_SECONDS = 0.2
_SENT_BY_THE_APP_ONLY = "sample_selection_style"
_LOG_SECONDS = 10.0
_VARIES = re.compile(r"[\d,.]+|, [^,]* left$")  # of what is told of one step of the work


@runtime_checkable
class Shows(Protocol):
    """An operator that asks the App for something once it has a result."""

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Asks the App, with ``ctx.ops``, to show what the operator has made."""


def run_with_progress(
    operator: foo.Operator,
    ctx: Any,
    work: Work,
    afterwards: Afterwards = lambda _: (),
    *,
    cancellable: bool = False,
) -> dict[str, Any] | Iterator[GeneratedMessage]:
    """Runs an operator that has ``execute_as_generator`` in its configuration.

    If the App's user goes away, the work goes on to its end.

    Args:
        operator: the operator, whose ``resolve_output`` shows the result
        ctx: its execution context
        work: what it does. It is handed a function that takes the share that is done, from 0 to 1,
            and what is being done
        afterwards: takes the result and asks the App for something, with ``ctx.ops``
        cancellable: whether the function that takes the share may raise `Cancelled`: the work
            then ends there, and leaves everything as it was

    Returns:
        what the work returns; to the App, a stream of progress that ends with the output
    """
    if not ctx.delegated and _SENT_BY_THE_APP_ONLY in ctx.request_params:
        return _stream(operator, ctx, work, afterwards, cancellable=cancellable)

    with on_behalf_of(operation_of(ctx)):
        result = work(reporter(ctx, cancellable=cancellable))
    afterwards(result)
    return result


def reporter(ctx: Any, *, cancellable: bool = True) -> Report:
    """Reports the progress of a delegated operation, of which one at once has nobody to tell.

    What an executor's operation tells is in its log as well, each step and then now and again.

    Args:
        ctx: its execution context
        cancellable: whether it raises `Cancelled` when the operation was cancelled
    """
    logged = ("", 0.0)

    def report(share: float, label: str) -> None:
        nonlocal logged
        if cancellable:
            require_wanted(ctx)
        step, now = _VARIES.sub("", label), time.monotonic()
        if ctx.delegated and (step != logged[0] or now - logged[1] > _LOG_SECONDS):
            logged = (step, now)
            _log.info("%s", label)
        ctx.set_progress(progress=share, label=label)

    return report


def tell_if_delegated(ctx: Any, share: float, label: str) -> None:
    """Reports how far short work is, which at once is over before anybody could read it.

    Raises:
        Cancelled: if it was
    """
    if ctx.delegated:
        reporter(ctx)(share, label)


def to_its_end(report: Report) -> Report:
    """Reports what is not cancelled any more, as something has been written."""

    def tell(share: float, label: str) -> None:
        with contextlib.suppress(Cancelled):
            report(share, label)

    return tell


def _stream(
    operator: foo.Operator, ctx: Any, work: Work, afterwards: Afterwards, *, cancellable: bool
) -> Iterator[GeneratedMessage]:
    latest = told = (0.0, "Starting")

    def report(share: float, label: str) -> None:
        nonlocal latest
        this.require_wanted()
        latest = (share, label)

    with running() as this, ThreadPoolExecutor(1) as executor:
        yield _progress(ctx, *latest, this if cancellable else None)
        future = executor.submit(work, report)
        while wait([future], _REPORT_SECONDS).not_done:
            if this.cancelled.is_set():
                latest = (
                    latest[0],
                    "Ends with the step that it is at; only an executor cuts that short",
                )
            if told != latest:
                told = latest
                yield _progress(ctx, *latest, this if cancellable else None)
    error = _error_of(future)
    if error is None:
        result = future.result()
        yield from afterwards(result)
        ctx.request_params["results"] = result
        yield ctx.ops.show_output(operator.resolve_output(ctx).to_json(), result)
    else:
        outputs = types.Object()
        show_error(outputs, "error", error)
        yield ctx.ops.show_output(types.Property(outputs).to_json(), {})


def _progress(ctx: Any, share: float, label: str, this: Running | None) -> GeneratedMessage:
    """The App's dialog of progress, with a button to cancel if that is possible."""
    if this is None:
        return ctx.ops.set_progress(progress=share, label=label)
    outputs = types.Object()
    outputs.float("progress", view=types.ProgressView(label=label))
    outputs.btn(
        "cancel",
        "Cancel",
        on_click=CANCEL,
        params={"run": this.key},
        disabled=this.cancelled.is_set(),
    )
    return ctx.ops.show_output(types.Property(outputs).to_json(), {"progress": share})


def _error_of(future: Future[dict[str, Any]]) -> RelabelError | None:
    error = future.exception()
    if error is None or isinstance(error, RelabelError):
        return error
    logger.error("An operator failed", exc_info=error)
    return Unforeseen(error)
