"""Finds labels that are probably wrong, and shows them worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.errors import RelabelError
from ...relabel.evaluation.label_errors.finding import (
    LEAST_PROBABILITY,
    crowd_attribute,
    find_label_errors,
)
from ...relabel.evaluation.label_errors.runs import DEFAULT_KEY, label_error_runs, require_run_key
from ...relabel.evaluation.label_errors.suspicion import ErrorType
from ..annotation.send_what import offer_to_send
from ..annotation.tag_for_annotation import DEFAULT_TAG
from ..forms import (
    as_form,
    ask_for_names,
    choose_some,
    detection_fields,
    errors_shown,
    field_choice,
    guess_fields,
    require_two_fields,
    show_target,
    show_warning,
    target_images,
)
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from .left_out import left_out, show_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone.operators as foo
    from fiftyone.operators.message import GeneratedMessage

    from ..running.streaming import Report


class BadQuestion(RelabelError):
    """The form asks for something that there is not."""


@dataclass(frozen=True)
class _Request:
    predictions: str
    ground_truth: str
    key: str
    types: tuple[ErrorType, ...]
    classes: tuple[str, ...]
    least: float
    most: int | None
    iscrowd: str | None
    tag: str | None


class FindLabelErrors(DelegatedOperator):
    """Ranks labels by the probability that they are wrong."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "find_label_errors",
            "Find label errors",
            description="Ranks labels by the probability that they are wrong, and shows them",
            icon="fact_check",
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks for the two fields, what to look for, and what to do with what is found."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            show_target(ctx, inputs, "Looks through")
        fields = detection_fields(ctx.dataset)
        predictions, truth = guess_fields(fields)
        field_choice(inputs, "predictions", fields, label="Predictions", default=predictions)
        field_choice(inputs, "ground_truth", fields, label="Labels", default=truth)
        _ask_what_for(inputs)
        inputs.bool("tag_samples", default=False, label="Tag the samples found")
        if ctx.params.get("tag_samples"):
            inputs.str("tag", default=DEFAULT_TAG, label="Tag")
        _ask_for_crowds(ctx, inputs)
        inputs.str("key", default=DEFAULT_KEY, label="Name of the queue")
        with errors_shown(inputs, "problem"):
            request = _request(ctx)
            if request.key in label_error_runs(ctx.dataset):
                show_warning(inputs, "replaces", f"The queue {request.key} is replaced.")
        return as_form(inputs, "Find label errors", self.ask_where_to_run(ctx, inputs))

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Finds, marks, keeps, shows, and tags if asked to.

        Raises:
            NoSamples, UnknownField, EvaluationError, BadQuestion: as said there
        """
        request, view = _request(ctx), target_images(ctx)
        queue = find_label_errors(
            view,
            request.predictions,
            request.ground_truth,
            key=request.key,
            types=request.types,
            classes=request.classes,
            least=request.least,
            most=request.most,
            iscrowd=request.iscrowd,
            progress=progress_reporter(ctx, "steps", report, units=view.count()),
            before_writing=lambda: begin_writing(ctx),
        )
        if request.tag:
            queue.view(ctx.dataset).tag_samples(request.tag)
        return {
            "key": queue.key,
            "errors": len(queue.errors),
            "samples": len(queue.sample_ids),
            "sample_ids": list(queue.sample_ids),
            "saved_view": queue.key if ctx.dataset.has_saved_view(queue.key) else None,
            "map": queue.map_now,
            "types": [
                {
                    "type": str(one.type),
                    "count": one.count,
                    "expected": round(one.expected, 1),
                    "map_fixed": one.map_fixed,
                    "gain": _gain(queue.map_now, one.map_fixed),
                }
                for one in queue.summaries
            ],
            "tag": request.tag,
            **left_out(queue.invalid, queue.unpredicted),
        }

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Shows the queue, worst first."""
        name = result["saved_view"]
        queue = (
            ctx.dataset.load_saved_view(name)
            if name
            else ctx.dataset.select(result["sample_ids"], ordered=True)
        )
        return [ctx.ops.reload_dataset(), ctx.ops.set_view(queue)]

    def output(self, ctx: Any) -> types.Property:
        """Says how many were found of each type, and what fixing them could give."""
        outputs = types.Object()
        outputs.md(_summary(ctx.results), name="found")
        if ctx.results.get("invalid"):
            text = f"{ctx.results['invalid']} labels that cannot be judged were left out."
            show_warning(outputs, "left_out", text)
        if ctx.results.get("unpredicted"):
            text = f"{ctx.results['unpredicted']:,} samples without predictions were left out."
            show_warning(outputs, "unpredicted_left_out", text)
        show_left_out(outputs, ctx.results)
        if ctx.results["saved_view"]:
            offer_to_send(outputs, ctx.results["samples"], ctx.results["saved_view"])
        title = "Found, worst first" if ctx.results["errors"] else "None found"
        return types.Property(outputs, view=types.View(label=title))


