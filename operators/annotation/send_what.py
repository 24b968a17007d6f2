"""The first question of the send form: which samples; with how many each answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import REQUIRES_ANNOTATION, EmptySelection
from ..forms import field_choice
from ..image_counts import images_in

if TYPE_CHECKING:
    import fiftyone as fo

SELECTED, TAGGED, VIEW, SAVED_VIEW, DATASET = "selected", "tagged", "view", "saved_view", "dataset"


def ask_what(ctx: Any, inputs: types.Object) -> None:
    """Adds the question to the form."""
    what, tag = _what(ctx), _tag(ctx)
    saved_views = ctx.dataset.list_saved_views()
    choices = types.RadioGroup()
    if ctx.selected:
        count = len(ctx.selected)
        choices.add_choice(SELECTED, label=f"{count:,} selected sample{'s'[: count != 1]}")
    choices.add_choice(TAGGED, label=f"{images_in(ctx.dataset.match_tags(tag)):,} tagged {tag}")
    if _shows_a_part(ctx):
        choices.add_choice(VIEW, label=f"current view: {images_in(ctx.view):,}")
    if saved_views:
        choices.add_choice(SAVED_VIEW, label="a saved view")
    choices.add_choice(DATASET, label=f"dataset: {images_in(ctx.dataset):,}")
    inputs.enum("what", choices.values(), default=what, label="What", view=choices)
    if what == TAGGED:
        inputs.str("tag", label="Tag", default=REQUIRES_ANNOTATION)
    if what == SAVED_VIEW:
        field_choice(inputs, "saved_view", saved_views, label="Saved view")


def offer_to_send(outputs: types.Object, count: int, saved_view: str) -> None:
    """Adds a button to an output that opens the send form on a saved view of so many images."""
    outputs.btn(
        "send",
        f"Send {count:,} to CVAT",
        icon="send",
        on_click="@relabel/cvat/send_to_cvat",
        prompt=True,
        params={"what": SAVED_VIEW, "saved_view": saved_view},
    )


def read_samples(ctx: Any) -> fo.SampleCollection:
    """The samples that the answer means.

    Raises:
        EmptySelection: if it means none
    """
    dataset, what = ctx.dataset, _what(ctx)
    if what == SELECTED:
        if not ctx.selected:
            raise EmptySelection("No samples are selected.", "Select some in the grid.")
        return (ctx.view if ctx.view is not None else dataset).select(ctx.selected)
    if what == TAGGED:
        return dataset.match_tags(_tag(ctx))
    if what == SAVED_VIEW:
        name = ctx.params.get("saved_view")
        if not name or not dataset.has_saved_view(name):
            raise EmptySelection(f"There is no saved view named {name!r}.", "Choose another.")
        return dataset.load_saved_view(name)
    return ctx.view if what == VIEW else dataset


def saved_view_of(ctx: Any) -> str | None:
    """The name of the saved view, if the answer is one."""
    return ctx.params.get("saved_view") if _what(ctx) == SAVED_VIEW else None


def is_queued_work(ctx: Any) -> bool:
    """Whether the answer is what is tagged to be annotated."""
    return _what(ctx) == TAGGED and _tag(ctx) == REQUIRES_ANNOTATION


def _what(ctx: Any) -> str:
    default = SELECTED if ctx.selected else VIEW if _shows_a_part(ctx) else TAGGED
    return ctx.params.get("what") or default


def _tag(ctx: Any) -> str:
    return ctx.params.get("tag") or REQUIRES_ANNOTATION


def _shows_a_part(ctx: Any) -> bool:
    return ctx.view is not None and ctx.has_custom_view
