"""Takes back a selection, or the marks of duplicates: tag, saved view, field and run."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.curation.errors import SelectionError
from ...relabel.curation.selecting.selection_runs import (
    discard_selection,
    is_selection,
    selections,
)
from ..forms import as_form, as_output, errors_shown, field_choice
from ..running.cancelling import begin_writing
from ..running.streaming import tell_if_delegated


class DiscardSelection(foo.Operator):
    """Leaves the dataset as it was before the samples were selected."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return foo.OperatorConfig(
            name="discard_selection",
            label="Discard a selection",
            description="Takes back the tag, the saved view and the field of a selection",
            icon="undo",
            dynamic=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks which."""
        inputs = types.Object()
        names = selections(ctx.dataset)
        if names:
            field_choice(inputs, "name", names, label="Selection", default=names[-1])
        with errors_shown(inputs, "problem"):
            _require(ctx, ctx.params.get("name") or next(reversed(names), None))
        return as_form(inputs, "Discard a selection", "Discard")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Discards it.

        Raises:
            SelectionError: if there is none of that name
        """
        name = _require(ctx, ctx.params.get("name"))
        tell_if_delegated(ctx, 0.1, f"Taking back {name}")
        begin_writing(ctx)
        untagged = discard_selection(ctx.dataset, name)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        return {"name": name, "untagged": untagged}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says what was discarded."""
        return as_output("Discarded", [("name", "Selection"), ("untagged", "Samples untagged")])


def _require(ctx: Any, name: str | None) -> str:
    if not is_selection(ctx.dataset, name):
        raise SelectionError(f"There is no selection '{name or ''}'.", "Nothing is to discard.")
    return str(name)
