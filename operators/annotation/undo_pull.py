"""``undo_pull``: takes the last pull of a round back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import list_rounds, part_of, undo_pull
from ...relabel.loop import after_undo, describe_outcome, describe_unmeasured
from ..forms import as_form, as_output, field_choice, show_error
from ..running.long_operator import LongOperator
from ..running.streaming import run_with_progress, to_its_end
from .rounds import NoRounds, warnings_of

if TYPE_CHECKING:
    import fiftyone.operators as foo

    from ..running.streaming import Report


class UndoPull(LongOperator):
    """Restores the labels that the last pull of a round overwrote.

    Parameters:
        key: the name of the round
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "undo_pull",
            "Undo a pull from CVAT",
            description="Restore the labels that the last pull of a round overwrote",
            icon="undo",
            delegable=False,
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

    def execute(self, ctx: Any) -> Any:
        """Takes the pull back; see :func:`run_with_progress`."""
        return run_with_progress(
            self,
            ctx,
            lambda report: _undo(ctx, report),
            lambda result: [ctx.ops.reload_dataset(), *warnings_of(ctx, result)],
            cancellable=True,
        )

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


def _undo(ctx: Any, report: Report) -> dict[str, Any]:
    undone = undo_pull(ctx.dataset, ctx.params["key"], part_of(report, 0, 0.8))
    to_its_end(report)(0.85, "Evaluating again what has changed")
    evaluated = after_undo(ctx.dataset, undone)
    unmeasured = describe_unmeasured(ctx.dataset, undone.key)
    return {
        "key": undone.key,
        "samples": len(undone.sample_ids),
        "left": len(undone.left),
        "evaluated": describe_outcome(evaluated, unmeasured),
        "unmeasured": unmeasured,
    }
