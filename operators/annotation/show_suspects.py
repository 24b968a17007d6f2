"""``show_suspects``: tells annotators of a round which labels are probably wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import add_remarks
from ...relabel.evaluation.label_errors.runs import (
    label_error_runs,
    require_queue,
)
from ..forms import as_form, as_output, errors_shown, field_choice
from ..running.delegation import progress_reporter
from ..running.long_operator import LongOperator
from ..running.streaming import run_with_progress
from .cvat_server import client_of
from .rounds import ask_for_round
from .send_suspects import suspects_of

if TYPE_CHECKING:
    import fiftyone.operators as foo

    from ..running.streaming import Report


class ShowSuspects(LongOperator):
    """Puts what a queue suspects and no round has settled into CVAT, as issues at their places.

    Parameters:
        key: the name of a round that is out
        queue: the name of a queue of label errors, by default the last
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "show_suspects",
            "Show suspects in CVAT",
            description="Tell annotators of a round which labels are probably wrong",
            icon="announcement",
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the round and the queue."""
        inputs = types.Object()
        ask_for_round(ctx, inputs)
        queues = label_error_runs(ctx.dataset)
        with errors_shown(inputs, "problem"):
            require_queue(ctx.dataset, _queue(ctx, queues))
        if queues:
            field_choice(inputs, "queue", queues, label="Queue", default=queues[-1])
        return as_form(inputs, "Show suspects in CVAT", "Show")

    def execute(self, ctx: Any) -> Any:
        """Makes the issues that are not there yet; see :func:`run_with_progress`."""
        return run_with_progress(self, ctx, lambda report: _show(ctx, report), cancellable=True)

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says how many annotators see now."""
        rows = [
            ("key", "Round"),
            ("added", "New"),
            ("present", "There already"),
            ("elsewhere", "Of images that the round does not have"),
        ]
        return as_output("Shown to annotators", rows)


def _show(ctx: Any, report: Report) -> dict[str, Any]:
    remarks = suspects_of(ctx.dataset, _queue(ctx, label_error_runs(ctx.dataset)))
    tell = progress_reporter(ctx, "suspicions", report)
    return asdict(add_remarks(ctx.dataset, ctx.params["key"], client_of(ctx), remarks, tell))


def _queue(ctx: Any, queues: list[str]) -> str:
    return ctx.params.get("queue") or (queues[-1] if queues else "")