def _summary(result: dict[str, Any]) -> str:
    """What was found, as Markdown."""
    view = f", as the saved view `{result['saved_view']}`" if result["saved_view"] else ""
    tag = f" They are tagged `{result['tag']}`." if result["tag"] else ""
    found = f"{result['errors']:,} suspicions in {result['samples']:,} images"
    lines = [
        f"**{found}**{view}.{tag} The mAP is {_score(result['map'])}.",
        "",
        "| type | suspicions | probably right | mAP if all are fixed | to gain |",
        "|:--|--:|--:|--:|--:|",
        *(
            f"| {one['type']} | {one['count']:,} | {one['expected']:,.0f} "
            f"| {_score(one['map_fixed'])} | {_score(one.get('gain'))} |"
            for one in result["types"]
        ),
    ]
    return "\n".join(lines)


def _score(score: float | None) -> str:
    return "not defined" if score is None else f"{score:.4f}"


def _gain(now: float | None, fixed: float | None) -> float | None:
    return None if now is None or fixed is None else round(fixed - now, 4)


def _ask_what_for(inputs: types.Object) -> None:
    choose_some(
        inputs,
        "types",
        list(ErrorType),
        label="Types of errors",
        description="All, if none is chosen",
    )
    ask_for_names(
        inputs,
        "classes",
        label="Classes",
        description="All, if none is named; the model's or ours",
    )
    inputs.float(
        "least",
        default=LEAST_PROBABILITY,
        min=0,
        max=1,
        label="Least probability",
        description="That the label is wrong, and not the model",
    )
    inputs.int("most", min=1, label="How many at most", description="All, if empty")


def _ask_for_crowds(ctx: Any, inputs: types.Object) -> None:
    try:
        usual = crowd_attribute(ctx.dataset, *require_two_fields(ctx))
    except RelabelError:  # which the form says elsewhere
        return
    inputs.str(
        "iscrowd",
        label="Attribute that marks a crowd",
        description=f"If empty, '{usual}', as in the last evaluation of both fields",
    )


def _request(ctx: Any) -> _Request:
    predictions, truth = require_two_fields(ctx)
    names = ctx.params.get("types") or list(ErrorType)
    unknown = sorted(set(names) - set(ErrorType))
    if unknown:
        raise BadQuestion(
            f"'{unknown[0]}' is no type of error.", f"Choose from: {', '.join(ErrorType)}."
        )
    most = ctx.params.get("most")
    if most is not None and most < 1:
        raise BadQuestion(f"{most} is no number of suspicions.", "Enter 1 or more, or nothing.")
    tag = (ctx.params.get("tag") or DEFAULT_TAG) if ctx.params.get("tag_samples") else None
    least = ctx.params.get("least")
    return _Request(
        predictions=predictions,
        ground_truth=truth,
        key=require_run_key(ctx.dataset, ctx.params.get("key", DEFAULT_KEY)),
        types=tuple(ErrorType(name) for name in names),
        classes=tuple(ctx.params.get("classes") or ()),
        least=LEAST_PROBABILITY if least is None else float(least),
        most=most,
        iscrowd=ctx.params.get("iscrowd") or None,
        tag=tag,
    )
