"""Deletes a queue of label errors and every mark that it left on labels."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.evaluation.label_errors.runs import (
    DEFAULT_KEY,
    delete_label_errors,
    label_error_runs,
    require_queue,
)
from ..forms import as_form, as_output, errors_shown, field_choice


class DeleteLabelErrors(foo.Operator):
    """Takes back what "Find label errors" wrote; labels and tags stay."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return foo.OperatorConfig(
            name="delete_label_errors",
            label="Delete label errors",
            description="Deletes a queue of label errors and its marks; the labels stay",
            icon="delete",
            dynamic=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks which."""
        inputs = types.Object()
        keys = label_error_runs(ctx.dataset)
        with errors_shown(inputs, "problem"):
            require_queue(ctx.dataset, ctx.params.get("key") or _default(keys))
        if keys:
            field_choice(inputs, "key", keys, label="Queue", default=_default(keys))
        return as_form(inputs, "Delete label errors", "Delete")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Deletes.

        Raises:
            EvaluationError: if there is no such queue
        """
        key = ctx.params.get("key") or _default(label_error_runs(ctx.dataset))
        delete_label_errors(ctx.dataset, key)
        ctx.ops.reload_dataset()
        return {"key": key}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says which was deleted."""
        return as_output("Deleted", [("key", "Queue")])


def _default(keys: list[str]) -> str:
    return keys[-1] if keys else DEFAULT_KEY
