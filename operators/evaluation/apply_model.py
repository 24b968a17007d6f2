"""Applies a detector, or any model of FiftyOne's zoo, to the target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators import types

from ...relabel.compute.recipes import recipe
from ...relabel.compute.stamps import changed_at
from ...relabel.compute.zoo import load_zoo_model, require_zoo_model
from ...relabel.evaluation.detectors import load_detector, require_saved_model
from ...relabel.evaluation.predict import apply_model
from ..forms import (
    UnknownField,
    as_form,
    as_output,
    ask_for_zoo_model,
    count_target,
    errors_shown,
    show_notice,
    show_warning,
    target_images,
)
from ..running.cancelling import begin_writing
from ..running.delegation import HERE, RUN_ON, DelegatedOperator, progress_reporter
from ..running.ray_cluster import cluster_of

if TYPE_CHECKING:
    from ...relabel.compute.recipes import Recipe
    from ..running.streaming import Report

SAVED_MODEL, ZOO = "saved_model", "zoo"
_FILES_LISTED = 20


class ApplyModel(DelegatedOperator):
    """Writes a model's predictions to a field."""

    uses_cluster = True

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "apply_model",
            "Apply model",
            description="Applies a TensorFlow detector, or a model of FiftyOne's zoo",
            icon="psychology",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the model, the field, and where to run."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            count = count_target(ctx)
            show_notice(inputs, "target", f"Applies to {count:,} samples.")
        _ask_for_model(ctx, inputs)
        inputs.str("label_field", default="predictions", label="Write to")
        with errors_shown(inputs, "field_problem"):
            field = _label_field(ctx)
            inputs.bool("new_only", default=False, label="Only samples without predictions")
            if ctx.dataset.has_field(field) and not ctx.params.get("new_only"):
                show_warning(inputs, "replaces", f"What {field} holds for them is replaced.")
        inputs.float("confidence", default=0.05, min=0, max=1, label="Least confidence")
        inputs.int("batch_size", default=8, min=1, label="Images at once")
        return as_form(inputs, "Apply model", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """The model."""
        zoo = ctx.params.get("model", SAVED_MODEL) == ZOO
        return str(ctx.params.get("zoo_model" if zoo else "model_path") or "")

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
                _model(ctx),
                field,
                confidence=float(ctx.params.get("confidence", 0.05)),
                batch_size=int(ctx.params.get("batch_size", 8)),
                new_only=bool(ctx.params.get("new_only", False)),
                cluster=cluster,
                made_by=_made_by(ctx),
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


def _ask_for_model(ctx: Any, inputs: types.Object) -> None:
    kinds = types.RadioGroup(orientation="horizontal")
    kinds.add_choice(SAVED_MODEL, label="A TensorFlow SavedModel")
    kinds.add_choice(ZOO, label="A model of FiftyOne's zoo")
    inputs.enum("model", kinds.values(), default=SAVED_MODEL, label="Model", view=kinds)
    if ctx.params.get("model") == ZOO:
        ask_for_zoo_model(ctx, inputs)
        return
    inputs.str(
        "model_path",
        required=True,
        label="Folder of the SavedModel",
        description="With the signature of the TF2 Detection Zoo; where the operator runs",
    )
    inputs.str("class_file", label="Class names", description="Found beside the model if empty")
    if ctx.params.get("model_path"):
        with errors_shown(inputs, "model_problem"):
            _require_model_here(ctx)


def _require_model_here(ctx: Any) -> None:
    """Checks the model's path, unless another machine will load it."""
    elsewhere = ctx.params.get(RUN_ON, HERE) != HERE or ctx.requesting_delegated_execution
    if not elsewhere:
        require_saved_model(ctx.params["model_path"], ctx.params.get("class_file"))


def _model(ctx: Any) -> Recipe:
    if ctx.params.get("model", SAVED_MODEL) == ZOO:
        return recipe(load_zoo_model, require_zoo_model(ctx.params.get("zoo_model")))
    path = str(ctx.params.get("model_path") or "")
    return recipe(
        load_detector,
        path,
        ctx.params.get("class_file") or None,
        reads=path,
        confidence=float(ctx.params.get("confidence", 0.05)),
    )


def _made_by(ctx: Any) -> list[Any]:
    """What decides the predictions: the model, as it is on this machine's disk."""
    if ctx.params.get("model", SAVED_MODEL) == ZOO:
        return [ZOO, ctx.params.get("zoo_model")]
    path = str(ctx.params.get("model_path") or "")
    class_file = require_saved_model(path, ctx.params.get("class_file") or None)
    return [SAVED_MODEL, path, changed_at(path), str(class_file), changed_at(class_file)]


def _label_field(ctx: Any) -> str:
    field = str(ctx.params.get("label_field") or "predictions")
    if not field.isidentifier():
        raise UnknownField(f"'{field}' cannot name a field.", "Use letters, digits, underscores.")
    existing = ctx.dataset.get_field(field)
    if existing is not None and getattr(existing, "document_type", None) is not fo.Detections:
        raise UnknownField(f"'{field}' holds something else.", "Choose another name.")
    return field
