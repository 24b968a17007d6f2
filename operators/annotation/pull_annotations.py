"""``pull_annotations``: merges what annotators did into the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import (
    ISSUES_FIELD,
    PROVENANCE,
    Choice,
    ConflictPolicy,
    pull,
    pull_issues,
)
from ...relabel.errors import RelabelError
from ...relabel.loop import after_pull, describe_outcome, describe_suspicions, describe_unmeasured
from ..forms import as_form, as_output, show_error, show_notice
from ..running.cancelling import begin_writing
from ..running.long_operator import LongOperator
from ..running.pace import paced
from ..running.streaming import run_with_progress, to_its_end
from .cvat_server import client_of, config_of
from .rounds import ask_for_round, warnings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone.operators as foo
    from fiftyone.operators.message import GeneratedMessage

    from ..running.streaming import Report

_POLICIES = {
    ConflictPolicy.SKIP: "Leave it as it is in FiftyOne, and show it again",
    ConflictPolicy.CVAT_WINS: "Take what CVAT has",
    ConflictPolicy.FIFTYONE_WINS: "Keep what FiftyOne has, for good",
}


class PullAnnotations(LongOperator):
    """Merges what annotators did in CVAT into the dataset.

    Parameters:
        key: the name of the round
        finished_only: whether jobs that are not completed are left out (default)
        states: the states of jobs to pull, in place of ``finished_only``; all if empty
        stages: the stages of jobs to pull; all if empty
        assignees: the names of the people whose jobs are pulled; all if empty
        jobs: the ids of the jobs to pull; all if empty
        samples: the ids of the samples to pull; all if empty
        leave_out: the ids of samples and the references of changes that stay open
        policy: for labels that were changed on both sides: ``skip`` (default), ``cvat_wins`` or
            ``fiftyone_wins``
        provenance: whether changed labels get attributes that say who changed them, and where
        issues: whether the remarks of reviewers come along, in the field ``cvat_issues``
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return self.long_config(
            "pull_annotations",
            "Pull annotations from CVAT",
            description="Merge what annotators did; it can be undone",
            icon="download",
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        try:
            config_of(ctx)
        except RelabelError as error:
            show_error(inputs, "error", error)
            return as_form(inputs, "Pull annotations from CVAT")
        if not ask_for_round(ctx, inputs, out_only=False):
            return as_form(inputs, "Pull annotations from CVAT")
        inputs.bool("finished_only", default=True, label="Completed jobs only")
        choices = types.RadioGroup()
        for policy, label in _POLICIES.items():
            choices.add_choice(policy.value, label=label)
        inputs.enum(
            "policy",
            choices.values(),
            default=ConflictPolicy.SKIP.value,
            label="A label that was changed in FiftyOne as well",
            view=choices,
        )
        inputs.bool(
            "provenance",
            default=False,
            label="Write on each changed label who changed it",
            description=f"As the attributes {', '.join(PROVENANCE)}",
        )
        inputs.bool(
            "issues",
            default=False,
            label="Bring the issues of reviewers along",
            description=f"As boxes in the field {ISSUES_FIELD}; open ones are tagged",
        )
        show_notice(inputs, "undo", "The CVAT panel shows what would change. You can undo a pull.")
        return as_form(inputs, "Pull annotations from CVAT", "Pull")

    def execute(self, ctx: Any) -> Any:
        """Pulls the round; see :func:`run_with_progress`."""
        return run_with_progress(
            self,
            ctx,
            lambda report: _pull(ctx, report),
            lambda result: self.show(ctx, result),
            cancellable=True,
        )

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Shows what was merged, and warns of what could not be evaluated again."""
        return [ctx.ops.reload_dataset(), *warnings_of(ctx, result)]

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What was merged."""
        return as_output(
            "Pulled from CVAT",
            [
                ("key", "Round"),
                ("jobs", "Jobs pulled"),
                ("samples", "Images changed"),
                ("changes", "Labels"),
                ("remarks", "Remarks"),
                ("evaluated", "Evaluated again"),
                ("suspicions", "Suspicions about labels, of the round so far"),
            ],
        )


def _pull(ctx: Any, report: Report) -> dict[str, Any]:
    report = paced(report)
    report(0.0, "Merging what was changed in CVAT")
    client = client_of(ctx)
    pulled = pull(
        ctx.dataset,
        ctx.params["key"],
        client,
        _choice(ctx),
        policy=ConflictPolicy(ctx.params.get("policy", ConflictPolicy.SKIP)),
        leave_out=frozenset(ctx.params.get("leave_out", ())),
        provenance=ctx.params.get("provenance", False),
        progress=lambda share, label: report(0.75 * share, label),
        before_writing=lambda: begin_writing(ctx),
    )
    tell = to_its_end(report)
    remarks = []
    if ctx.params.get("issues"):
        tell(0.8, "Bringing the issues of reviewers along")
        issues = pull_issues(ctx.dataset, ctx.params["key"], client)
        remarks = [f"{issues.open} open and {issues.resolved} resolved issues of reviewers."]
    tell(0.85, "Evaluating again what has changed")
    evaluated = after_pull(ctx.dataset, pulled)
    unmeasured = describe_unmeasured(ctx.dataset, pulled.key)
    return {
        "key": pulled.key,
        "jobs": pulled.jobs,
        "samples": len(pulled.sample_ids),
        "counts": pulled.counts,
        "changes": ", ".join(f"{n} {kind}" for kind, n in sorted(pulled.counts.items())) or "none",
        "problems": list(pulled.problems),
        "remarks": " ".join([*pulled.problems, *remarks]) or "none",
        "evaluated": describe_outcome(evaluated, unmeasured),
        "unmeasured": unmeasured,
        "suspicions": describe_suspicions(ctx.dataset, pulled.key) or "none",
    }


def _choice(ctx: Any) -> Choice:
    if "states" in ctx.params or ctx.params.get("finished_only", True):
        return Choice.from_mapping(ctx.params)
    return Choice.from_mapping({**ctx.params, "states": []})
