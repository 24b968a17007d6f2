"""``send_to_review``: moves jobs of a round to the validation stage, to reviewers in turn."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.annotation import send_to_review
from ..forms import as_form, as_output
from .cvat_server import client_of
from .rounds import ask_for_jobs, ask_for_round


class SendToReview(foo.Operator):
    """Moves jobs of a round to the validation stage, each to a reviewer in turn.

    Parameters:
        key: the name of the round
        jobs: the ids of the jobs; by default all that are completed in the annotation stage
        reviewers: the names of the reviewers; by default those of the round
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="send_to_review",
            label="Send completed jobs to review in CVAT",
            description="Move jobs to the validation stage, to reviewers in turn",
            icon="rate_review",
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        if ask_for_round(ctx, inputs):
            ask_for_jobs(inputs, description="Leave it empty for all completed jobs")
            inputs.list(
                "reviewers",
                types.String(),
                label="Reviewers",
                description="CVAT user names; leave it empty for the reviewers of the round",
            )
        return as_form(inputs, "Send jobs to review", "Send")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Moves the jobs."""
        moved = send_to_review(
            ctx.dataset,
            ctx.params["key"],
            client_of(ctx),
            [int(job) for job in ctx.params.get("jobs") or ()],
            tuple(ctx.params.get("reviewers") or ()),
        )
        return {"key": ctx.params["key"], "changed": moved, "jobs": len(moved)}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What was moved."""
        return as_output("Sent to review", [("key", "Round"), ("jobs", "Jobs moved")])
