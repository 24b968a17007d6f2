"""Asks what a selection heeds and how it shows; reads the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import samples_out
from ...relabel.curation.selecting.sample_values import (
    group_fields,
    label_fields,
    labelled,
    read_groups,
    read_weights,
    weight_fields,
)
from ...relabel.curation.selecting.selection import Wishes, require_apart, require_most
from ...relabel.curation.selecting.selection_runs import (
    Marks,
    is_selection,
    left_by,
    require_marks,
    suggest_name,
)
from ...relabel.views import views_can_name
from ..forms import errors_shown, field_choice, is_folded, number_of, show_warning
from ..running.cancelling import operation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection

    from ...relabel.curation.selecting.selection import Selection

NONE = "(none)"
_MORE, _MARKS = "more", "marks"


def ask_for_seeds(ctx: Any, inputs: types.Object) -> None:
    """Asks what counts as chosen already."""
    optional_field(
        inputs,
        "labelled_field",
        label_fields(ctx.dataset),
        label="Labelled already",
        description="Samples with labels in this field count as chosen: their likes come last",
    )
    inputs.str("labelled_tag", label="Samples with this tag count as chosen too")
    inputs.bool("count_out", default=True, label="So do samples that are out in a round")


def ask_for_wishes(ctx: Any, inputs: types.Object) -> None:
    """Asks for what combines with distance; folded away at first."""
    inputs.bool(_MORE, default=False, label="Prefer, balance, limit", view=types.SwitchView())
    if not ctx.params.get(_MORE, False):
        return
    dataset = ctx.dataset
    inputs.float(
        "apart",
        default=0,
        min=0,
        max=2,
        label="Leave out what is closer than",
        description="0 is the same image, 1.41 nothing in common",
    )
    inputs.float(
        "alike",
        min=0,
        max=2,
        label="Count as covered what is within",
        description="Of a chosen image. If empty the same distance, else that of similar images",
    )
    optional_field(inputs, "weight_field", weight_fields(dataset), label="Prefer high values of")
    groups = group_fields(dataset)
    optional_field(inputs, "balance_field", groups, label="As many of each value of")
    optional_field(inputs, "limit_field", groups, label="Limit those with one value of")
    if chosen_field(ctx, "limit_field"):
        inputs.int("most", default=1, min=1, label="To")
    with errors_shown(inputs, "wishes_problem"):
        require_apart(number_of(ctx, "apart", 0))
        _alike(ctx)
        require_most(int(number_of(ctx, "most", 1)))


def ask_for_marks(
    ctx: Any, inputs: types.Object, base: str, tag: str, numbers: str = "the order of choice"
) -> None:
    """Asks how what is found is to show.

    Args:
        ctx: the execution context
        inputs: the form
        base: what the name is suggested from
        tag: the suggested tag
        numbers: what goes into the field of numbers, if one is named
    """
    name = suggest_name(ctx.dataset, base)
    inputs.str("name", default=name, label="Name of the selection, and of its saved view")
    inputs.bool(
        _MARKS,
        default=False,
        label="Tag and field",
        description=f"A field with {numbers} is what a plot is coloured by",
        view=types.SwitchView(),
    )
    if ctx.params.get(_MARKS, False):
        inputs.str("tag", default=tag, label="Tag", description="None if empty")
        inputs.str("number_field", label=f"Write {numbers} to", description="Nowhere if empty")
    chosen = ctx.params.get("name") or name
    if is_selection(ctx.dataset, chosen):
        inputs.bool("replace", default=False, label=f"Replace the selection {chosen}")
        if ctx.params.get("replace", False):
            show_warning(inputs, "replaces", f"Tag and view of {chosen} are taken back first.")
    with errors_shown(inputs, "name_problem"):
        read_marks(ctx, base, tag)


def read_seeds(ctx: Any) -> set[str]:
    """The samples that count as chosen already.

    Raises:
        SelectionError: if there is no such field
    """
    seeds: set[str] = set()
    if field := chosen_field(ctx, "labelled_field"):
        seeds.update(labelled(ctx.dataset, field))
    if tag := str(ctx.params.get("labelled_tag") or "").strip():
        seeds.update(ctx.dataset.match_tags(tag).values("id"))
    if ctx.params.get("count_out", True):
        seeds.update(samples_out(ctx.dataset))
    return seeds


def read_wishes(ctx: Any, samples: SampleCollection, count: int, seeds: set[str]) -> Wishes:
    """What the form asked for.

    Args:
        ctx: the execution context
        samples: the samples to select from
        count: how many to select
        seeds: the samples that count as chosen already

    Raises:
        SelectionError: if a field is of another kind
    """
    if is_folded(ctx, _MORE):
        return Wishes(count, seeds=seeds)
    weight, balance = chosen_field(ctx, "weight_field"), chosen_field(ctx, "balance_field")
    limit = chosen_field(ctx, "limit_field")
    return Wishes(
        count,
        seeds=seeds,
        apart=require_apart(number_of(ctx, "apart", 0)),
        weights=read_weights(samples, weight) if weight else None,
        balance=read_groups(samples, balance) if balance else None,
        limit=read_groups(samples, limit) if limit else None,
        most=require_most(int(number_of(ctx, "most", 1))),
        alike=_alike(ctx),
    )


def _alike(ctx: Any) -> float | None:
    """Within what distance an image is covered: as asked for, else as near-duplicates are."""
    asked = number_of(ctx, "alike", 0) or number_of(ctx, "apart", 0)
    return require_apart(asked) or None


def read_marks(ctx: Any, base: str, tag: str) -> Marks:
    """How what is found is to show, as `ask_for_marks` asked.

    Raises:
        SelectionError: if that would overwrite something
    """
    folded = is_folded(ctx, _MARKS)
    chosen = tag if folded else str(ctx.params.get("tag", tag) or "").strip()
    numbers = "" if folded else str(ctx.params.get("number_field") or "").strip()
    left = left_by(ctx.dataset, operation_of(ctx))
    marks = Marks(
        name=ctx.params.get("name") or left or suggest_name(ctx.dataset, base),
        tag=chosen or None,
        number_field=numbers or None,
    )
    return require_marks(ctx.dataset, marks, replace=replaces(ctx, marks.name))


def replaces(ctx: Any, name: str) -> bool:
    """Whether a selection of that name may be replaced.

    It may if the user says so, and if this very operation left it when it was stopped.
    """
    asked = bool(ctx.params.get("replace", False))
    return asked or left_by(ctx.dataset, operation_of(ctx)) == name


def signed(ctx: Any, details: dict[str, Any]) -> dict[str, Any]:
    """What a run is to say of how it was made, with the operation that makes it if one does."""
    operation = operation_of(ctx)
    return details if operation is None else {**details, "operation": operation}


def describe_wishes(ctx: Any) -> dict[str, Any]:
    """The answers, for the run to say how it was made."""
    asked = ("apart", "alike", "weight_field", "balance_field", "limit_field", "most")
    names = ("labelled_field", "labelled_tag", *(() if is_folded(ctx, _MORE) else asked))
    given = {name: ctx.params.get(name) for name in names}
    return {name: value for name, value in given.items() if value not in (None, "", NONE)}


def describe_selection(selection: Selection, marks: Marks | None) -> dict[str, Any]:
    """What an operator's result says of a selection; it has no marks if nothing was selected."""
    coverage, count = selection.coverage, len(selection.sample_ids)
    return {
        "selected": count,
        "name": marks and marks.name,
        "saved_view": marks and marks.name,
        "tag": marks and marks.tag,
        "number_field": marks and marks.number_field,
        "counted_as_chosen": selection.seeds,
        "sample_ids": list(selection.sample_ids) if views_can_name(count) else [],
        "alike": coverage.alike,
        "radius_before": coverage.radii[0],
        "radius_after": coverage.radii[-1],
        "share_before": coverage.shares[0],
        "share_after": coverage.shares[-1],
        "curve": [list(point) for point in coverage.curve()],
    }


