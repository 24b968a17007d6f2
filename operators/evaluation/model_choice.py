"""Which model is applied: what a form asks for, and how it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.recipes import recipe
from ...relabel.compute.inference.stamps import changed_at
from ...relabel.compute.inference.zoo import load_zoo_model, require_zoo_model
from ...relabel.evaluation.predicting.detectors import load_detector, require_saved_model
from ...relabel.evaluation.predicting.keras_detectors import (
    load_keras_detector,
    require_keras_file,
)
from ...relabel.evaluation.predicting.output_format import BOX_FORMATS, OutputFormat
from ..forms import ask_for_zoo_model, errors_shown, number_of
from ..running.delegation import runs_elsewhere

if TYPE_CHECKING:
    from pathlib import Path

    from ...relabel.compute.inference.recipes import Recipe

SAVED_MODEL, KERAS, ZOO = "saved_model", "keras", "zoo"
LEAST_CONFIDENCE = 0.05


def ask_for_model(ctx: Any, inputs: types.Object) -> None:
    """Adds the choice of a model to a form."""
    kinds = types.RadioGroup(orientation="horizontal")
    kinds.add_choice(SAVED_MODEL, label="A TensorFlow SavedModel")
    kinds.add_choice(KERAS, label="A Keras model")
    kinds.add_choice(ZOO, label="A model of FiftyOne's zoo")
    inputs.enum("model", kinds.values(), default=SAVED_MODEL, label="Model", view=kinds)
    kind = _kind(ctx)
    if kind == ZOO:
        ask_for_zoo_model(ctx, inputs)
        return
    _ask_for_file(inputs, kind)
    inputs.str("class_file", label="Class names", description="Found beside the model if empty")
    if kind == KERAS:
        _ask_for_output(inputs)
    if ctx.params.get("model_path"):
        with errors_shown(inputs, "model_problem"):
            _require_model_here(ctx)


def model_of(ctx: Any) -> Recipe:
    """How the model is loaded that a form asked for.

    Raises:
        ModelNotFound, NotADetector: if it is known already that it cannot be
    """
    kind = _kind(ctx)
    if kind == ZOO:
        return recipe(load_zoo_model, require_zoo_model(ctx.params.get("zoo_model")))
    path, class_file = _path(ctx), ctx.params.get("class_file") or None
    confidence = number_of(ctx, "confidence", LEAST_CONFIDENCE)
    if kind == SAVED_MODEL:
        return recipe(load_detector, path, class_file, reads=path, confidence=confidence)
    output = _output(ctx)
    return recipe(
        load_keras_detector,
        path,
        class_file,
        reads=path,
        boxes=output.boxes,
        names=output.names,
        first_class=output.first_class,
        pixels=output.pixels,
        confidence=confidence,
    )


def made_by(ctx: Any) -> list[Any]:
    """What decides the predictions: the model, as it is on this machine's disk."""
    kind = _kind(ctx)
    if kind == ZOO:
        return [ZOO, ctx.params.get("zoo_model")]
    path, class_file = _path(ctx), _require_files(ctx)
    found = [kind, path, changed_at(path), str(class_file), changed_at(class_file)]
    if kind == KERAS:
        output = _output(ctx)
        found += [output.boxes, output.names, output.first_class, output.pixels]
    return found


def name_of(ctx: Any) -> str:
    """The model's name, or its path."""
    return str(ctx.params.get("zoo_model" if _kind(ctx) == ZOO else "model_path") or "")


def _ask_for_file(inputs: types.Object, kind: str) -> None:
    label, description = {
        SAVED_MODEL: (
            "Folder of the SavedModel",
            "With the signature of the TF2 Detection Zoo; where the operator runs",
        ),
        KERAS: ("Keras file", "A .keras file that returns boxes, scores and classes"),
    }[kind]
    inputs.str("model_path", required=True, label=label, description=description)


def _ask_for_output(inputs: types.Object) -> None:
    for name, known, label in (
        ("box_format", BOX_FORMATS, "How it writes boxes"),
        ("pixels", tuple(PIXELS), "Pixels that it expects"),
    ):
        choices = types.DropdownView()
        for one in known:
            choices.add_choice(one, label=one)
        inputs.enum(name, choices.values(), default=known[0], label=label, view=choices)
    inputs.list(
        "outputs",
        types.String(),
        label="Its outputs with boxes, scores and classes",
        description="Their names, in this order; found by their usual names if empty",
    )
    inputs.int(
        "first_class",
        default=0,
        min=0,
        label="Id of the first class",
        description="Of a class file that says no ids",
    )


def _require_model_here(ctx: Any) -> None:
    """Checks the model's path, unless another machine will load it."""
    if not runs_elsewhere(ctx):
        _require_files(ctx)
    if _kind(ctx) == KERAS:
        _output(ctx)


def _require_files(ctx: Any) -> Path:
    require = require_keras_file if _kind(ctx) == KERAS else require_saved_model
    return require(_path(ctx), ctx.params.get("class_file") or None)


def _output(ctx: Any) -> OutputFormat:
    return OutputFormat(
        boxes=ctx.params.get("box_format") or BOX_FORMATS[0],
        names=tuple(ctx.params.get("outputs") or ()),
        first_class=int(number_of(ctx, "first_class", 0)),
        pixels=ctx.params.get("pixels") or next(iter(PIXELS)),
    )


def _kind(ctx: Any) -> str:
    return str(ctx.params.get("model") or SAVED_MODEL)


def _path(ctx: Any) -> str:
    return str(ctx.params.get("model_path") or "")
