"""Lays images out in a plot, those that are alike near one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.curation.embedding.origins import require_same_origin
from ...relabel.curation.plotting.layouts import (
    EPOCHS,
    EPOCHS_OF_ADDING,
    METHODS,
    TSNE,
    UMAP,
    Layout,
    compiles_first,
    require_enough,
    require_method,
)
from ...relabel.curation.plotting.tsne import COMPARED, ITERATIONS
from ...relabel.curation.plotting.visualization import (
    add_to_visualization,
    compute_visualization,
    not_shown,
    require_extendable,
)
from ...relabel.curation.storing.brain_runs import require_brain_key
from ..forms import (
    as_form,
    as_output,
    errors_shown,
    number_of,
    show_notice,
    show_warning,
)
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, steps_reporter
from .brain_keys import adds_to_run, name_of_run
from .curation_target import ask_for_patches, ask_for_target, patches_field_of, target_of
from .embedding_source import ask_for_embeddings, asked_for_patches, vectors_from
from .missing_vectors import tell_of_missing
from .vector_origins import origin_of, tell_of_origin
from .vectors import ROWS, describe, embeddings_of, name_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators.message import GeneratedMessage

    from ...relabel.curation.embedding.embeddings import Embeddings
    from ..running.streaming import Report

DEFAULT_KEY = "image_plot"
_LABELS = {
    UMAP: "UMAP: keeps neighbours together; new samples can be added",
    "pca": "PCA: fast, and the same at any size; new samples can be added",
    TSNE: "t-SNE: keeps neighbours together; slow above 10,000 samples",
}
# The steps of a layout, and the method that has them.
_STEPS = {EPOCHS: UMAP, COMPARED: TSNE, ITERATIONS: TSNE}


class ComputeVisualization(DelegatedOperator):
    """Makes the plot that the App's Embeddings panel shows."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "compute_visualization",
            "Compute visualization",
            description="Lays images out in a plot, those that are alike near one another",
            icon="scatter_plot",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the vectors, the method and the name of the plot."""
        inputs = types.Object()
        count = ask_for_target(ctx, inputs, "Shows")
        adds = adds_to_run(ctx, DEFAULT_KEY)
        is_each_a_point = not (adds or asked_for_patches(ctx))
        with errors_shown(inputs, "count_problem"):
            if is_each_a_point and count is not None:
                require_enough(count)
        source = ask_for_embeddings(ctx, inputs)
        ask_for_patches(ctx, inputs, source)
        with errors_shown(inputs, "vectors_problem"):
            found = tell_of_missing(ctx, inputs, source, adds=adds)
            if is_each_a_point and found:
                require_enough(found.vectors)
        inputs.str("brain_key", default=DEFAULT_KEY, label="Name of the plot")
        with errors_shown(inputs, "problem"):
            key = _brain_key(ctx)
            if ctx.dataset.has_brain_run(key):
                _ask_for_new_only(ctx, inputs, key)
        if not adds:
            _ask_for_layout(ctx, inputs)
        return as_form(inputs, "Compute visualization", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """What makes the vectors."""
        return vectors_from(ctx)

    def units(self, ctx: Any, step: str, samples: int) -> float:
        """What is not a step of this method, or not of adding, takes no time."""
        adds, method = adds_to_run(ctx, DEFAULT_KEY), ctx.params.get("method") or UMAP
        if step == EPOCHS_OF_ADDING:
            return samples if adds else 0
        return samples if step not in _STEPS or (_STEPS[step] == method and not adds) else 0

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Computes the plot, or adds to it.

        Raises:
            NoSamples, EmbeddingsError, ModelNotFound, BrainKeyError, NotAddable: as said there
        """
        view, key, patches = target_of(ctx), _brain_key(ctx), patches_field_of(ctx)
        lay_out = _add if adds_to_run(ctx, DEFAULT_KEY) else _replace
        shown = lay_out(ctx, report, view, key, patches)
        described = describe(shown) if shown else {"samples": 0, "without_vector": 0}
        return {"brain_key": key, "added": len(shown) if shown else 0, **described}

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:  # noqa: ARG002
        """Opens the App's panel with the plot."""
        return [
            ctx.ops.reload_dataset(),
            ctx.ops.open_panel("Embeddings", is_active=True, layout="horizontal"),
        ]

    def output(self, ctx: Any) -> types.Property:
        """Says what is shown, and what could not be."""
        rows = [("brain_key", "Plot, in the Embeddings panel"), ("added", "Points"), *ROWS]
        outputs = as_output("Laid out", rows)
        name_left_out(outputs.type, ctx.results)
        return outputs


def _replace(
    ctx: Any, report: Report, view: SampleCollection, key: str, patches: str | None
) -> Embeddings:
    layout = _layout(ctx)
    with embeddings_of(ctx, report, [view], patches) as embeddings:
        report(0, _laying_out(layout.method))
        compute_visualization(
            view,
            embeddings,
            key,
            layout,
            progress=steps_reporter(ctx, report, units=len(embeddings)),
            before_writing=lambda: begin_writing(ctx),
        )
    return embeddings


def _add(
    ctx: Any, report: Report, view: SampleCollection, key: str, patches: str | None
) -> Embeddings | None:
    """Adds what a plot does not show; None if it shows everything."""
    require_extendable(ctx.dataset, key, patches)
    require_same_origin(ctx.dataset, key, origin_of(ctx))
    new = not_shown(view, key)
    if not new:
        return None
    with embeddings_of(ctx, report, new, patches) as embeddings:
        report(0, _laying_out(ctx.dataset.get_brain_info(key).config.method))
        add_to_visualization(
            view,
            embeddings,
            key,
            progress=steps_reporter(ctx, report, units=len(embeddings)),
            before_writing=lambda: begin_writing(ctx),
        )
    return embeddings


def _laying_out(method: str) -> str:
    first = ": compiles itself first, up to a minute" if compiles_first(method) else ""
    return f"Laying out{first}"


def _ask_for_new_only(ctx: Any, inputs: types.Object, key: str) -> None:
    inputs.bool("new_only", default=False, label=f"Only what {key} does not show yet")
    if ctx.params.get("new_only"):
        show_notice(inputs, "adds", "What is shown stays where it is. Use the same vectors.")
        require_extendable(ctx.dataset, key, patches_field_of(ctx))
        tell_of_origin(ctx, inputs, key)
    else:
        show_warning(inputs, "replaces", f"The plot {key} is replaced.")


def _ask_for_layout(ctx: Any, inputs: types.Object) -> None:
    methods = types.RadioGroup()
    for method in METHODS:
        methods.add_choice(method, label=_LABELS[method])
    inputs.enum("method", methods.values(), default=UMAP, label="Lay out by", view=methods)
    if ctx.params.get("method", UMAP) == UMAP:
        standard = Layout()
        inputs.int("neighbours", default=standard.neighbours, min=2, label="Neighbours compared")
        inputs.float(
            "spread",
            default=standard.spread,
            min=0,
            max=1,
            label="Least distance of points in the plot",
        )


def _layout(ctx: Any) -> Layout:
    standard, seed = Layout(), ctx.params.get("seed", 0)
    return Layout(
        require_method(ctx.params.get("method") or UMAP),
        int(number_of(ctx, "neighbours", standard.neighbours) or standard.neighbours),
        float(number_of(ctx, "spread", standard.spread, empty=standard.spread)),
        None if seed is None else int(seed),
    )


def _brain_key(ctx: Any) -> str:
    return require_brain_key(ctx.dataset, name_of_run(ctx, DEFAULT_KEY), "visualization")
