"""Indexes images by similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.curation.similarity import compute_similarity, require_brain_key
from .delegation import DelegatedOperator
from .embedding_source import ROWS, ask_for_embeddings, describe, get_embeddings
from .forms import (
    as_form,
    as_output,
    count_target,
    errors_shown,
    show_notice,
    show_warning,
    target_images,
)

if TYPE_CHECKING:
    import fiftyone.operators as foo

DEFAULT_KEY = "image_similarity"


class ComputeSimilarity(DelegatedOperator):
    """Makes the index behind the App's search for similar images."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "compute_similarity",
            "Compute similarity",
            description="Indexes images, so that the App can sort them by similarity",
            icon="image_search",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the vectors and the name of the index."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            show_notice(inputs, "target", f"Indexes {count_target(ctx):,} samples.")
        ask_for_embeddings(ctx, inputs)
        inputs.str("brain_key", default=DEFAULT_KEY, label="Name of the index")
        with errors_shown(inputs, "problem"):
            key = _brain_key(ctx)
            if ctx.dataset.has_brain_run(key):
                show_warning(inputs, "replaces", f"The index {key} is replaced.")
        return as_form(inputs, "Compute similarity", self.ask_where_to_run(ctx, inputs))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Computes the index.

        Raises:
            NoSamples, EmbeddingsError, ModelNotFound, BrainKeyError: as said there
        """
        view, key = target_images(ctx), _brain_key(ctx)
        embeddings = get_embeddings(ctx, view)
        ctx.set_progress(progress=1, label="Indexing")
        compute_similarity(view, embeddings, key)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
        return {"brain_key": key, **describe(embeddings)}

    def resolve_output(self, ctx: Any) -> types.Property:  # noqa: ARG002
        """Says what was indexed."""
        return as_output("Indexed", [("brain_key", "Index"), *ROWS])


def _brain_key(ctx: Any) -> str:
    return require_brain_key(ctx.dataset, ctx.params.get("brain_key", DEFAULT_KEY), "similarity")
