"""``update_jobs``: gives jobs of a round to a person, or moves them to a stage or state."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.annotation import NOBODY, JobChange, change_jobs
from ...relabel.cvat import JobStage, JobState
from ..forms import as_form, as_output, field_choice
from .cvat_server import client_of
from .rounds import ask_for_jobs, ask_for_round

_SAME = "(as it is)"


class UpdateJobs(foo.Operator):
    """Gives jobs of a round to a person, or moves them to a stage or state, in CVAT.

    Parameters:
        key: the name of the round
        jobs: the ids of the jobs
        assignee: the name of the person who gets them
        unassign: whether they are taken from whoever has them
        stage: ``annotation``, ``validation`` or ``acceptance``
        state: ``new``, ``in progress``, ``completed`` or ``rejected``
    """

    @property
    def config(self) -> foo.OperatorConfig:
        """How the operator is listed and run."""
        return foo.OperatorConfig(
            name="update_jobs",
            label="Assign jobs in CVAT, or change their stage or state",
            description="Who has which job of a round, and how far it is",
            icon="assignment_ind",
            dynamic=True,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """The form."""
        inputs = types.Object()
        if ask_for_round(ctx, inputs):
            ask_for_jobs(inputs)
            inputs.str("assignee", label="Assign to", description="A user name; empty: as it is")
            inputs.bool("unassign", label="Take them from whoever has them", default=False)
            for name, words in (("stage", JobStage), ("state", JobState)):
                choices = [_SAME, *(word.value for word in words)]
                field_choice(inputs, name, choices, label=name.capitalize(), default=_SAME)
        return as_form(inputs, "Change jobs in CVAT", "Change")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Changes the jobs."""
        asked = {name: ctx.params.get(name) for name in ("assignee", "stage", "state")}
        wanted = {name: value for name, value in asked.items() if value not in {_SAME, "", None}}
        if ctx.params.get("unassign"):
            wanted["assignee"] = NOBODY
        change = JobChange.from_mapping(wanted)
        jobs = [int(job) for job in ctx.params["jobs"]]
        changed = change_jobs(ctx.dataset, ctx.params["key"], client_of(ctx), jobs, change)
        return {"key": ctx.params["key"], "changed": changed, "jobs": len(changed)}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """What was changed."""
        return as_output("Changed in CVAT", [("key", "Round"), ("jobs", "Jobs changed")])
