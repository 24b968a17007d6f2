"""The panel that shows what executors do: delegated operations, and who runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from bson import ObjectId
from fiftyone.operators import types

from ..relabel.compute.executors import STALE_SECONDS, lately_alive
from ..relabel.compute.overview import elsewhere, line, operations_of
from ..relabel.compute.steering import cancel, repeat
from .answers import answering, now_json
from .operations_json import elsewhere_json, executor_json, operation_json

if TYPE_CHECKING:
    from fiftyone.operators.executor import ExecutionContext


class OperationsPanel(foo.Panel):
    """Shows the delegated operations of a dataset, and the executors."""

    @property
    def config(self) -> foo.PanelConfig:
        """What the App needs to know to offer the panel."""
        return foo.PanelConfig(
            name="operations",
            label="Operations",
            icon="memory",
            category=foo.Categories.CURATE,
            surfaces="grid",
            help_markdown="What runs on other machines, how far it is, and who runs it.",
        )

    def render(self, ctx: ExecutionContext) -> types.Property:  # noqa: ARG002 - FiftyOne's
        """Hands the methods below to the React half."""
        view = types.View(
            component="RelabelOperations",
            composite_view=True,
            refresh=self.refresh,
            cancel=self.cancel,
            repeat=self.repeat,
        )
        return types.Property(types.Object(), view=view)

    @answering
    def refresh(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers what runs, waits and has ended. Called every few seconds while it is seen."""
        dataset_id = ctx.dataset._doc.id  # noqa: SLF001
        opened = [ObjectId(one) for one in ctx.params.get("opened", ())]
        executors = lately_alive()
        alive = [one for one in executors if one.silent_seconds < STALE_SECONDS]
        found, waiting = operations_of(dataset_id, opened=opened), line()
        return {
            "updated_at": now_json(),
            "operations": [operation_json(one, alive, waiting) for one in found],
            "executors": [executor_json(one, alive=one in alive) for one in executors],
            "elsewhere": elsewhere_json(elsewhere(dataset_id)),
        }

    @answering
    def cancel(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Cancels an operation that waits or runs."""
        cancel(ObjectId(ctx.params["operation"]))
        return {"cancelled": ctx.params["operation"]}

    @answering
    def repeat(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Has an operation that failed or was cancelled run again, as it was asked for."""
        return {"queued": str(repeat(ObjectId(ctx.params["operation"])))}
