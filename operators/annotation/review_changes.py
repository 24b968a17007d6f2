"""``review_changes``: shows what a pull would change, before it changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import Choice, review_pull
from ...relabel.cvat import JobStage, JobState
from ...relabel.errors import RelabelError
from ..forms import as_form, choose_some, show_error
from ..running.long_operator import LongOperator
from ..running.streaming import run_with_progress
from .cvat_server import client_of, config_of
from .rounds import ask_for_round

if TYPE_CHECKING:
    from collections.abc import Iterator

    import fiftyone.operators as foo

    from ...relabel.annotation import Review
    from ..running.streaming import Report

_MOST_ROWS = 500


class ReviewChanges(LongOperator):
    """Shows what a pull would change, as a table, and changes nothing.

    Parameters:
        key: the name of the round
        states: the states of the jobs to look at; completed jobs by default, all if empty
        stages: the stages of the jobs to look at; all if empty
        assignees: the names of the people whose jobs to look at; all if empty
        jobs: the ids of the jobs to look at; all if empty
        samples: the ids of the samples to look at; all if empty
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "review_changes",
            "Review changes in CVAT",
            description="Show what a pull would change, before it changes anything",
            icon="difference",
            delegable=False,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        try:
            config_of(ctx)
        except RelabelError as error:
            show_error(inputs, "error", error)
            return as_form(inputs, "Review changes in CVAT")
        if not ask_for_round(ctx, inputs, out_only=False):
            return as_form(inputs, "Review changes in CVAT")
        done = [JobState.COMPLETED]
        choose_some(inputs, "states", list(JobState), label="Jobs that are", default=done)
        of_all = "In the stages (all if none is named)"
        choose_some(inputs, "stages", list(JobStage), label=of_all, default=[])
        inputs.list("assignees", types.String(), default=[], label="Of the people (all if none)")
        return as_form(inputs, "Review changes in CVAT", "Review")

    def execute(self, ctx: Any) -> Any:
        """Compares CVAT with the dataset; see :func:`run_with_progress`."""
        return run_with_progress(self, ctx, lambda report: _review(ctx, report), cancellable=True)

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What would be merged, one row for a change."""
        outputs = types.Object()
        line = types.LabelValueView(read_only=True)
        outputs.str("key", label="Round", view=line)
        outputs.str("summary", label="A pull would merge", view=line)
        outputs.str("unchanged", label="Labels that came back as they were sent", view=line)
        table = types.TableView()
        for name in ("sample", "change", "before", "after", "job", "assignee"):
            table.add_column(name, label=name.capitalize())
        outputs.list("rows", types.Object(), view=table)
        return types.Property(outputs, view=types.View(label="Changes in CVAT"))


def _review(ctx: Any, report: Report) -> dict[str, Any]:
    choice = Choice.from_mapping(ctx.params)
    review = review_pull(ctx.dataset, ctx.params["key"], client_of(ctx), choice, report)
    rows = list(_rows(review))
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(review.counts.items()))
    more = f" The first {_MOST_ROWS} are shown." if len(rows) > _MOST_ROWS else ""
    return {
        "key": review.key,
        "counts": review.counts,
        "summary": (kinds or "nothing to change") + more,
        "unchanged": review.unchanged,
        "rows": rows[:_MOST_ROWS],
    }


def _rows(review: Review) -> Iterator[dict[str, Any]]:
    for frame in review.frames:
        for change in frame.diff.changes:
            kinds = ", ".join(sorted(kind.value for kind in change.kinds))
            yield {
                "sample": frame.sample_id,
                "change": f"{kinds} (conflict)" if change.conflict else kinds,
                "before": change.before.label if change.before else "",
                "after": change.after.label if change.after else "",
                "job": frame.job.id,
                "assignee": frame.job.assignee or "",
            }
