"""Evaluates detections as COCO does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.evaluation.detections import evaluate_detections, require_eval_key
from ...relabel.evaluation.matching.options import CROWD, IOUS, MOST_PREDICTIONS, EvaluationOptions
from ..forms import (
    as_form,
    as_output,
    ask_for_names,
    detection_fields,
    errors_shown,
    field_choice,
    guess_fields,
    is_folded,
    number_of,
    require_two_fields,
    show_target,
    show_warning,
    target_images,
)
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from .left_out import left_out, show_left_out

if TYPE_CHECKING:
    import fiftyone.operators as foo

    from ...relabel.evaluation.scoring.scores import DetectionScore
    from ..running.streaming import Report


class EvaluateDetections(DelegatedOperator):
    """Scores predictions against ground truth; keeps the run under a key."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
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
            show_target(ctx, inputs, "Evaluates")
        fields = detection_fields(ctx.dataset)
        predictions, truth = guess_fields(fields)
        field_choice(inputs, "predictions", fields, label="Predictions", default=predictions)
        field_choice(inputs, "ground_truth", fields, label="Ground truth", default=truth)
        inputs.str("eval_key", default="eval", label="Evaluation key")
        with errors_shown(inputs, "problem"):
            _, _, key = _request(ctx)
            _options(ctx)
            if ctx.dataset.has_evaluation(key):
                show_warning(inputs, "replaces", f"The evaluation {key} is replaced.")
        _ask_for_options(ctx, inputs)
        return as_form(inputs, "Evaluate detections", self.ask_where_to_run(ctx, inputs))

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
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
            options=_options(ctx),
            progress=progress_reporter(ctx, "samples", report),
            before_writing=lambda: begin_writing(ctx),
        ).score
        result = asdict(score)
        result |= left_out(score.invalid, score.unpredicted)
        result["problems"] = _problems(score)
        return result

    def output(self, ctx: Any) -> types.Property:
        """Says the score, and what could not be evaluated."""
        rows = [
            ("eval_key", "Evaluation"),
            ("samples", "Samples"),
            ("matched", "Samples whose labels have changed"),
            ("true_positives", "True positives"),
            ("false_positives", "False positives"),
            ("false_negatives", "False negatives"),
        ]
        outputs = as_output("Evaluated", rows)
        outputs.type.md(_scores(ctx.results), name="scores")
        for number, text in enumerate(ctx.results.get("problems", ())):
            show_warning(outputs.type, f"left_out_{number}", text)
        show_left_out(outputs.type, ctx.results)
        return outputs


def _scores(result: dict[str, Any]) -> str:
    """The averages as Markdown; an average over nothing is none."""
    names = {"map": "mAP", "ap50": "AP50", "ap75": "AP75", "mar": "mean average recall"}
    said = {name: "none" if result[name] is None else f"{result[name]:.4f}" for name in names}
    return ", ".join(f"{names[name]} **{score}**" for name, score in said.items())


def _ask_for_options(ctx: Any, inputs: types.Object) -> None:
    inputs.float("iou", default=0.5, min=0, max=1, label="IoU of a match")
    inputs.bool(
        "classwise",
        default=True,
        label="Match within classes only",
        description="If not, a wrong class is linked to what it lies on",
    )
    inputs.bool("more", default=False, label="More options")
    if not ctx.params.get("more"):
        return
    inputs.bool("use_masks", default=False, label="Compare masks in place of boxes")
    if ctx.params.get("use_masks"):
        inputs.float(
            "tolerance",
            min=0,
            label="Tolerance in pixels",
            description="Compares polygons that are this close; empty compares pixels",
        )
        if ctx.params.get("tolerance") is not None:
            inputs.int(
                "error_level",
                default=1,
                min=0,
                max=2,
                label="Masks that make no polygon",
                description="0: an error. 1: they overlap nothing, with a warning. 2: without one",
            )
    inputs.list(
        "iou_threshs",
        types.Number(min=0, max=1),
        label="IoU thresholds",
        description="Precision is averaged over them; empty means .50, .55, ... .95",
    )
    inputs.int("max_preds", default=MOST_PREDICTIONS, min=1, label="Most predictions of a class")
    inputs.str("iscrowd", default=CROWD, label="Attribute that marks a crowd")
    ask_for_names(
        inputs, "classes", label="Classes", description="Only these are scored; empty means all"
    )
    inputs.str("missing", label="Name of a missing partner", description="In the confusion matrix")
    ask_for_names(
        inputs,
        "custom_metrics",
        label="More metrics",
        description="The names of operators that FiftyOne computes as well",
    )
    inputs.bool(
        "dynamic",
        default=True,
        label="Declare what is written on labels",
        description="So that the App can filter by it",
    )


def _options(ctx: Any) -> EvaluationOptions:
    """The options that the form asks for; what was folded away does not count."""
    params = {} if is_folded(ctx, "more") else ctx.params
    tolerance = params.get("tolerance")
    return EvaluationOptions(
        iou=number_of(ctx, "iou", 0.5),
        classwise=bool(ctx.params.get("classwise", True)),
        iscrowd=params.get("iscrowd") or CROWD,
        use_masks=bool(params.get("use_masks", False)),
        tolerance=None if tolerance is None else float(tolerance),
        iou_threshs=tuple(map(float, params.get("iou_threshs") or IOUS)),
        max_preds=int(params.get("max_preds") or MOST_PREDICTIONS),
        classes=tuple(params.get("classes") or ()) or None,
        missing=params.get("missing") or None,
        error_level=int(params.get("error_level", 1)),
        custom_metrics=_metrics(params.get("custom_metrics") or ()),
        dynamic=bool(params.get("dynamic", True)),
    )


def _metrics(given: Any) -> Any:
    return dict(given) if isinstance(given, Mapping) else tuple(given)


def _problems(score: DetectionScore) -> list[str]:
    """What was left out, and why, in sentences."""
    reasons = Counter((bad.reason, bad.field) for bad in score.invalid)
    problems = [
        f"{count:,} of the labels in {field} were left out: {reason}."
        for (reason, field), count in sorted(reasons.items())
    ]
    if score.unpredicted:
        problems.append(f"{len(score.unpredicted):,} samples without predictions were left out.")
    return problems


def _request(ctx: Any) -> tuple[str, str, str]:
    predictions, truth = require_two_fields(ctx)
    return predictions, truth, require_eval_key(ctx.dataset, ctx.params.get("eval_key", "eval"))
