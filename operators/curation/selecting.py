"""What the operators have in common that choose so many samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fiftyone.operators import types

from ...relabel.curation.selecting.selection import require_count, select_unique
from ...relabel.curation.selecting.selection_runs import number_field, save_selection
from ..annotation.send_what import offer_to_send
from ..forms import as_form, count_in_time, errors_shown, number_of
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from ..running.ray_cluster import cluster_of
from . import selection_form as form
from .curation_target import images_of, require_images
from .embedding_source import ask_for_embeddings, vectors_from
from .missing_vectors import tell_of_missing
from .vectors import describe, embeddings_of, name_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators.message import GeneratedMessage

    from ...relabel.curation.selecting.selection import Wishes
    from ..running.streaming import Report

DEFAULT_COUNT = 100
_CHOOSING = "samples chosen"


class SelectingOperator(DelegatedOperator):
    """Base of operators that choose samples, tag and save them, and show them in that order.

    Attributes:
        base: what selections are named and tagged by default
    """

    base: ClassVar[str]
    uses_cluster = True

    def ask(self, ctx: Any, inputs: types.Object) -> None:
        """Adds to the form what the operator asks for beside what all of them do."""

    def units(self, ctx: Any, step: str, samples: int) -> float:
        """To choose is to compare all samples with each that was chosen."""
        if step != _CHOOSING:
            return samples
        return samples * _count(ctx, min(DEFAULT_COUNT, samples))

    def weigh(
        self,
        ctx: Any,  # noqa: ARG002
        view: SampleCollection,  # noqa: ARG002
        wishes: Wishes,
    ) -> tuple[Wishes, dict[str, Any]]:
        """The wishes with what the operator adds to them, and what its result says of that."""
        return wishes, {}

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks how many, beside what, by what vectors, with what rules, under what name."""
        inputs = types.Object()
        available: int | None = 0
        with errors_shown(inputs, "target_problem"):
            require_images(ctx)
            available = count_in_time(ctx)
        many = "samples that are still being counted" if available is None else f"{available:,}"
        default = DEFAULT_COUNT if available is None else min(DEFAULT_COUNT, max(available, 1))
        inputs.int("count", default=default, min=1, label=f"How many of {many}")
        if available:
            with errors_shown(inputs, "problem"):
                require_count(_count(ctx, default), available)
        self.ask(ctx, inputs)
        form.ask_for_seeds(ctx, inputs)
        source = ask_for_embeddings(ctx, inputs)
        with errors_shown(inputs, "vectors_problem"):
            if found := tell_of_missing(ctx, inputs, source):
                require_count(_count(ctx, default), found.vectors, missing=found.missing)
        form.ask_for_wishes(ctx, inputs)
        form.ask_for_marks(ctx, inputs, self.base, self.base)
        return as_form(inputs, self.config.label, self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """What makes the vectors."""
        return vectors_from(ctx)

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Selects, tags and saves.

        Raises:
            NoSamples, PredictionsError, SelectionError, EmbeddingsError, ModelNotFound: as said
                there
        """
        view = images_of(ctx)
        count = require_count(_count(ctx, DEFAULT_COUNT), view.count())
        marks = form.read_marks(ctx, self.base, self.base)
        seeds = form.read_seeds(ctx)
        wishes, said = self.weigh(ctx, view, form.read_wishes(ctx, view, count, seeds))
        with (
            cluster_of(ctx) as cluster,
            embeddings_of(ctx, report, [view], beside=seeds) as embeddings,
        ):
            compared = len(embeddings) * count
            told = progress_reporter(ctx, _CHOOSING, report, units=compared)
            selection = select_unique(embeddings, wishes, cluster=cluster, progress=told)
            said = {**said, **describe(embeddings)}
            details = form.signed(ctx, {**form.describe_wishes(ctx), **said})
            replaces = form.replaces(ctx, marks.name)
            begin_writing(ctx)
            marked = None
            if selection.sample_ids:
                save_selection(ctx.dataset, selection, marks, details, replace=replaces)
                marked = replace(marks, number_field=number_field(ctx.dataset, marks.name))
        described = form.describe_selection(selection, marked)
        return {**described, "chosen_without_vector": len(seeds) - selection.seeds, **said}

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Shows what was selected, in the order of choice."""
        if not result["selected"]:
            return [ctx.ops.reload_dataset()]
        selected = ctx.dataset.load_saved_view(result["saved_view"])
        return [ctx.ops.reload_dataset(), ctx.ops.set_view(selected)]

    def output(self, ctx: Any) -> types.Property:
        """Says what was selected, and what fewer would have covered; leads on to annotators."""
        outputs = types.Object()
        outputs.md(self.introduction(ctx.results) + form.show_selection(ctx.results), name="found")
        name_left_out(outputs, ctx.results)
        if ctx.results.get("selected"):
            offer_to_send(outputs, ctx.results["selected"], ctx.results["saved_view"])
        return types.Property(outputs, view=types.View(label="Selected"))

    def introduction(self, result: dict[str, Any]) -> str:  # noqa: ARG002
        """What is said, in Markdown, before what was selected."""
        return ""


def _count(ctx: Any, default: int) -> int:
    return int(number_of(ctx, "count", default))
