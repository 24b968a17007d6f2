"""Indexes images, patches or frames by similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.curation.embedding.origins import require_same_origin
from ...relabel.curation.filling import SKLEARN
from ...relabel.curation.similarity import (
    METRICS,
    add_to_similarity,
    backends,
    compute_similarity,
    only_new,
    require_backend,
    require_same_patches,
)
from ...relabel.curation.storing.brain_runs import require_brain_key
from ..forms import as_form, as_output, errors_shown, field_choice, show_notice, show_warning
from ..running.cancelling import begin_writing, takes_back
from ..running.delegation import DelegatedOperator, progress_reporter
from ..running.streaming import to_its_end
from .brain_keys import adds_to_run, name_of_run
from .curation_target import ask_for_patches, ask_for_target, patches_field_of, target_of
from .embedding_source import COMPUTED, FIELD, INDEX, ask_for_embeddings, vectors_from
from .missing_vectors import tell_of_missing
from .vector_origins import origin_of, tell_of_origin
from .vectors import ROWS, describe, embeddings_of, name_left_out

if TYPE_CHECKING:
    from collections.abc import Callable

    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection

    from ...relabel.curation.embedding.embeddings import Embeddings
    from ..running.streaming import Report

DEFAULT_KEY = "image_similarity"
_ADDED_TO = "vectors in"
_SOURCES = (FIELD, *COMPUTED, INDEX)  # another index comes last: what it has is indexed already


class ComputeSimilarity(DelegatedOperator):
    """Makes the index behind the App's search for similar images."""

    uses_cluster = True

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "compute_similarity",
            "Compute similarity",
            description="Indexes images, so that the App can sort them by similarity",
            icon="image_search",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the vectors, the index and where it is kept."""
        inputs = types.Object()
        ask_for_target(ctx, inputs, "Indexes")
        source = ask_for_embeddings(ctx, inputs, _SOURCES)
        ask_for_patches(ctx, inputs, source)
        adds = adds_to_run(ctx, DEFAULT_KEY)
        with errors_shown(inputs, "vectors_problem"):
            tell_of_missing(ctx, inputs, source, adds=adds)
        inputs.str("brain_key", default=DEFAULT_KEY, label="Name of the index")
        with errors_shown(inputs, "problem"):
            key = _brain_key(ctx)
            if ctx.dataset.has_brain_run(key):
                _ask_for_new_only(ctx, inputs, key)
        if not adds:
            _ask_for_backend(ctx, inputs)
        return as_form(inputs, "Compute similarity", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """What makes the vectors."""
        return vectors_from(ctx, _SOURCES)

    def units(self, ctx: Any, step: str, samples: int) -> float:
        """What another back end took says nothing of this one."""
        if not step.startswith(_ADDED_TO):
            return samples
        if adds_to_run(ctx, DEFAULT_KEY):
            backend = _backend_of(ctx, name_of_run(ctx, DEFAULT_KEY))
        else:
            backend = ctx.params.get("backend") or SKLEARN
        return samples if step == _step_of(backend) else 0

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Computes the index, or adds to it.

        Raises:
            NoSamples, EmbeddingsError, ModelNotFound, BrainKeyError, VectorStoreError,
            NotAddable: as said there
        """
        view, key, patches = target_of(ctx), _brain_key(ctx), patches_field_of(ctx)
        index = _add if adds_to_run(ctx, DEFAULT_KEY) else _replace
        indexed = index(ctx, report, view, key, patches)
        described = describe(indexed) if indexed else {"samples": 0, "without_vector": 0}
        return {"brain_key": key, "added": len(indexed) if indexed else 0, **described}

    def output(self, ctx: Any) -> types.Property:
        """Says what was indexed, and what could not be."""
        outputs = as_output("Indexed", [("brain_key", "Index"), ("added", "Vectors"), *ROWS])
        name_left_out(outputs.type, ctx.results)
        return outputs


def _replace(
    ctx: Any, report: Report, view: SampleCollection, key: str, patches_field: str | None
) -> Embeddings:
    backend = require_backend(ctx.params.get("backend") or SKLEARN)
    options = {"metric": ctx.params.get("metric") or METRICS[0]}
    options |= ctx.params.get("backend_options") or {}
    with embeddings_of(ctx, report, [view], patches_field, _SOURCES) as embeddings:
        report(0, "Indexing")
        takes_back(ctx)
        compute_similarity(
            view,
            embeddings,
            key,
            backend=backend,
            options=options,
            progress=_added(ctx, report, backend),
            before_writing=lambda: begin_writing(ctx),
        )
    return embeddings


def _add(
    ctx: Any, report: Report, view: SampleCollection, key: str, patches_field: str | None
) -> Embeddings | None:
    """Adds what an index does not hold; None if it holds everything."""
    require_same_patches(ctx.dataset, key, patches_field)
    require_same_origin(ctx.dataset, key, origin_of(ctx, _SOURCES))
    new = only_new(view, key)
    if not new:
        return None
    with embeddings_of(ctx, report, new, patches_field, _SOURCES) as embeddings:
        report(0, "Indexing")
        takes_back(ctx)
        add_to_similarity(
            view,
            embeddings,
            key,
            progress=_added(ctx, report, _backend_of(ctx, key)),
            before_writing=lambda: begin_writing(ctx),
        )
    return embeddings


def _added(ctx: Any, report: Report, backend: str) -> Callable[[int, int], None]:
    """Reports how many vectors are added; once they all are, nothing is cancelled any more."""

    def say(share: float, label: str) -> None:
        tell = report if share < 1 else to_its_end(report)
        tell(share, label)

    return progress_reporter(ctx, _step_of(backend), say)


def _step_of(backend: str) -> str:
    return f"{_ADDED_TO} {backend}"


def _backend_of(ctx: Any, key: str) -> str:
    return str(ctx.dataset.get_brain_info(key).config.method)


def _ask_for_new_only(ctx: Any, inputs: types.Object, key: str) -> None:
    inputs.bool("new_only", default=False, label=f"Only what {key} does not hold yet")
    if ctx.params.get("new_only"):
        show_notice(inputs, "adds", "What made the index must make the new vectors too.")
        require_same_patches(ctx.dataset, key, patches_field_of(ctx))
        tell_of_origin(ctx, inputs, key, _SOURCES)
    else:
        show_warning(inputs, "replaces", f"The index {key} is replaced.")


def _ask_for_backend(ctx: Any, inputs: types.Object) -> None:
    field_choice(
        inputs,
        "backend",
        backends(),
        label="Keep it in",
        default=SKLEARN,
        description="Addresses and keys are read from FiftyOne's brain configuration",
    )
    field_choice(inputs, "metric", METRICS, label="Distance", default=METRICS[0])
    with errors_shown(inputs, "backend_problem"):
        require_backend(ctx.params.get("backend") or SKLEARN)


def _brain_key(ctx: Any) -> str:
    return require_brain_key(ctx.dataset, name_of_run(ctx, DEFAULT_KEY), "similarity")
