"""The panel that shows what fixing labels did to the score."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ..relabel.annotation import connect
from ..relabel.evaluation.errors import EvaluationError
from ..relabel.evaluation.label_errors.outcomes import Verdict
from ..relabel.evaluation.label_errors.settling import settled_samples
from ..relabel.evaluation.label_errors.suspicion import ErrorType
from ..relabel.evaluation.ledger.entries import Entry, ledger_version, load_entries
from ..relabel.evaluation.ledger.table import as_csv
from ..relabel.evaluation.storing.kept import kept_scores, run_ids
from ..relabel.loop import try_again, unmeasured
from .answers import answering
from .improvement_json import details_json, evaluations_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo
    from fiftyone.operators.executor import ExecutionContext

MENDED, CLASS, ERROR, SUSPICION = "mended", "class", "error", "suspicion"
_VERDICTS = {
    "fixed": {Verdict.FIXED, Verdict.FIXED_OTHERWISE},
    "model_wrong": {Verdict.MODEL_WRONG},
    "left": {Verdict.LEFT},
}


class ImprovementPanel(foo.Panel):
    """Shows the ledger of a dataset. Its look is in js/; this half answers with JSON."""

    @property
    def config(self) -> foo.PanelConfig:
        """What the App needs to know to offer the panel."""
        return foo.PanelConfig(
            name="improvement",
            label="Improvement",
            icon="trending_up",
            category=foo.Categories.ANALYZE,
            surfaces="grid",
            help_markdown="What fixing labels did to the score, round by round.",
        )

    def render(self, ctx: ExecutionContext) -> types.Property:  # noqa: ARG002 - FiftyOne's
        """Hands the methods below to the React half."""
        view = types.View(
            component="RelabelImprovement",
            composite_view=True,
            refresh=self.refresh,
            details=self.details,
            show_samples=self.show_samples,
            export=self.export,
            try_again=self.try_again,
        )
        return types.Property(types.Object(), view=view)

    @answering
    def refresh(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers with the score around every round; with little if nothing is new since.

        Called every few seconds while the panel is open.
        """
        dataset = ctx.dataset
        scores = kept_scores(dataset)
        parts = [f"{score.eval_key}={score.version}" for score in scores]
        missing = [asdict(one) for one in unmeasured(dataset)]
        parts += [ledger_version(dataset), *(one["message"] for one in missing)]
        version = ",".join([str(dataset._doc.id), *parts])  # noqa: SLF001 - it has no public name
        if ctx.params.get("known") == version:
            return {"version": version, "evaluations": None}
        return {
            "version": version,
            "evaluations": evaluations_json(scores, load_entries(dataset)),
            "unmeasured": missing,
            "others": sorted(run_ids(dataset).keys() - {score.eval_key for score in scores}),
        }

    @answering
    def details(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers how the figures of one entry have changed, by class and by type of error."""
        return details_json(_entry(ctx.dataset, ctx.params))

    @answering
    def show_samples(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Shows the samples behind a figure in the grid.

        The figure is that of an entry (``eval_key`` and ``number``), or of all entries together
        (without a number): of all of it, or of a ``kind``, and of what has the ``name`` if there
        are several of that kind; of suspicions also which ``verdict`` was reached.
        """
        params = ctx.params
        everything = "number" not in params
        entries = (
            load_entries(ctx.dataset, params["eval_key"])
            if everything
            else [_entry(ctx.dataset, params)]
        )
        samples = list(dict.fromkeys(one for entry in entries for one in _behind(ctx, entry)))
        view = ctx.dataset.select(samples, ordered=True)
        shown = view.count()
        if not shown:
            raise _nothing_behind(gone=bool(samples), kind=params.get("kind"))
        ctx.ops.set_view(view=view)
        return {"shown": shown, "gone": len(samples) - shown}

    @answering
    def try_again(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Tries again to make the evaluations that rounds are still to be measured by."""
        entries = try_again(ctx.dataset, lambda: connect(ctx.secrets))
        ctx.ops.reload_dataset()
        return {"entries": len(entries)}

    @answering
    def export(self, ctx: ExecutionContext) -> dict[str, Any]:
        """Answers with the entries of an evaluation as CSV."""
        eval_key = ctx.params["eval_key"]
        return {
            "name": f"{ctx.dataset.name}-{eval_key}.csv",
            "text": as_csv(load_entries(ctx.dataset, eval_key)),
        }


def _nothing_behind(*, gone: bool, kind: str | None) -> EvaluationError:
    if gone or kind == SUSPICION:
        return EvaluationError(
            "No sample is behind this figure any more.",
            "They were deleted since, or the queue of label errors was, or a later pull brought "
            "them back.",
        )
    return EvaluationError("No sample is behind this figure.", "No label has changed.")


def _entry(dataset: fo.Dataset, params: dict[str, Any]) -> Entry:
    entries = load_entries(dataset, params["eval_key"])
    number = params["number"]
    if not 0 <= number < len(entries):
        raise EvaluationError(
            f"The evaluation '{params['eval_key']}' has no entry {number} any more.",
            "It was deleted meanwhile; refresh the panel.",
        )
    return entries[number]


def _behind(ctx: ExecutionContext, entry: Entry) -> Sequence[str]:
    kind, name = ctx.params.get("kind"), ctx.params.get("name")
    if kind == MENDED:
        return entry.samples_at(entry.mended)
    if kind in {CLASS, ERROR}:
        changes = entry.by_class if kind == CLASS else entry.by_error
        return entry.samples_at(changes[name].places) if name in changes else []
    if kind == SUSPICION:
        error_type = ErrorType(name) if name else None
        verdicts = _VERDICTS[ctx.params["verdict"]]
        return settled_samples(ctx.dataset, entry.round_key, verdicts, error_type, entry.pull)
    return entry.sample_ids
