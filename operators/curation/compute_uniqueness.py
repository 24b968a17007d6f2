"""Scores how unlike its neighbours each image is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.curation.uniqueness import (
    compute_uniqueness,
    require_comparable,
    require_uniqueness_field,
)
from ..forms import (
    as_form,
    as_output,
    errors_shown,
    show_target,
    show_warning,
)
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from ..running.ray_cluster import cluster_of
from .curation_target import images_of, require_images
from .embedding_source import ask_for_embeddings, vectors_from
from .missing_vectors import tell_of_missing
from .vectors import ROWS, describe, embeddings_of, name_left_out

if TYPE_CHECKING:
    import fiftyone.operators as foo

    from ..running.streaming import Report

DEFAULT_FIELD = "uniqueness"


class ComputeUniqueness(DelegatedOperator):
    """Writes each image's uniqueness to a field."""

    uses_cluster = True

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "compute_uniqueness",
            "Compute uniqueness",
            description="Scores how unlike its neighbours each image is",
            icon="fingerprint",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the vectors and the field."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            require_images(ctx)
            count = show_target(ctx, inputs, "Scores")
            if count is not None:
                require_comparable(count)
        source = ask_for_embeddings(ctx, inputs)
        with errors_shown(inputs, "vectors_problem"):
            if found := tell_of_missing(ctx, inputs, source):
                require_comparable(found.vectors)
        inputs.str("field", default=DEFAULT_FIELD, label="Write to")
        with errors_shown(inputs, "problem"):
            field = _field(ctx)
            if ctx.dataset.has_field(field):
                show_warning(inputs, "replaces", f"What {field} holds is replaced.")
        return as_form(inputs, "Compute uniqueness", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """What makes the vectors."""
        return vectors_from(ctx)

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Computes the scores.

        Raises:
            NoSamples, EmbeddingsError, ModelNotFound, BrainKeyError: as said there
        """
        view, field = images_of(ctx), _field(ctx)
        with cluster_of(ctx) as cluster, embeddings_of(ctx, report, [view]) as embeddings:
            told = progress_reporter(ctx, "images compared", report)
            compute_uniqueness(
                view,
                embeddings,
                field,
                cluster=cluster,
                progress=told,
                before_writing=lambda: begin_writing(ctx),
            )
        return {"field": field, **describe(embeddings)}

    def output(self, ctx: Any) -> types.Property:
        """Says what was scored, and what could not be."""
        outputs = as_output(
            "Scored: 0 is a duplicate, 1 the most unique", [("field", "Field"), *ROWS]
        )
        name_left_out(outputs.type, ctx.results)
        return outputs


def _field(ctx: Any) -> str:
    return require_uniqueness_field(ctx.dataset, str(ctx.params.get("field", DEFAULT_FIELD)))
