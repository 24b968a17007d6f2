"""The panel that shows where rounds stand, and pulls what is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..relabel.annotation import (
    Choice,
    ConflictPolicy,
    JobChange,
    change_jobs,
    configured,
    connect,
    pull,
    review_pull,
    rounds_status,
    samples_of_job,
    send_to_review,
    undo_pull,
)
from ..relabel.compute.executors import alive
from ..relabel.compute.overview import glance
from ..relabel.cvat import CvatError, CvatNotConfigured
from ..relabel.loop import after_pull, after_undo, describe_unmeasured, try_again, unmeasured
from .answers import answering, now_json
from .cvat_json import (
    changed_json,
    connection_json,
    executor_json,
    glance_json,
    preview_json,
    pulled_json,
    round_json,
    tried_json,
    undone_json,
)
from .review_json import changes_json
from .under_way import cancel, progress_json, to_its_end, under_way

if TYPE_CHECKING:
    from fiftyone.operators.executor import ExecutionContext

_EVALUATING = "Evaluating again what has changed"


class CvatStatusPanel(foo.Panel):
    """Shows the rounds of a dataset. Its look is in js/; this half answers with JSON."""

    @property
    def config(self) -> foo.PanelConfig:
        """What the App needs to know to offer the panel."""
        return foo.PanelConfig(
            name="cvat_status",
            label="CVAT",
            icon="rule",
            category=foo.Categories.CURATE,
            surfaces="grid",
            help_markdown="Where the rounds that you sent to CVAT stand, and what to pull.",
        )

    def render(self, ctx: ExecutionContext) -> types.Property:  # noqa: ARG002 - FiftyOne's
        """Hands the methods below to the React half."""
        view = types.View(
            component="RelabelCvatStatus",
            composite_view=True,
            refresh=self.refresh,
            preview_pull=self.preview_pull,
            pull=self.pull,
            undo=self.undo,
            try_again=self.try_again,
            progress=self.progress,
            cancel=self.cancel,
            people=self.people,
            update_jobs=self.update_jobs,
            send_to_review=self.send_to_review,
            show_samples=self.show_samples,
            show_operations=self.show_operations,
        )
        return types.Property(types.Object(), view=view)

    @answering
    def refresh(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers where all rounds stand. Called every few seconds while the panel is open."""
        answer = {
            "updated_at": now_json(),
            "executors": [executor_json(executor) for executor in alive()],
            "operations": glance_json(glance(ctx.dataset._doc.id)),  # noqa: SLF001
            "rounds": [],
        }
        try:
            client = connect(ctx.secrets)
            statuses = rounds_status(ctx.dataset, client)
            missing = unmeasured(ctx.dataset)
            rounds = [round_json(status, missing) for status in statuses]
        except CvatNotConfigured as error:
            return {**answer, "connection": connection_json("unconfigured", problem=error)}
        except CvatError as error:
            url = configured(ctx.secrets).url
            return {**answer, "connection": connection_json("error", url, problem=error)}
        connection = connection_json("connected", client.server.url, client.user.username)
        return {**answer, "connection": connection, "rounds": rounds}

    @answering
    def preview_pull(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers what a pull of some of a round's jobs would change. Changes nothing."""
        client, choice = connect(ctx.secrets), Choice.from_mapping(ctx.params)
        with under_way(ctx.params.get("run")) as tell:
            review = review_pull(ctx.dataset, ctx.params["key"], client, choice, tell)
        return preview_json(review) | changes_json(ctx.dataset, review)

    @answering
    def pull(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Merges some of a round's jobs and shows the outcome in the grid."""
        with under_way(ctx.params.get("run")) as tell:
            report = pull(
                ctx.dataset,
                ctx.params["key"],
                connect(ctx.secrets),
                Choice.from_mapping(ctx.params),
                policy=ConflictPolicy(ctx.params.get("policy", ConflictPolicy.SKIP)),
                leave_out=frozenset(ctx.params.get("leave_out", ())),
                provenance=ctx.params.get("provenance", False),
                progress=tell,
            )
            to_its_end(tell)(0.9, _EVALUATING)
            after_pull(ctx.dataset, report)
        ctx.ops.reload_dataset()
        return pulled_json(report, describe_unmeasured(ctx.dataset, report.key))

    @answering
    def undo(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Takes a round's last pull back and shows the outcome in the grid."""
        with under_way(ctx.params.get("run")) as tell:
            report = undo_pull(ctx.dataset, ctx.params["key"], tell)
            to_its_end(tell)(0.9, _EVALUATING)
            after_undo(ctx.dataset, report)
        ctx.ops.reload_dataset()
        return undone_json(report, describe_unmeasured(ctx.dataset, report.key))

    @answering
    def try_again(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Tries again to evaluate what a round has changed, where that is still to be done."""
        key = ctx.params["key"]
        entries = try_again(ctx.dataset, lambda: connect(ctx.secrets), key)
        ctx.ops.reload_dataset()
        return tried_json(entries, describe_unmeasured(ctx.dataset, key))

    @answering
    def progress(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers how far one of the three above is, by the name that it was given."""
        return progress_json(ctx.params["run"])

    @answering
    def cancel(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Cancels one of them, unless it is writing already."""
        return {"cancelled": cancel(ctx.params["run"])}

    @answering
    def people(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers to whom jobs can be given, as far as CVAT shows them to us."""
        return {"people": connect(ctx.secrets).user_names()}

    @answering
    def update_jobs(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Gives jobs of a round to a person, or moves them to a stage or state."""
        change = JobChange.from_mapping(ctx.params)
        client, jobs = connect(ctx.secrets), ctx.params["jobs"]
        return changed_json(change_jobs(ctx.dataset, ctx.params["key"], client, jobs, change))

    @answering
    def send_to_review(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Moves jobs of a round to the validation stage, each to a reviewer in turn."""
        client, jobs = connect(ctx.secrets), ctx.params.get("jobs") or ()
        return changed_json(send_to_review(ctx.dataset, ctx.params["key"], client, jobs))

    @answering
    def show_samples(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Shows some samples, or those of a round or of one of its jobs, in the grid."""
        params = ctx.params
        if "job" in params:
            client = connect(ctx.secrets)
            samples = samples_of_job(ctx.dataset, params["key"], client, params["job"])
            view = ctx.dataset.select(samples, ordered=True)
        elif "key" in params:
            view = ctx.dataset.load_annotation_view(params["key"])
        else:
            view = ctx.dataset.select(params["sample_ids"])
        ctx.ops.set_view(view=view)
        return {"shown": True}

    @answering
    def show_operations(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Opens the panel of delegated operations."""
        ctx.ops.open_panel("operations", is_active=True, layout="horizontal")
        return {"shown": True}
