"""The questions of the send form about the team: who works on what, and how they are checked."""

from __future__ import annotations

from typing import Any

from fiftyone.core.media import VIDEO
from fiftyone.operators import types

from ...relabel.annotation import InvalidDivision, Validation
from ..forms import ask_for_names, is_folded

NOT_CHECKED = "none"
HALF = 6  # of the form's width, in twelfths

_OF_EVERYBODY = ("images_per_job", "assignees")
_PLAIN = (
    *("images_per_job", "images_per_task", "overlap", "project", "extend_project"),
    *("validation", "validation_share", "honeypots_per_job", "consensus_replicas"),
)
_NAMES = ("assignees", "task_assignees", "reviewers")


def ask_team(inputs: types.Object) -> None:
    """Adds the questions that everybody has: how large jobs are, and who gets them."""
    _ask_number(inputs, "images_per_job", "Images per job", "Leave it empty for one job", HALF)
    ask_for_names(
        inputs,
        "assignees",
        label="Assign in turn",
        description="CVAT user names; press Enter after each",
        space=HALF,
    )


def ask_more_of_team(ctx: Any, inputs: types.Object) -> None:
    """Adds the questions of large teams."""
    inputs.str(
        "project",
        label="Project",
        description="Its name, new or not, or #12 for the one of that id. Empty for none",
        view=types.FieldView(space=HALF),
    )
    ask_for_names(
        inputs,
        "weights",
        label="Weights",
        description="Shares of each assignee, in the same order: 2, 1. Empty for equal",
        space=HALF,
    )
    if ctx.params.get("project"):
        inputs.bool(
            "extend_project",
            default=False,
            label="Add to an existing project the classes and attributes that it lacks",
        )
    sends_videos = ctx.dataset.media_type == VIDEO
    if not sends_videos:
        _ask_number(
            inputs, "images_per_task", "Images per task", "Leave it empty for one task", HALF
        )
    _ask_number(inputs, "overlap", "Overlap", "Images that neighbouring jobs share", HALF)
    ask_for_names(
        inputs,
        "task_assignees",
        label="Tasks to",
        description="Who get the tasks in turn, and see all of their jobs",
        space=HALF,
    )
    ask_for_names(
        inputs,
        "reviewers",
        label="Reviewers",
        description="Who get the jobs that are sent to review",
        space=HALF,
    )
    if not sends_videos:
        _ask_checks(ctx, inputs)


def read_team(ctx: Any) -> dict[str, Any]:
    """What was answered, as options of a :class:`Request`; what was not keeps its default.

    Raises:
        InvalidDivision: if a weight is not a whole number
    """
    params = ctx.params
    if is_folded(ctx, "more"):
        params = {name: params.get(name) for name in _OF_EVERYBODY}
    answers = {name: params[name] for name in _PLAIN if params.get(name)}
    answers |= {name: tuple(params[name]) for name in _NAMES if params.get(name)}
    if params.get("weights"):
        answers["weights"] = _weights(params["weights"])
    if "project" in answers:
        answers["project"] = answers["project"].strip()
    if answers.get("validation") == NOT_CHECKED:
        del answers["validation"]
    return answers


def _ask_checks(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    choices.add_choice(NOT_CHECKED, label="none")
    choices.add_choice(Validation.GROUND_TRUTH.value, label="a ground-truth job")
    choices.add_choice(Validation.HONEYPOTS.value, label="honeypots")
    inputs.enum(
        "validation",
        choices.values(),
        default=NOT_CHECKED,
        label="Validation of annotators",
        view=choices,
    )
    chosen = ctx.params.get("validation")
    if chosen in set(Validation):
        inputs.float(
            "validation_share",
            default=0.1,
            label="Share of the images that are the yardstick",
            description="From 0 to 1",
            view=types.FieldView(space=HALF),
        )
    if chosen == Validation.HONEYPOTS:
        inputs.int(
            "honeypots_per_job",
            default=1,
            min=1,
            label="Honeypots in each job",
            description="Beside its own images",
            view=types.FieldView(space=HALF),
        )
    _ask_number(
        inputs,
        "consensus_replicas",
        "Consensus replicas",
        "So many people draw each job on their own, and CVAT merges that. Empty for none",
    )


def _ask_number(
    inputs: types.Object, name: str, label: str, description: str, space: int | None = None
) -> None:
    view = types.FieldView(space=space)
    inputs.int(name, label=label, description=description, min=1, view=view)


def _weights(words: list[Any]) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in words)
    except ValueError as error:
        raise InvalidDivision(
            f"{', '.join(map(str, words))} are not all whole numbers.", "Correct the weights."
        ) from error
