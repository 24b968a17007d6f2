"""Tags samples for annotation, or takes the tag away: one click where samples are selected."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.annotation import REQUIRES_ANNOTATION
from ...relabel.errors import RelabelError
from ..forms import (
    NoSamples,
    as_form,
    as_output,
    count_in_time,
    errors_shown,
    target_images,
    whole_images,
)
from ..running.cancelling import begin_writing
from ..running.streaming import tell_if_delegated

DEFAULT_TAG = REQUIRES_ANNOTATION
ADD, REMOVE = "add", "remove"


class TagError(RelabelError):
    """A tag that cannot be used, or something else to do with it than to add or remove it."""


class TagForAnnotation(foo.Operator):
    """Tags the selected samples, else what the form targets."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return foo.OperatorConfig(
            name="tag_for_annotation",
            label="Tag for annotation",
            description="Tags samples as requiring annotation, or takes the tag away",
            icon="bookmark_add",
            dynamic=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_placement(self, ctx: Any) -> types.Placement:
        """A button in the grid's toolbar that asks only when no samples are selected."""
        return types.Placement(
            types.Places.SAMPLES_GRID_SECONDARY_ACTIONS,
            types.Button(
                label=f"Tag as {DEFAULT_TAG}", icon="bookmark_add", prompt=not ctx.selected
            ),
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the target, the tag, and whether to add or remove it."""
        inputs = types.Object()
        choices = types.RadioGroup(orientation="horizontal")
        choices.add_choice(ADD, label="Add the tag")
        choices.add_choice(REMOVE, label="Remove it")
        inputs.enum("action", choices.values(), default=ADD, label="Action", view=choices)
        inputs.str("tag", default=DEFAULT_TAG, label="Tag")
        button = "Tag"
        with errors_shown(inputs, "problem"):
            action, _ = _request(ctx)
            count = len(ctx.selected) if _only_selected(ctx) else count_in_time(ctx)
            many = "" if count is None else f"{count:,} "
            button = f"{_verb(action)} {many}{'sample' if count == 1 else 'samples'}"
        return as_form(inputs, "Tag for annotation", button)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Tags, and says how many samples were changed.

        Raises:
            NoSamples: if nothing is selected and nothing targeted
            TagError: if the tag cannot be used
        """
        action, tag = _request(ctx)
        view = _target(ctx)
        samples = view.count()
        unchanged = view.match_tags(tag, bool=action == ADD).count()
        tell_if_delegated(ctx, 0.1, f"{_verb(action)}ging {samples - unchanged:,} samples")
        begin_writing(ctx)
        if action == ADD:
            view.tag_samples(tag)
        else:
            view.untag_samples(tag)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
            ctx.ops.notify(f"{_done(action)} {samples - unchanged:,} samples: {tag}")
        return {
            "tag": tag,
            "action": action,
            "samples": samples,
            "changed": samples - unchanged,
        }

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says what was tagged."""
        title = f"{_done(ctx.results.get('action', ADD))}"
        rows = [("tag", "Tag"), ("samples", "Samples"), ("changed", "Changed")]
        return as_output(title, rows)


def _request(ctx: Any) -> tuple[str, str]:
    action = ctx.params.get("action") or ADD
    if action not in (ADD, REMOVE):
        raise TagError(f"'{action}' is not an action.", f"Use '{ADD}' or '{REMOVE}'.")
    tag = ctx.params.get("tag", DEFAULT_TAG)
    if not isinstance(tag, str) or not tag.strip():
        raise TagError("The tag is empty.", f"Enter one, e.g. {DEFAULT_TAG}.")
    return action, tag.strip()


def _only_selected(ctx: Any) -> bool:
    """Whether the selection is meant: it was, unless a form says something else."""
    return bool(ctx.selected) and not ctx.request_params.get("view_target")


def _target(ctx: Any) -> Any:
    if _only_selected(ctx):
        return whole_images(ctx, ctx.view.select(ctx.selected))
    if not ctx.request_params.get("view_target") and not ctx.has_custom_view:
        raise NoSamples(
            "No samples are selected.", "Select some, or say what to tag by view_target."
        )
    return target_images(ctx)


def _verb(action: str) -> str:
    return "Tag" if action == ADD else "Untag"


def _done(action: str) -> str:
    return "Tagged" if action == ADD else "Untagged"
