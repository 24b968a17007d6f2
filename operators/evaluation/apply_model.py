"""Applies a detector, or any model of FiftyOne's zoo, to the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.evaluation.predicting.parts import USUAL_BATCH
from ...relabel.evaluation.predicting.predict import apply_model
from ..forms import (
    UnknownField,
    as_form,
    as_output,
    errors_shown,
    number_of,
    show_target,
    show_warning,
    target_images,
)
from ..running.batch_size import ask_for_batch_size, batch_size_of
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from ..running.ray_cluster import cluster_of
from .model_choice import LEAST_CONFIDENCE, ask_for_model, made_by, model_of, name_of

if TYPE_CHECKING:
    from ..running.streaming import Report

_FILES_LISTED = 20


class ApplyModel(DelegatedOperator):
    """Writes a model's predictions to a field."""

    uses_cluster = True

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "apply_model",
            "Apply model",
            description="Applies a TensorFlow or Keras detector, or a model of FiftyOne's zoo",
            icon="psychology",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the model, the field, and where to run."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            show_target(ctx, inputs, "Applies to")
        ask_for_model(ctx, inputs)
        inputs.str("label_field", default="predictions", label="Write to")
        with errors_shown(inputs, "field_problem"):
            field = _label_field(ctx)
            inputs.bool("new_only", default=False, label="Only samples without predictions")
            if ctx.dataset.has_field(field) and not ctx.params.get("new_only"):
                show_warning(inputs, "replaces", f"What {field} holds for them is replaced.")
        inputs.float(
            "confidence", default=LEAST_CONFIDENCE, min=0, max=1, label="Least confidence"
        )
        ask_for_batch_size(inputs, USUAL_BATCH)
        return as_form(inputs, "Apply model", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """The model."""
        return name_of(ctx)

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Applies the model.

        Raises:
            NoSamples, UnknownField, ModelNotFound, NotADetector, ClassFileError: as said there
        """
        view, field = target_images(ctx), _label_field(ctx)
        with cluster_of(ctx) as cluster:
            report(0, "Loading the model")
            done = apply_model(
                view,
                model_of(ctx),
                field,
                confidence=number_of(ctx, "confidence", LEAST_CONFIDENCE),
                batch_size=batch_size_of(ctx),
                new_only=bool(ctx.params.get("new_only", False)),
                cluster=cluster,
                made_by=made_by(ctx),
                progress=progress_reporter(ctx, "images", report),
                before_writing=lambda: begin_writing(ctx),
            )
        return {
            "field": done.field,
            "predicted": done.predicted,
            "resumed": done.resumed,
            "labels": done.labels,
            "skipped": done.skipped,
            "unreadable": len(done.unreadable),
            "unreadable_files": [bad.filepath for bad in done.unreadable[:_FILES_LISTED]],
        }

    def output(self, ctx: Any) -> types.Property:
        """Says what was predicted, and what could not be."""
        rows = [
            ("field", "Field"),
            ("predicted", "Samples with predictions"),
            ("resumed", "Of these by a run that was stopped"),
            ("labels", "Labels"),
            ("skipped", "Samples left alone"),
            ("unreadable", "Images that could not be read"),
        ]
        outputs = as_output("Model applied", rows)
        if ctx.results.get("unreadable_files"):
            outputs.type.list("unreadable_files", types.String(), label="Unreadable")
        return outputs


def _label_field(ctx: Any) -> str:
    field = str(ctx.params.get("label_field") or "predictions")
    if not field.isidentifier():
        raise UnknownField(f"'{field}' cannot name a field.", "Use letters, digits, underscores.")
    existing = ctx.dataset.get_field(field)
    if existing is not None and getattr(existing, "document_type", None) is not fo.Detections:
        raise UnknownField(f"'{field}' holds something else.", "Choose another name.")
    return field
