"""Shows the images with confident false positives, worst first."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.evaluation.detections import detection_evaluations
from ...relabel.evaluation.false_positives import find_false_positives, require_evaluation
from ..annotation.tag_for_annotation import DEFAULT_TAG
from ..forms import (
    as_form,
    as_output,
    errors_shown,
    field_choice,
    number_of,
    show_target,
    target_images,
)
from ..running.cancelling import begin_writing
from ..running.streaming import tell_if_delegated


class FindFalsePositives(foo.Operator):
    """Where the model is sure and the ground truth empty, a label is likely missing."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return foo.OperatorConfig(
            name="find_false_positives",
            label="Find false positives",
            description="Shows the images with confident false positives, worst first",
            icon="troubleshoot",
            dynamic=True,
            allow_delegated_execution=True,
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the evaluation, the confidence, and whether to tag."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            show_target(ctx, inputs, "Looks through")
        keys = list(detection_evaluations(ctx.dataset))
        with errors_shown(inputs, "problem"):
            require_evaluation(ctx.dataset, ctx.params.get("eval_key") or _default_key(keys))
        if keys:
            field_choice(inputs, "eval_key", keys, label="Evaluation", default=_default_key(keys))
        inputs.float("confidence", default=0.8, min=0, max=1, label="Least confidence")
        inputs.bool("tag_samples", default=False, label="Tag the samples found")
        if ctx.params.get("tag_samples"):
            inputs.str("tag", default=DEFAULT_TAG, label="Tag")
        return as_form(inputs, "Find false positives", "Find")

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Finds, shows, and tags if asked to.

        Raises:
            NoSamples, EvaluationError: as said there
        """
        tell_if_delegated(ctx, 0.0, "Looking through false positives")
        keys = list(detection_evaluations(ctx.dataset))
        found = find_false_positives(
            target_images(ctx),
            ctx.params.get("eval_key") or _default_key(keys),
            confidence=number_of(ctx, "confidence", 0.8),
        )
        view = found.view(ctx.dataset)
        tag = (ctx.params.get("tag") or DEFAULT_TAG) if ctx.params.get("tag_samples") else None
        if tag:
            tell_if_delegated(ctx, 0.5, f"Tagging {len(found.sample_ids):,} samples")
            begin_writing(ctx)
            view.tag_samples(tag)
        if not ctx.delegated:
            if tag:
                ctx.ops.reload_dataset()
            ctx.ops.set_view(view)
        return {
            "eval_key": found.eval_key,
            "field": found.field,
            "labels": len(found.labels),
            "samples": len(found.sample_ids),
            "sample_ids": list(found.sample_ids),
            "tag": tag,
        }

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says how many were found."""
        rows = [
            ("eval_key", "Evaluation"),
            ("labels", "False positives"),
            ("samples", "Images"),
        ]
        if ctx.results.get("tag"):
            rows.append(("tag", "Tagged"))
        title = "Found, most confident first" if ctx.results.get("samples") else "None found"
        return as_output(title, rows)


def _default_key(keys: list[str]) -> str | None:
    return keys[-1] if keys else None
