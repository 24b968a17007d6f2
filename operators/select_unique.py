"""Selects the images that add most to what is labelled already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.curation.selection import require_count, select_unique
from ..relabel.curation.selection_runs import save_selection
from . import selection_form as form
from .delegation import DelegatedOperator, progress_reporter
from .embedding_source import ask_for_embeddings, describe, get_embeddings
from .forms import as_form, count_target, errors_shown, target_images

if TYPE_CHECKING:
    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection

DEFAULT_COUNT = 100
DEFAULT_NAME = "unique"


class SelectUnique(DelegatedOperator):
    """Selects so many images, tags and saves them, and shows them in the order of their choice."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "select_unique",
            "Select unique samples",
            description="Selects the images that differ most from one another and from the "
            "labelled ones",
            icon="filter_center_focus",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks how many, beside what, by what vectors, with what rules, under what name."""
        inputs = types.Object()
        available = 0
        with errors_shown(inputs, "target_problem"):
            available = count_target(ctx)
        default = min(DEFAULT_COUNT, max(available, 1))
        inputs.int("count", default=default, min=1, label=f"How many of {available:,}")
        if available:
            with errors_shown(inputs, "problem"):
                require_count(ctx.params.get("count", default), available)
        form.ask_for_seeds(ctx, inputs)
        ask_for_embeddings(ctx, inputs)
        form.ask_for_wishes(ctx, inputs)
        form.ask_for_marks(ctx, inputs, DEFAULT_NAME, DEFAULT_NAME)
        return as_form(inputs, "Select unique samples", self.ask_where_to_run(ctx, inputs))

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Selects, tags, saves and shows.

        Raises:
            NoSamples, SelectionError, EmbeddingsError, ModelNotFound: as said there
        """
        view = target_images(ctx)
        count = require_count(ctx.params.get("count", DEFAULT_COUNT), view.count())
        marks = form.read_marks(ctx, DEFAULT_NAME, DEFAULT_NAME)
        seeds = form.read_seeds(ctx)
        wishes = form.read_wishes(ctx, view, count, seeds)
        embeddings = get_embeddings(ctx, with_seeds(ctx, view, seeds))
        selection = select_unique(
            embeddings, wishes, progress=progress_reporter(ctx, "samples chosen")
        )
        details = {**form.describe_wishes(ctx), **describe(embeddings)}
        selected = save_selection(
            ctx.dataset, selection, marks, details, replace=form.replaces(ctx)
        )
        if not ctx.delegated:
            ctx.ops.reload_dataset()
            ctx.ops.set_view(selected)
        return {**form.describe_selection(selection, marks), **describe(embeddings)}

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says what was selected, and what fewer would have covered."""
        outputs = types.Object()
        outputs.md(form.show_selection(ctx.results), name="selection")
        return types.Property(outputs, view=types.View(label="Selected"))


def with_seeds(ctx: Any, view: SampleCollection, seeds: set[str]) -> SampleCollection:
    """The samples to select from, and those that count as chosen though they are not in view."""
    ids = view.values("id") if seeds else []
    outside = sorted(seeds.difference(ids))
    return ctx.dataset.select([*ids, *outside], ordered=True) if outside else view
