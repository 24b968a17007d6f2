"""Asks where a sample's vector comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.zoo import (
    is_zoo_model_here,
    require_zoo_embedder,
    zoo_embedders,
)
from ...relabel.curation.embedding.embeddings import require_vector_field, vector_fields
from ...relabel.curation.embedding.keras_models import (
    APPLICATIONS,
    is_downloaded,
    require_application,
    require_model_file,
    require_weights,
)
from ...relabel.curation.embedding.origins import (
    APPLICATION,
    DESCRIPTOR,
    FIELD,
    MODEL_FILE,
    ZOO,
)
from ...relabel.curation.embedding.parts import USUAL_BATCH
from ...relabel.curation.similarity import indexes, require_index
from ..forms import errors_shown, field_choice, show_notice, show_warning
from ..running.batch_size import ask_for_batch_size
from ..running.delegation import runs_elsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

INDEX = "index"
COMPUTED = (DESCRIPTOR, APPLICATION, MODEL_FILE, ZOO)
IMAGES = "(whole images)"  # in place of a field of patches
_THERE = "vectors that are there"
_LABELS = {
    INDEX: "What a similarity index was made of",
    FIELD: "Vectors in a field",
    DESCRIPTOR: "Built-in image descriptor: shapes and colours",
    APPLICATION: "A Keras application",
    MODEL_FILE: "A .keras file, or a TensorFlow SavedModel",
    ZOO: "A model of FiftyOne's zoo",
}
SOURCES = tuple(_LABELS)


def ask_for_embeddings(ctx: Any, inputs: types.Object, kinds: Sequence[str] = SOURCES) -> str:
    """Adds to a form the choice of where vectors come from, and what that needs to know.

    By default they are taken from an index or a field if there is one and it stands before the
    built-in descriptor among the kinds, else that makes them. Fields hold none of patches.

    Args:
        ctx: the execution context
        inputs: the form
        kinds: what may be chosen

    Returns:
        what is chosen
    """
    dataset = ctx.dataset
    there = {INDEX: bool(_indexes(ctx)), FIELD: bool(vector_fields(dataset))}
    source = source_of(ctx, kinds)
    choices = types.RadioGroup()
    for kind in kinds:
        if there.get(kind, True) or kind == source:
            choices.add_choice(kind, label=_LABELS[kind])
    inputs.enum("embeddings", choices.values(), default=source, label="Compare by", view=choices)
    ask = {
        INDEX: _ask_for_index,
        FIELD: _ask_for_field,
        DESCRIPTOR: _describe_descriptor,
        APPLICATION: _ask_for_application,
        MODEL_FILE: _ask_for_model_file,
        ZOO: _ask_for_zoo,
    }
    ask[source](ctx, inputs)
    if source in COMPUTED:
        ask_for_batch_size(inputs, USUAL_BATCH)
    return source


def source_of(ctx: Any, kinds: Sequence[str] = SOURCES) -> str:
    """Where the form says that vectors come from; without an answer, what is there."""
    chosen = ctx.params.get("embeddings")
    if chosen in kinds:
        return str(chosen)
    fields = [] if asked_for_patches(ctx) else vector_fields(ctx.dataset)
    there = {INDEX: _indexes(ctx), FIELD: fields, DESCRIPTOR: True}
    return next(kind for kind in kinds if there.get(kind))


def asked_for_patches(ctx: Any) -> str | None:
    """The field whose patches are to be compared, if there is such; None for whole images."""
    asked = ctx.params.get("patches_field")
    return None if asked in (None, "", IMAGES) else str(asked)


def vectors_from(ctx: Any, kinds: Sequence[str] = SOURCES) -> str:
    """What makes the vectors, as far as it decides how long that takes.

    Args:
        ctx: the execution context
        kinds: what may be chosen
    """
    source = source_of(ctx, kinds)
    if source not in COMPUTED:
        return _THERE
    named = {
        DESCRIPTOR: "the built-in descriptor",
        APPLICATION: ctx.params.get("application") or next(iter(APPLICATIONS)),
        MODEL_FILE: ctx.params.get("model_path"),
        ZOO: ctx.params.get("zoo_model"),
    }
    model = str(named[source] or "no model")
    return f"{model}, on patches" if asked_for_patches(ctx) else model


def application_of(ctx: Any) -> str:
    """The Keras application that the form asks for, by default the first.

    Raises:
        ModelNotFound: if there is no such
    """
    return require_application(ctx.params.get("application") or next(iter(APPLICATIONS)))


def index_of(ctx: Any) -> str:
    """The index that the form asks for, by default the first; empty if there is none."""
    return ctx.params.get("index") or _first(_indexes(ctx)) or ""


def field_of(ctx: Any) -> str:
    """The field of vectors that the form asks for, by default the first; empty without any."""
    return ctx.params.get("vector_field") or _first(vector_fields(ctx.dataset)) or ""


def _indexes(ctx: Any) -> list[str]:
    return indexes(ctx.dataset, asked_for_patches(ctx))


def _describe_descriptor(ctx: Any, inputs: types.Object) -> None:  # noqa: ARG001
    text = "No network and no GPU needed. It tells look-alikes, not what things are."
    show_notice(inputs, "descriptor_notice", text)


def _ask_for_index(ctx: Any, inputs: types.Object) -> None:
    known = _indexes(ctx)
    field_choice(inputs, "index", known, label="Index", default=_first(known))
    with errors_shown(inputs, "embeddings_problem"):
        require_index(ctx.dataset, index_of(ctx), asked_for_patches(ctx))


def _ask_for_field(ctx: Any, inputs: types.Object) -> None:
    known = vector_fields(ctx.dataset)
    field_choice(inputs, "vector_field", known, label="Field", default=_first(known))
    with errors_shown(inputs, "embeddings_problem"):
        require_vector_field(ctx.dataset, field_of(ctx))


def _ask_for_application(ctx: Any, inputs: types.Object) -> None:
    names = types.DropdownView()
    for name in APPLICATIONS:
        names.add_choice(name, label=name)
    inputs.enum(
        "application", names.values(), default=next(iter(APPLICATIONS)), label="Model", view=names
    )
    inputs.str(
        "weights",
        label="File of weights",
        description="Without the top. If empty, Keras takes ImageNet's from its cache "
        "(~/.keras/models), or from the network",
    )
    if runs_elsewhere(ctx):
        return
    with errors_shown(inputs, "model_problem"):
        name, weights = application_of(ctx), ctx.params.get("weights")
        if weights:
            require_weights(weights)
        elif not is_downloaded(name):
            _tell_of_network(inputs, "Keras")


def _ask_for_model_file(ctx: Any, inputs: types.Object) -> None:
    inputs.str(
        "model_path",
        required=True,
        label=".keras file, or folder of the SavedModel",
        description="Where the operator runs",
    )
    inputs.str("output", label="Layer or output with the vectors", description="The last if empty")
    ranges = types.RadioGroup(orientation="horizontal")
    for name in PIXELS:
        ranges.add_choice(name, label=name)
    inputs.enum(
        "pixels",
        ranges.values(),
        default=next(iter(PIXELS)),
        label="Pixels that it expects",
        view=ranges,
    )
    if ctx.params.get("model_path") and not runs_elsewhere(ctx):
        with errors_shown(inputs, "model_problem"):
            require_model_file(ctx.params["model_path"])


def _ask_for_zoo(ctx: Any, inputs: types.Object) -> None:
    names = types.AutocompleteView()
    for name in zoo_embedders():
        names.add_choice(name, label=name)
    inputs.str("zoo_model", required=True, label="Name of the model", view=names)
    if ctx.params.get("zoo_model"):
        with errors_shown(inputs, "model_problem"):
            here = not runs_elsewhere(ctx)
            name = require_zoo_embedder(ctx.params["zoo_model"], here=here)
            if here and not is_zoo_model_here(name):
                _tell_of_network(inputs, "FiftyOne")


def _tell_of_network(inputs: types.Object, fetcher: str) -> None:
    text = f"Its weights are not on this machine: {fetcher} fetches them from the network first."
    show_warning(inputs, "network", text)


def _first(names: list[str]) -> str | None:
    return names[0] if names else None
