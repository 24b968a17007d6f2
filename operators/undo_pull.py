"""``undo_pull``: takes the last pull of a round back."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..relabel.annotation import list_rounds, undo_pull
from ..relabel.loop import after_undo, describe
from .forms import as_form, as_output, field_choice, show_error
from .rounds import NoRounds


class UndoPull(foo.Operator):
    """Restores the labels that the last pull of a round overwrote.

    Parameters:
        key: the name of the round
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="undo_pull",
            label="Undo a pull from CVAT",
            description="Restore the labels that the last pull of a round overwrote",
            icon="undo",
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        keys = [record.key for record in reversed(list_rounds(ctx.dataset)) if record.pulls]
        if keys:
            field_choice(inputs, "key", keys, label="Round", default=keys[0])
        else:
            show_error(inputs, "error", NoRounds())
        return as_form(inputs, "Undo a pull from CVAT", "Undo")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Takes the pull back."""
        report = undo_pull(ctx.dataset, ctx.params["key"])
        evaluated = after_undo(ctx.dataset, report)
        ctx.ops.reload_dataset()
        return {
            "key": report.key,
            "samples": len(report.sample_ids),
            "left": len(report.left),
            "evaluated": describe(evaluated) or "none",
        }

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What was restored."""
        return as_output(
            "Pull undone",
            [
                ("key", "Round"),
                ("samples", "Images with their labels back"),
                ("left", "Images left, because their labels were edited since"),
                ("evaluated", "Evaluated again"),
            ],
        )
