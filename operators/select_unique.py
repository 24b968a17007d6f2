"""Selects the images that differ most from one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.curation.selection import require_count, select_unique
from .delegation import DelegatedOperator
from .embedding_source import ROWS, ask_for_embeddings, describe, get_embeddings
from .forms import as_form, as_output, count_target, errors_shown, target_images

if TYPE_CHECKING:
    import fiftyone.operators as foo

DEFAULT_COUNT = 100
DEFAULT_TAG = "unique"


class SelectUnique(DelegatedOperator):
    """Selects so many images, tags them, and shows them in the order of their choice."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "select_unique",
            "Select unique samples",
            description="Selects the images that differ most from one another",
            icon="filter_center_focus",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks how many, by what vectors, and for the tag."""
        inputs = types.Object()
        available = 0
        with errors_shown(inputs, "target_problem"):
            available = count_target(ctx)
        default = min(DEFAULT_COUNT, max(available, 1))
        inputs.int("count", default=default, min=1, label=f"How many of {available:,}")
        if available:
            with errors_shown(inputs, "problem"):
                require_count(ctx.params.get("count", default), available)
        ask_for_embeddings(ctx, inputs)
        inputs.str("tag", default=DEFAULT_TAG, label="Tag", description="None if empty")
        return as_form(inputs, "Select unique samples", self.ask_where_to_run(ctx, inputs))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Selects, tags and shows.

        Raises:
            NoSamples, SelectionError, EmbeddingsError, ModelNotFound: as said there
        """
        view = target_images(ctx)
        count = require_count(ctx.params.get("count", DEFAULT_COUNT), view.count())
        embeddings = get_embeddings(ctx, view)
        ctx.set_progress(progress=1, label="Selecting")
        selection = select_unique(embeddings, count)
        selected = ctx.dataset.select(list(selection.sample_ids), ordered=True)
        tag = str(ctx.params.get("tag", DEFAULT_TAG) or "").strip()
        if tag:
            selected.tag_samples(tag)
        if not ctx.delegated:
            ctx.ops.reload_dataset()
            ctx.ops.set_view(selected)
        return {
            "selected": len(selection.sample_ids),
            "tag": tag or None,
            "sample_ids": list(selection.sample_ids),
            **describe(embeddings),
        }

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says how many were selected."""
        rows = [("selected", "Selected"), *ROWS]
        if ctx.results.get("tag"):
            rows.insert(1, ("tag", "Tagged"))
        return as_output("Selected, in order of choice", rows)
