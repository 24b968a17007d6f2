"""``show_suspects``: tells annotators of a round which labels are probably wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..relabel.annotation import Remark, add_remarks
from ..relabel.evaluation.label_errors.runs import (
    label_error_runs,
    load_label_errors,
    require_queue,
)
from .cvat_server import client_of
from .delegation import progress_reporter
from .forms import as_form, as_output, errors_shown, field_choice
from .rounds import ask_for_round

if TYPE_CHECKING:
    import fiftyone as fo

    from ..relabel.annotation import RemarksReport
    from ..relabel.cvat import CvatClient


class ShowSuspects(foo.Operator):
    """Puts the suspicions of a queue into CVAT, each as an issue at its place.

    Parameters:
        key: the name of a round that is out
        queue: the name of a queue of label errors, by default the last
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="show_suspects",
            label="Show suspects in CVAT",
            description="Tell annotators of a round which labels are probably wrong",
            icon="announcement",
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
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

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Makes the issues that are not there yet.

        Raises:
            UnknownRound, EvaluationError, CvatError: as said there; the same call goes on then
        """
        queue = _queue(ctx, label_error_runs(ctx.dataset))
        client = client_of(ctx)
        tell = progress_reporter(ctx, "suspicions")
        return asdict(show_suspects(ctx.dataset, ctx.params["key"], queue, client, tell))

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says how many annotators see now."""
        rows = [
            ("key", "Round"),
            ("added", "New"),
            ("present", "There already"),
            ("elsewhere", "Of images that the round does not have"),
        ]
        return as_output("Shown to annotators", rows)


def show_suspects(
    dataset: fo.Dataset, key: str, queue: str, client: CvatClient, tell: Any = None
) -> RemarksReport:
    """Puts the suspicions of a queue into the jobs of a round.

    Args:
        dataset: the dataset
        key: the round
        queue: the queue
        client: the server that has the round
        tell: called with how many are done and how many there are
    """
    errors = load_label_errors(dataset, queue).errors
    remarks = [Remark(error.sample_id, error.box, error.question) for error in errors]
    return add_remarks(dataset, key, client, remarks, tell)


def _queue(ctx: Any, queues: list[str]) -> str:
    return ctx.params.get("queue") or (queues[-1] if queues else "")
