"""Asks where a sample's vector comes from, and gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.compute.zoo import load_zoo_model, require_zoo_model
from ..relabel.curation.descriptors import ImageDescriptor
from ..relabel.curation.embeddings import (
    Embeddings,
    compute_embeddings,
    read_embeddings,
    require_vector_field,
    vector_fields,
)
from .delegation import progress_reporter
from .forms import ask_for_zoo_model, errors_shown, field_choice, show_notice

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

DESCRIPTOR, ZOO, FIELD = "descriptor", "zoo", "field"


def ask_for_embeddings(ctx: Any, inputs: types.Object) -> None:
    """Adds to a form the choice between the built-in descriptor, a zoo model, and a field."""
    choices = types.RadioGroup()
    choices.add_choice(DESCRIPTOR, label="Built-in image descriptor: shapes and colours")
    choices.add_choice(ZOO, label="A model of FiftyOne's zoo")
    fields = vector_fields(ctx.dataset)
    if fields or ctx.params.get("embeddings") == FIELD:
        choices.add_choice(FIELD, label="Vectors in a field")
    inputs.enum(
        "embeddings", choices.values(), default=DESCRIPTOR, label="Compare by", view=choices
    )
    source = ctx.params.get("embeddings", DESCRIPTOR)
    if source == ZOO:
        ask_for_zoo_model(ctx, inputs)
    elif source == FIELD:
        field_choice(
            inputs, "vector_field", fields, label="Field", default=next(iter(fields), None)
        )
        with errors_shown(inputs, "embeddings_problem"):
            require_vector_field(ctx.dataset, ctx.params.get("vector_field") or _first(fields))
    else:
        text = "No network and no GPU needed. It tells look-alikes, not what things are."
        show_notice(inputs, "descriptor_notice", text)


def get_embeddings(ctx: Any, view: SampleCollection) -> Embeddings:
    """Computes or reads the vectors that the form asked for.

    Raises:
        EmbeddingsError, ModelNotFound: as said there
    """
    source = ctx.params.get("embeddings", DESCRIPTOR)
    if source == FIELD:
        return read_embeddings(
            view, ctx.params.get("vector_field") or _first(vector_fields(ctx.dataset)) or ""
        )
    name = require_zoo_model(ctx.params.get("zoo_model")) if source == ZOO else DESCRIPTOR
    return compute_embeddings(
        view,
        load_zoo_model(name) if source == ZOO else ImageDescriptor(),
        source=name,
        progress=progress_reporter(ctx, "images"),
    )


def describe(embeddings: Embeddings) -> dict[str, Any]:
    """What an operator's result says of the vectors that it used."""
    return {
        "compared_by": embeddings.source,
        "samples": len(embeddings),
        "without_vector": embeddings.missing,
    }


ROWS = (
    ("compared_by", "Compared by"),
    ("samples", "Samples compared"),
    ("without_vector", "Samples without a vector"),
)


def _first(fields: list[str]) -> str | None:
    return fields[0] if fields else None
