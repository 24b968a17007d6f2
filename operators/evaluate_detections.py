"""Evaluates detections as COCO does."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.evaluation.detections import evaluate_detections, require_eval_key
from .delegation import DelegatedOperator, progress_reporter
from .forms import (
    UnknownField,
    as_form,
    as_output,
    count_target,
    detection_fields,
    errors_shown,
    field_choice,
    require_detections,
    show_notice,
    show_warning,
    target_images,
)

if TYPE_CHECKING:
    import fiftyone.operators as foo

_LABELS_LISTED = 100


class EvaluateDetections(DelegatedOperator):
    """Scores predictions against ground truth; keeps the run under a key."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "evaluate_detections",
            "Evaluate detections",
            description="Scores predictions against ground truth as COCO does",
            icon="assessment",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the two fields, the key, and how to match."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            show_notice(inputs, "target", f"Evaluates {count_target(ctx):,} samples.")
        fields = detection_fields(ctx.dataset)
        predictions, truth = _default_fields(fields)
        field_choice(inputs, "predictions", fields, label="Predictions", default=predictions)
        field_choice(inputs, "ground_truth", fields, label="Ground truth", default=truth)
        inputs.str("eval_key", default="eval", label="Evaluation key")
        with errors_shown(inputs, "problem"):
            _, _, key = _request(ctx)
            if ctx.dataset.has_evaluation(key):
                show_warning(inputs, "replaces", f"The evaluation {key} is replaced.")
        inputs.float("iou", default=0.5, min=0, max=1, label="IoU of a match")
        inputs.bool(
            "classwise",
            default=True,
            label="Match within classes only",
            description="If not, a wrong class is linked to what it lies on; per-class figures "
            "are then skewed",
        )
        return as_form(inputs, "Evaluate detections", self.ask_where_to_run(ctx, inputs))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Evaluates.

        Raises:
            NoSamples, UnknownField, EvaluationError: as said there
        """
        predictions, truth, key = _request(ctx)
        score = evaluate_detections(
            target_images(ctx),
            predictions,
            truth,
            eval_key=key,
            iou=float(ctx.params.get("iou", 0.5)),
            classwise=bool(ctx.params.get("classwise", True)),
            progress=progress_reporter(ctx, "steps"),
        )
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        result = asdict(score)
        result["invalid"] = len(score.invalid)
        result["invalid_labels"] = [asdict(bad) for bad in score.invalid[:_LABELS_LISTED]]
        return result

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says the score, and what could not be evaluated."""
        rows = [
            ("eval_key", "Evaluation"),
            ("map", "mAP"),
            ("ap50", "AP50"),
            ("samples", "Samples"),
            ("true_positives", "True positives"),
            ("false_positives", "False positives"),
            ("false_negatives", "False negatives"),
        ]
        outputs = as_output("Evaluated", rows)
        if ctx.results.get("invalid"):
            text = f"{ctx.results['invalid']} labels with impossible boxes were left out."
            show_warning(outputs.type, "left_out", text)
        return outputs


def _request(ctx: Any) -> tuple[str, str, str]:
    default_predictions, default_truth = _default_fields(detection_fields(ctx.dataset))
    predictions = require_detections(
        ctx.dataset, ctx.params.get("predictions", default_predictions), "predictions"
    )
    truth = require_detections(
        ctx.dataset, ctx.params.get("ground_truth", default_truth), "ground truth"
    )
    if predictions == truth:
        raise UnknownField(
            f"'{truth}' is both the predictions and the ground truth.",
            "Choose two fields; apply a model first if there are no predictions.",
        )
    return predictions, truth, require_eval_key(ctx.dataset, ctx.params.get("eval_key", "eval"))


def _default_fields(fields: list[str]) -> tuple[str | None, str | None]:
    if not fields:
        return None, None
    truth = "ground_truth" if "ground_truth" in fields else fields[0]
    others = [field for field in fields if field != truth]
    predictions = "predictions" if "predictions" in others else (others or fields)[0]
    return predictions, truth
