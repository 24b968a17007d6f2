"""``resume_round``: goes on with a round that was interrupted while it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import RoundState, resume_push, rounds_with_unsaid
from ..forms import as_form, as_output
from ..running.cancelling import begin_writing, operation_of
from ..running.long_operator import LongOperator
from ..running.pace import paced
from ..running.streaming import run_with_progress
from .cvat_server import client_of
from .rounds import ask_for_interrupted_round

if TYPE_CHECKING:
    import fiftyone.operators as foo

    from ...relabel.annotation import Round
    from ..running.streaming import Report


class ResumeRound(LongOperator):
    """Sends what an interrupted push did not come to, and shows what it was to show annotators.

    Cancelling it keeps what was sent: the round can be resumed again, or discarded.

    Parameters:
        key: the name of the round
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "resume_round",
            "Resume an interrupted round",
            description="Send to CVAT what an interrupted push did not come to",
            icon="play_arrow",
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        mine = operation_of(ctx)
        ask_for_interrupted_round(ctx, inputs, lambda rounds: _resumable(rounds, mine))
        return as_form(inputs, "Resume an interrupted round", "Resume")

    def execute(self, ctx: Any) -> Any:
        """Goes on with the round; see :func:`run_with_progress`."""
        return run_with_progress(self, ctx, lambda report: _resume(ctx, report), cancellable=True)

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What is out now."""
        rows = [("key", "Round"), ("images", "Images"), ("labels", "Labels")]
        return as_output("Round sent", rows)


def _resumable(rounds: list[Round], operation: str | None) -> list[Round]:
    """Those that were interrupted, and what an earlier attempt of an operation has resumed."""
    unsaid = rounds_with_unsaid(rounds)
    return [
        record
        for record in rounds
        if record.state is RoundState.PUSHING
        or (record.state is RoundState.OUT and record in unsaid)
        or (operation and record.operation == operation)
    ]


def _resume(ctx: Any, report: Report) -> dict[str, Any]:
    record = resume_push(
        ctx.dataset,
        ctx.params["key"],
        client_of(ctx),
        paced(report),
        before_out=lambda: begin_writing(ctx),
    )
    return {"key": record.key, "images": record.images, "labels": record.labels}
