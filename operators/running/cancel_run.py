"""``cancel_run``: ends work that the App waits for."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from .cancelling import cancel


class CancelRun(foo.Operator):
    """Ends work that runs at once; the dialog that shows its progress has a button for it.

    Parameters:
        run: which
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed: not at all."""
        return foo.OperatorConfig(
            name="cancel_run",
            label="Cancel what is running",
            unlisted=True,
            risk_level=types.RiskLevel.LOW,
        )

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Asks the work to end; it does at its next step."""
        return {"cancelled": cancel(str(ctx.params.get("run")))}
