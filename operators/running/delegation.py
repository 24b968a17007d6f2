"""Where an operator that does heavy work runs: on an alive executor if there is one, else here."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo
from fiftyone.operators import types
from fiftyone.operators.executor import ExecutionOptions

from ...relabel.compute.executors import alive
from ...relabel.errors import RelabelError
from ..forms import count_in_time, show_notice, show_unknown_choices, show_warning
from .forecasts import Work, machine_here, machines_of, note_work, remember, say_how_long
from .long_operator import LongOperator
from .pace import Pace
from .ray_cluster import address_of_cluster, tell_of_cluster
from .streaming import reporter, run_with_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fiftyone.operators.message import GeneratedMessage

    from ...relabel.compute.executors import Executor
    from .streaming import Report

RUN_ON = "run_on"
HERE = "here"
LATER = "later"
_REPORT_SECONDS = 1.0


class DelegatedOperator(LongOperator):
    """Base of operators that do heavy work.

    The form field ``run_on`` decides: the target of an executor, or ``"here"``. Without it (a
    notebook that does not pass it) the caller's ``request_delegation`` decides. A delegated run
    goes to the target that was chosen, else asked for, else to that of an alive executor.

    The target travels in a form field because the App forgets the one that it is told.

    Run at once, it shows its progress in the App and can be cancelled there: what a subclass does
    is in ``run``, which may end wherever it reports; what it then asks of the App in ``show``; and
    what it says of the result in ``output``.

    Attributes:
        uses_cluster: whether it works on a Ray cluster if one is configured
    """

    uses_cluster: ClassVar[bool] = False

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Does the work.

        Args:
            ctx: the execution context
            report: takes the share that is done, from 0 to 1, and what is being done. It raises
                `Cancelled` when the work is no longer wanted

        Returns:
            the operator's result
        """
        raise NotImplementedError

    def works_with(self, ctx: Any) -> str:  # noqa: ARG002
        """The model on which its pace depends, or where vectors come from; empty if on neither.

        The form asks at every keystroke: nothing is loaded, nothing raised.
        """
        return ""

    def units(self, ctx: Any, step: str, samples: int) -> float:  # noqa: ARG002
        """How much work a step is, in what `progress_reporter` counted: one for each sample.

        Args:
            ctx: the execution context
            step: which step
            samples: how many samples are targeted
        """
        return samples

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:  # noqa: ARG002
        """What is asked of the App after a run at once."""
        return [ctx.ops.reload_dataset()]

    def output(self, ctx: Any) -> types.Property:
        """What is said of the result."""
        raise NotImplementedError

    def execute(self, ctx: Any) -> Any:
        """Runs it; see :func:`run_with_progress`."""
        return run_with_progress(
            self,
            ctx,
            lambda report: self._work(ctx, report),
            lambda result: [] if ctx.delegated else self.show(ctx, result),
            cancellable=True,
        )

    def _work(self, ctx: Any, report: Report) -> dict[str, Any]:
        note_work(ctx, self._work_of(ctx))
        return self.run(ctx, report)

    def _work_of(self, ctx: Any) -> Work:
        cluster = address_of_cluster(ctx) if self.uses_cluster else None
        return Work(self.works_with(ctx), cluster)

    def resolve_output(self, ctx: Any) -> types.Property:
        """What is said of the result; the App asks even though the stream has shown it."""
        return self.output(ctx) if ctx.results else types.Property(types.Object())

    def resolve_execution_options(self, ctx: Any) -> ExecutionOptions:
        """Offers to delegate first when an executor is alive, else to run at once."""
        chosen = ctx.params.get(RUN_ON)
        delegated = chosen != HERE if chosen else bool(alive())
        # The App can only press "Schedule" where this is set; else its button must stay usable,
        # and resolve_delegation() makes it delegate.
        can_schedule = bool(fo.config.allow_legacy_orchestrators)
        return ExecutionOptions(
            allow_immediate_execution=not (chosen and delegated and can_schedule),
            allow_delegated_execution=True,
            default_choice_to_delegated=delegated,
        )

    def resolve_delegation(self, ctx: Any) -> bool | None:
        """Routes to the target that was chosen, else to an alive executor's."""
        chosen = ctx.params.get(RUN_ON)
        if chosen and chosen != HERE:
            ctx.request_params["delegation_target"] = None if chosen == LATER else chosen
            return True
        if ctx.requesting_delegated_execution and not ctx.delegation_target:
            ctx.request_params["delegation_target"] = _target_of(alive())
        return None

    def ask_where_to_run(self, ctx: Any, inputs: types.Object) -> str:
        """Adds to a form where the operator runs, the choice, and how long it will take.

        To be called last: of all choices of the form it says what there is to choose.

        Two reads of the database, and a count of the target if it is there in time.

        Returns:
            the label for the form's button
        """
        show_unknown_choices(ctx, inputs)
        executors = alive()
        chosen = ctx.params.get(RUN_ON) or _target_of(executors) or HERE
        choices = _choices(executors, chosen)
        default = choices.values()[0] if executors else HERE
        inputs.enum(RUN_ON, choices.values(), default=default, label="Run on", view=choices)
        show = show_notice if executors else show_warning
        how_long = self._how_long(ctx, chosen, executors)
        show(inputs, "where", f"{_where(chosen, executors)} {how_long}")
        if self.uses_cluster:
            tell_of_cluster(ctx, inputs)
        if chosen == HERE:
            return "Run here"
        return "Queue" if chosen == LATER else f"Schedule on {chosen}"

    def _how_long(self, ctx: Any, chosen: str, executors: list[Executor]) -> str:
        takers = [] if chosen == LATER else [one for one in executors if one.takes(chosen)]
        machines = [machine_here()] if chosen == HERE else machines_of(takers)
        try:
            samples = count_in_time(ctx)
            if samples is None:
                return "How long is not known before the samples are counted."
            return say_how_long(
                self.uri, machines, self._work_of(ctx), lambda step: self.units(ctx, step, samples)
            )
        except RelabelError:
            return ""  # the form says already what is wrong with its answers


