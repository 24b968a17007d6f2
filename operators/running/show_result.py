"""``show_result``: what an executor has done, shown as if it had been done at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.operators import types

from ...relabel.compute.errors import NoOutcome
from ...relabel.compute.outcome import outcome_of
from .streaming import Shows

if TYPE_CHECKING:
    from ...relabel.compute.outcome import Outcome


class ShowResult(foo.Operator):
    """Shows what a delegated operation returned, and opens what it made.

    Parameters:
        operation: the id of a completed operation of the dataset
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed: not at all; the Operations panel has a button for it."""
        return foo.OperatorConfig(
            name="show_result",
            label="Show the result of an operation",
            unlisted=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Asks the App for what the operator itself asks for after a run at once.

        Its output is shown by a request as well, as the stream of a run at once does: the buttons
        in the output of a form that is still open lead nowhere.

        Raises:
            NoOutcome: if there is no such operation that has ended well
        """
        outcome = outcome_of(ObjectId(ctx.params["operation"]), ctx.dataset._doc.id)  # noqa: SLF001
        operator, result = _operator(outcome), dict(outcome.result)
        ctx.params = ctx.request_params["params"] = dict(outcome.params)
        ctx.request_params["results"] = result
        view = result.get("saved_view")
        is_gone = view and not ctx.dataset.has_saved_view(view)
        if is_gone:
            ctx.ops.notify(f"The saved view '{view}' is no longer there.", variant="warning")
        if isinstance(operator, Shows) and result and not is_gone:
            operator.show(ctx, result)
        else:
            ctx.ops.reload_dataset()
        output = operator.resolve_output(ctx) if result else None
        if output is None:
            output = types.Property(types.Object(), view=types.View(label="It has no result"))
        ctx.ops.show_output(output.to_json(), result)
        return result


def _operator(outcome: Outcome) -> foo.Operator:
    try:
        return foo.get_operator(outcome.operator)
    except ValueError as error:
        raise NoOutcome(
            f"There is no operator {outcome.operator} here.", "Install or enable its plugin."
        ) from error
