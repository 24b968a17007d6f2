"""Selects the images of which a model is least sure, and which differ from one another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ..relabel.curation.disagreement import disagreement, require_two
from ..relabel.curation.selection import require_count, select_unique
from ..relabel.curation.selection_runs import save_selection
from ..relabel.curation.uncertainty import (
    MEASURES,
    POOLS,
    Uncertainty,
    prediction_fields,
    require_measure,
    require_predictions,
    uncertainty,
)
from . import selection_form as form
from .delegation import DelegatedOperator, progress_reporter
from .embedding_source import ask_for_embeddings, describe, get_embeddings
from .forms import as_form, count_target, errors_shown, field_choice, show_notice, target_images
from .select_unique import with_seeds

if TYPE_CHECKING:
    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection

    from ..relabel.curation.selection import Wishes

DEFAULT_COUNT = 100
DEFAULT_NAME = "uncertain"
DISAGREEMENT = "disagreement"
_LABELS = {
    "entropy": "Entropy over all classes",
    "margin": "Margin between the first and the second class",
    "least_confidence": "Least confidence in the first class",
    DISAGREEMENT: "Disagreement of two fields",
}


class SelectForActiveLearning(DelegatedOperator):
    """Selects images by how unsure a model is of them, weighed with how much they differ."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.heavy_config(
            "select_for_active_learning",
            "Select for active learning",
            description="Selects the images of which a model is least sure, and that differ from "
            "one another",
            icon="model_training",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks how many, by which predictions, beside what, by what vectors, under what name."""
        inputs = types.Object()
        available = 0
        with errors_shown(inputs, "target_problem"):
            available = count_target(ctx)
        default = min(DEFAULT_COUNT, max(available, 1))
        inputs.int("count", default=default, min=1, label=f"How many of {available:,}")
        if available:
            with errors_shown(inputs, "problem"):
                require_count(ctx.params.get("count", default), available)
        _ask_for_measure(ctx, inputs)
        form.ask_for_seeds(ctx, inputs)
        ask_for_embeddings(ctx, inputs)
        form.ask_for_wishes(ctx, inputs)
        form.ask_for_marks(ctx, inputs, DEFAULT_NAME, DEFAULT_NAME)
        button = self.ask_where_to_run(ctx, inputs)
        return as_form(inputs, "Select for active learning", button)

    def execute(self, ctx: Any) -> dict[str, Any]:
        """Selects, tags, saves and shows.

        Raises:
            NoSamples, PredictionsError, SelectionError, EmbeddingsError, ModelNotFound: as said
                there
        """
        view = target_images(ctx)
        count = require_count(ctx.params.get("count", DEFAULT_COUNT), view.count())
        marks = form.read_marks(ctx, DEFAULT_NAME, DEFAULT_NAME)
        seeds = form.read_seeds(ctx)
        measured = _measure(ctx, view)
        wishes = _weighed(form.read_wishes(ctx, view, count, seeds), measured, _strength(ctx))
        embeddings = get_embeddings(ctx, with_seeds(ctx, view, seeds))
        selection = select_unique(
            embeddings, wishes, progress=progress_reporter(ctx, "samples chosen")
        )
        said = {
            "measure": _measure_name(ctx),
            "measured_from": measured.used,
            "without_predictions": measured.missing,
            **describe(embeddings),
        }
        selected = save_selection(
            ctx.dataset,
            selection,
            marks,
            {**form.describe_wishes(ctx), **said},
            replace=form.replaces(ctx),
        )
        if not ctx.delegated:
            ctx.ops.reload_dataset()
            ctx.ops.set_view(selected)
        return {**form.describe_selection(selection, marks), **said}

    def resolve_output(self, ctx: Any) -> types.Property:
        """Says what was selected, and by what."""
        outputs = types.Object()
        measured = f"By {ctx.results['measure']}, from {ctx.results['measured_from']}."
        without = ctx.results["without_predictions"]
        if without:
            measured += f" {without:,} samples have no predictions: they count as the surest."
        outputs.md(f"{measured}\n\n{form.show_selection(ctx.results)}", name="selection")
        return types.Property(outputs, view=types.View(label="Selected"))


def _ask_for_measure(ctx: Any, inputs: types.Object) -> None:
    fields = prediction_fields(ctx.dataset)
    choices = types.RadioGroup()
    for name, label in _LABELS.items():
        choices.add_choice(name, label=label)
    inputs.enum(
        "measure", choices.values(), default=next(iter(_LABELS)), label="Measure", view=choices
    )
    field_choice(inputs, "predictions", fields, label="Predictions", default=_first(ctx))
    compares = _measure_name(ctx) == DISAGREEMENT
    if compares:
        others = [name for name in fields if name != _first(ctx)]
        field_choice(inputs, "other_predictions", others, label="Compared with")
    with errors_shown(inputs, "measure_problem"):
        if compares:
            if ctx.params.get("other_predictions"):
                require_two(ctx.dataset, _first(ctx), ctx.params["other_predictions"])
        else:
            require_predictions(ctx.dataset, _first(ctx))
            text = "From logits where there are some, else from confidence, as of two classes."
            show_notice(inputs, "measured", text)
            _ask_for_pool(inputs)
    inputs.float(
        "strength",
        default=1,
        min=0,
        max=10,
        label="Weight of the measure against difference",
        description="0: it does not count. The larger, the more it counts",
    )


def _ask_for_pool(inputs: types.Object) -> None:
    choices = types.RadioGroup(orientation="horizontal")
    for name in POOLS:
        choices.add_choice(name, label=name)
    inputs.enum(
        "pool", choices.values(), default=next(iter(POOLS)), label="Of several boxes", view=choices
    )


def _measure(ctx: Any, view: SampleCollection) -> Uncertainty:
    if _measure_name(ctx) == DISAGREEMENT:
        other = ctx.params.get("other_predictions")
        require_two(view, _first(ctx), other)
        return disagreement(view, str(_first(ctx)), str(other))
    measure, pool = _measure_name(ctx), ctx.params.get("pool") or next(iter(POOLS))
    require_measure(measure, pool)
    return uncertainty(view, str(_first(ctx)), measure, pool)


def _weighed(wishes: Wishes, measured: Uncertainty, strength: float) -> Wishes:
    """The wishes, with distance weighed by the measure, and by a field if one was asked for."""
    weights = {key: score**strength for key, score in measured.scores.items()}
    if wishes.weights is not None:
        least = min(wishes.weights.values(), default=0.0)
        weights = {key: score * wishes.weights.get(key, least) for key, score in weights.items()}
    return replace(wishes, weights=weights)


def _measure_name(ctx: Any) -> str:
    return str(ctx.params.get("measure") or next(iter(MEASURES)))


def _strength(ctx: Any) -> float:
    strength = ctx.params.get("strength", 1)
    return 1.0 if strength is None else float(strength)


def _first(ctx: Any) -> str | None:
    fields = prediction_fields(ctx.dataset)
    default = "predictions" if "predictions" in fields else next(iter(fields), None)
    return ctx.params.get("predictions") or default