def runs_elsewhere(ctx: Any) -> bool:
    """Whether an executor is to run it, which has files and packages of its own."""
    return ctx.params.get(RUN_ON, HERE) != HERE or bool(ctx.requesting_delegated_execution)


def progress_reporter(
    ctx: Any, what: str, report: Report | None = None, *, units: float | None = None
) -> Callable[[int, int], None]:
    """Makes a progress callback that reports to FiftyOne, if delegated once a second.

    An operation that was cancelled ends there: the callback raises `Cancelled`. It says how long
    the rest will take; how long all took from the first call on is remembered, for forms.

    Args:
        ctx: the execution context
        what: what is counted, e.g. ``"images"``
        report: as `run_with_progress` hands it out; by default as of a delegated operation
        units: how much work all of it is, as `DelegatedOperator.units` says; by default as much
            as is counted

    Returns:
        a function of how many are done and how many there are
    """
    say = report or reporter(ctx)
    last = 0.0
    began: tuple[float, int] | None = None
    pace = Pace()

    def tell(done: int, total: int) -> None:
        nonlocal last, began
        now = time.monotonic()
        share_done = done / total if total else 1.0
        if began is None:
            began = (now, done)
            pace.left(share_done)
        # What runs at once hears of a cancellation at no cost; a delegated run asks the database.
        if ctx.delegated and done < total and now - last < _REPORT_SECONDS:
            return
        last = now
        say(share_done, f"{done:,} of {total:,} {what}{pace.left(share_done)}")
        if done == total and done > began[1]:
            share = (done - began[1]) / total
            remember(ctx, what, share * (total if units is None else units), now - began[0])

    return tell


def steps_reporter(ctx: Any, report: Report, *, units: float) -> Callable[[str, int, int], None]:
    """The same for work of several steps, each of which is counted by itself.

    Args:
        ctx: the execution context
        report: as `run_with_progress` hands it out
        units: how much work each of them is, as `DelegatedOperator.units` says

    Returns:
        a function of what is counted, how many are done and how many there are
    """

    @functools.cache
    def reporter_of(step: str) -> Callable[[int, int], None]:
        return progress_reporter(ctx, step, report, units=units)

    return lambda step, done, total: reporter_of(step)(done, total)


def _choices(executors: list[Executor], chosen: str) -> types.RadioGroup:
    """The targets of alive executors, or none yet; here; what was chosen, alive or not."""
    choices = types.RadioGroup()
    for target, found in _by_target(executors).items():
        choices.add_choice(target, label=", ".join(map(str, found)))
    if not executors:
        choices.add_choice(LATER, label="On the next executor that starts")
    if chosen not in (HERE, LATER, *choices.values()):
        choices.add_choice(chosen, label=f"{chosen} (none is alive)")
    choices.add_choice(HERE, label="Here, at once")
    return choices


def _by_target(executors: list[Executor]) -> dict[str, list[Executor]]:
    targets: dict[str, list[Executor]] = {}
    for executor in executors:
        for target in executor.targets:
            targets.setdefault(target, []).append(executor)
    return targets


def _target_of(executors: list[Executor]) -> str | None:
    return executors[0].targets[0] if executors else None


def _where(chosen: str, executors: list[Executor]) -> str:
    if chosen == HERE:
        none = "" if executors else "No executor is alive (make executor TARGET=gpu starts one). "
        return (
            f"{none}Runs here, at once. The App waits for it. If it is cancelled, the step that "
            "it is at goes on to its end; only an executor cuts that short."
        )
    if chosen == LATER:
        return "It is queued until an executor takes what names no target (--also-untargeted)."
    found = [executor for executor in executors if executor.takes(chosen)]
    if not found:
        return f"No executor for {chosen} is alive: it waits until one is."
    busy = sum(executor.operation is not None for executor in found)
    queue = f" {busy} of {len(found)} busy: it may wait." if busy else ""
    heard = (f"{one}, heard of {one.silent_seconds:.0f} s ago" for one in found)
    return f"Runs on executor {'; '.join(heard)}.{queue}"