def show_selection(result: dict[str, Any]) -> str:
    """The result as Markdown: what was chosen and what fewer would have covered."""
    if not result.get("selected"):
        return "Nothing was left to select: loosen the limits, or the least distance."
    before = result["radius_before"]
    tag = f" and the tag `{result['tag']}`" if result["tag"] else ""
    was = "" if before is None else f" Before it was {before:.2f}."
    summary = (
        f"**{result['selected']:,} selected**, in order of choice, as the saved view "
        f"`{result['saved_view']}`{tag}.{_beside(result)} "
        f"{result['share_before']:.0%} of the samples had a chosen one within "
        f"{result['alike']:.2f}; now {result['share_after']:.0%} have. "
        f"None is farther than {result['radius_after']:.2f} from a chosen one.{was}"
    )
    lines = [
        summary,
        "",
        "| the first | farthest | covered |",
        "|---:|---:|---:|",
        *_rows(result["curve"]),
    ]
    return "\n".join(lines)


def _beside(result: dict[str, Any]) -> str:
    """Beside what was selected; what could not be heeded of that."""
    heeded, lost = result["counted_as_chosen"], result["chosen_without_vector"]
    left_out = result["without_vector"]
    said = f" {heeded:,} counted as chosen already." if heeded else ""
    if left_out:
        said += f" {left_out:,} have no vector, and were left out."
    if lost:
        said += f" {lost:,} that should have have no vector: what is like them may be selected."
    return said


def _rows(curve: Sequence[Sequence[float | None]], most: int = 10) -> list[str]:
    step = max(1, len(curve) // most)
    shown = [*curve[:-1:step], curve[-1]]
    return [
        f"| {count:,} | {'' if radius is None else f'{radius:.2f}'} | {share:.0%} |"
        for count, radius, share in shown
    ]


def optional_field(
    inputs: types.Object,
    name: str,
    fields: Sequence[str],
    *,
    label: str,
    description: str | None = None,
) -> None:
    """Asks for a field, or none."""
    field_choice(inputs, name, [NONE, *fields], label=label, default=NONE, description=description)


def chosen_field(ctx: Any, name: str) -> str | None:
    """The answer to `optional_field`."""
    found = ctx.params.get(name)
    return None if found in (None, "", NONE) else str(found)
