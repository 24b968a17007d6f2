"""``discard_round``: gives up a round that was interrupted while it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.annotation import RoundState, discard_round
from ..forms import as_form, as_output
from .cvat_server import client_of
from .rounds import ask_for_interrupted_round

if TYPE_CHECKING:
    from ...relabel.annotation import Round


class DiscardRound(foo.Operator):
    """Removes a round that was never sent to its end, from CVAT and from FiftyOne.

    Parameters:
        key: the name of the round
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="discard_round",
            label="Discard an interrupted round",
            description="Remove what an interrupted push left in CVAT and in FiftyOne",
            icon="delete",
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        ask_for_interrupted_round(ctx, inputs, _discardable)
        return as_form(inputs, "Discard an interrupted round", "Discard")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Removes the round."""
        discard_round(ctx.dataset, ctx.params["key"], client_of(ctx))
        return {"key": ctx.params["key"]}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What was removed."""
        return as_output("Round discarded", [("key", "Round")])


def _discardable(rounds: list[Round]) -> list[Round]:
    return [record for record in rounds if record.state is not RoundState.OUT]
