"""Selects the images of which a model is least sure, and which differ from one another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.curation.selecting.disagreement import (
    comparable_fields,
    disagreement,
    require_comparable_fields,
    require_two,
)
from ...relabel.curation.selecting.uncertainty import (
    MEASURES,
    POOLS,
    Uncertainty,
    prediction_fields,
    require_measure,
    require_predictions,
    uncertainty,
)
from ..forms import errors_shown, field_choice, number_of, show_notice
from .selecting import SelectingOperator

if TYPE_CHECKING:
    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection

    from ...relabel.curation.selecting.selection import Wishes

DISAGREEMENT = "disagreement"
_LABELS = {
    "entropy": "Entropy over all classes",
    "margin": "Margin between the first and the second class",
    "least_confidence": "Least confidence in the first class",
    DISAGREEMENT: "Disagreement of two fields",
}


class SelectForActiveLearning(SelectingOperator):
    """Selects images by how unsure a model is of them, weighed with how much they differ."""

    base = "uncertain"

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "select_for_active_learning",
            "Select for active learning",
            description="Selects the images of which a model is least sure, and that differ from "
            "one another",
            icon="model_training",
            risk_level=types.RiskLevel.LOW,
        )

    def ask(self, ctx: Any, inputs: types.Object) -> None:
        """Asks by which predictions."""
        _ask_for_measure(ctx, inputs)

    def weigh(
        self, ctx: Any, view: SampleCollection, wishes: Wishes
    ) -> tuple[Wishes, dict[str, Any]]:
        """Distances count the more the less sure a model is."""
        measured = _measure(ctx, view)
        return _weighed(wishes, measured, _strength(ctx)), {
            "measure": _measure_name(ctx),
            "measured_from": measured.used,
            "without_predictions": measured.missing,
        }

    def introduction(self, result: dict[str, Any]) -> str:
        """By what was selected."""
        measured = f"By {result['measure']}, from {result['measured_from']}."
        without = result["without_predictions"]
        if without:
            measured += f" {without:,} samples have no predictions: they count as the surest."
        return f"{measured}\n\n"


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
        others = comparable_fields(ctx.dataset, _first(ctx))
        field_choice(inputs, "other_predictions", others, label="Compared with")
    with errors_shown(inputs, "measure_problem"):
        if compares:
            require_comparable_fields(ctx.dataset, _first(ctx))
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
    return float(number_of(ctx, "strength", 1, empty=1))


def _first(ctx: Any) -> str | None:
    fields = prediction_fields(ctx.dataset)
    default = "predictions" if "predictions" in fields else next(iter(fields), None)
    return ctx.params.get("predictions") or default
