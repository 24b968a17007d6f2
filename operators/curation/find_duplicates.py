"""Finds images that are the same, or nearly, also across splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.curation.duplicates import Duplicates, find_exact_duplicates, find_near_duplicates
from ...relabel.curation.selecting.sample_values import TAGS, group_fields, read_splits
from ...relabel.curation.selecting.selection import require_apart
from ...relabel.curation.selecting.selection_runs import (
    Marked,
    discard_selection,
    is_selection,
    save_marks,
)
from ...relabel.views import views_can_name
from ..forms import (
    as_form,
    as_output,
    ask_for_names,
    errors_shown,
    number_of,
    show_target,
)
from ..running.cancelling import begin_writing
from ..running.delegation import DelegatedOperator, progress_reporter
from . import selection_form as form
from .curation_target import images_of, require_images
from .embedding_source import ask_for_embeddings, vectors_from
from .missing_vectors import tell_of_missing
from .vectors import describe, describe_unreadable, embeddings_of, name_left_out

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import fiftyone.operators as foo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators.message import GeneratedMessage

    from ..running.streaming import Report

FILES, VECTORS = "files", "vectors"
GROUPS, OTHERS = "groups", "others"
DEFAULT_NAME, DEFAULT_TAG = "duplicates", "duplicate"
DEFAULT_DISTANCE = 0.1
_SPLITS = ("train", "val", "validation", "test")


class FindDuplicates(DelegatedOperator):
    """Groups images that are alike, tags those that can go, and shows the groups or the rest."""

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "find_duplicates",
            "Find duplicates",
            description="Finds images that are the same, or nearly, also across splits",
            icon="file_copy",
            risk_level=types.RiskLevel.LOW,
        )

    def resolve_input(self, ctx: Any) -> types.Property:
        """Asks what is a duplicate, across what, and what to show."""
        inputs = types.Object()
        with errors_shown(inputs, "target_problem"):
            require_images(ctx)
            show_target(ctx, inputs, "Looks through")
        choices = types.RadioGroup()
        choices.add_choice(FILES, label="The same: files with the same bytes")
        choices.add_choice(VECTORS, label="Nearly the same: vectors within a distance")
        inputs.enum("by", choices.values(), default=FILES, label="Duplicates are", view=choices)
        if ctx.params.get("by", FILES) == VECTORS:
            inputs.float(
                "distance",
                default=DEFAULT_DISTANCE,
                min=0,
                max=2,
                label="Within a distance of",
                description="0 is the same, 1.41 nothing in common",
            )
            with errors_shown(inputs, "distance_problem"):
                require_apart(number_of(ctx, "distance", DEFAULT_DISTANCE))
            source = ask_for_embeddings(ctx, inputs)
            with errors_shown(inputs, "vectors_problem"):
                tell_of_missing(ctx, inputs, source)
        _ask_for_splits(ctx, inputs)
        shown = types.RadioGroup(orientation="horizontal")
        shown.add_choice(GROUPS, label="The groups, to review them")
        shown.add_choice(OTHERS, label="All without those that can go")
        inputs.enum("show", shown.values(), default=GROUPS, label="Then show", view=shown)
        form.ask_for_marks(ctx, inputs, DEFAULT_NAME, DEFAULT_TAG, "the number of the group")
        return as_form(inputs, "Find duplicates", self.ask_where_to_run(ctx, inputs))

    def works_with(self, ctx: Any) -> str:
        """The bytes of files, or what makes the vectors."""
        return FILES if ctx.params.get("by", FILES) == FILES else vectors_from(ctx)

    def run(self, ctx: Any, report: Report) -> dict[str, Any]:
        """Finds, tags, saves and shows.

        Raises:
            NoSamples, SelectionError, EmbeddingsError, ModelNotFound: as said there
        """
        view = images_of(ctx)
        marks = form.read_marks(ctx, DEFAULT_NAME, DEFAULT_TAG)
        splits = _splits(ctx, view)
        found, details = _find(ctx, report, view)
        if splits is not None:
            found = found.across(splits)
        replaces = form.replaces(ctx, marks.name)
        begin_writing(ctx)
        if found.groups:
            save_marks(
                ctx.dataset, _marked(found), marks, form.signed(ctx, details), replace=replaces
            )
        elif replaces and is_selection(ctx.dataset, marks.name):
            discard_selection(ctx.dataset, marks.name)
        named = views_can_name(len(found.sample_ids))
        return {
            **details,
            "groups": len(found.groups),
            "samples": len(found.sample_ids),
            "redundant": len(found.redundant),
            "redundant_ids": sorted(found.redundant) if named else [],
            "sample_ids": [list(group) for group in found.groups] if named else [],
            "saved_view": marks.name if found.groups else None,
            "tag": marks.tag if found.groups else None,
        }

    def show(self, ctx: Any, result: dict[str, Any]) -> Sequence[GeneratedMessage]:
        """Shows the groups, or all without those that can go."""
        if not result["groups"]:
            return [ctx.ops.reload_dataset()]  # those that were there before may be gone
        said: list[GeneratedMessage] = []
        shown = ctx.dataset.load_saved_view(result["saved_view"])
        if ctx.params.get("show", GROUPS) == OTHERS:
            if result["redundant_ids"]:
                shown = images_of(ctx).exclude(result["redundant_ids"])
            elif result["tag"]:  # more than a view can name
                shown = images_of(ctx).match_tags(result["tag"], bool=False)
            else:
                text = "Without a tag so many cannot be left out: the groups are shown."
                said.append(ctx.ops.notify(text, variant="warning"))
        return [*said, ctx.ops.reload_dataset(), ctx.ops.set_view(shown)]

    def output(self, ctx: Any) -> types.Property:
        """Says how many were found."""
        if ctx.results.get("by") == VECTORS:
            left_out = [("without_vector", "Samples without a vector")]
        else:
            left_out = [("unreadable_count", "Files that could not be read")]
        if ctx.results.get("groups"):
            outputs = as_output("Duplicates", [*_rows(ctx.results), *left_out])
        else:
            outputs = as_output("No duplicates", left_out)
        name_left_out(outputs.type, ctx.results)
        return outputs


def _rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("groups", "Groups"),
        ("samples", "Images in them"),
        ("redundant", "Of them can go"),
        ("saved_view", "Saved view, group by group"),
    ]
    if result.get("tag"):
        rows.append(("tag", "Tag of those that can go"))
    return rows


def _ask_for_splits(ctx: Any, inputs: types.Object) -> None:
    form.optional_field(
        inputs,
        "split_field",
        group_fields(ctx.dataset),
        label="Only those across",
        description="Groups with samples of more than one split: what a model was trained on "
        "is in its test",
    )
    field = form.chosen_field(ctx, "split_field")
    if field:
        said = "The tags that are" if field == TAGS else "The values that are, all if empty"
        ask_for_names(inputs, "splits", label="Splits", description=said, known=_SPLITS)
        with errors_shown(inputs, "splits_problem"):
            read_splits(ctx.dataset.limit(0), field, ctx.params.get("splits") or ())


def _splits(ctx: Any, view: SampleCollection) -> dict[str, frozenset[Hashable]] | None:
    field = form.chosen_field(ctx, "split_field")
    return read_splits(view, field, ctx.params.get("splits") or ()) if field else None


def _find(ctx: Any, report: Report, view: SampleCollection) -> tuple[Duplicates, dict[str, Any]]:
    if ctx.params.get("by", FILES) == FILES:
        progress = progress_reporter(ctx, "files", report)
        found = find_exact_duplicates(view, progress=progress)
        unreadable = {
            "unreadable_count": len(found.unreadable),
            **describe_unreadable(found.unreadable),
        }
        return found, {"by": FILES, **unreadable}
    distance = require_apart(number_of(ctx, "distance", DEFAULT_DISTANCE))
    with embeddings_of(ctx, report, [view]) as embeddings:
        told = progress_reporter(ctx, "images compared", report)
        found = find_near_duplicates(embeddings, distance, progress=told)
    return found, {"by": VECTORS, "distance": distance, **describe(embeddings)}


def _marked(found: Duplicates) -> Marked:
    numbers = {key: number for number, group in enumerate(found.groups, 1) for key in group}
    redundant = tuple(key for key in found.sample_ids if key in found.redundant)
    groups = {"groups": [list(group) for group in found.groups]}
    return Marked(found.sample_ids, redundant, numbers, groups)
