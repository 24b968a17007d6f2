"""The form of ``send_to_cvat``: asks, and reads what was answered.

It is worked out at every keystroke, so what costs something is remembered for some seconds.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache, cached
from fiftyone.operators import types

from ..relabel.annotation import (
    EmptySelection,
    Request,
    RoundField,
    UnsupportedField,
    field_facts,
    label_fields,
    list_rounds,
    make_plan,
)
from ..relabel.labels import LabelSchema
from .forms import show_error, show_notice

if TYPE_CHECKING:
    import fiftyone as fo

    from ..relabel.annotation import FieldFacts, Plan

SELECTED, TAGGED, VIEW, SAVED_VIEW, DATASET = "selected", "tagged", "view", "saved_view", "dataset"
NEW_FIELD = "(new field)"
REQUIRES_ANNOTATION = "requires_annotation"

_SECONDS = 20


def ask(ctx: Any, inputs: types.Object) -> None:
    """Adds the questions to a form, in the user's order, prefilled."""
    _ask_what(ctx, inputs)
    _ask_labels(ctx, inputs)
    inputs.int(
        "images_per_task",
        label="Images per task",
        description="Leave it empty for one task",
        min=1,
    )
    inputs.int(
        "images_per_job",
        label="Images per job",
        description="Leave it empty for one job",
        min=1,
    )
    _ask_names(
        inputs,
        "assignees",
        label="Assign in turn",
        description="CVAT user names; press Enter after each. Leave it empty for nobody",
    )
    inputs.str("key", label="Round", default=suggest_key(ctx.dataset))
    inputs.bool(
        "include_out",
        label="Also send images that are out in another round",
        default=False,
    )


def read(ctx: Any) -> tuple[fo.SampleCollection, Request]:
    """Reads what was answered; what was not has its default.

    Raises:
        RelabelError: if an answer cannot be
    """
    params = ctx.params
    field = _field(ctx)
    facts = _facts(ctx.dataset, field)
    classes = tuple(params.get("classes") or ()) or (facts.classes if facts else ())
    attributes = facts.attributes if facts else ()
    if params.get("attributes"):
        chosen = set(params["attributes"])
        unknown = chosen - {attribute.name for attribute in attributes}
        if unknown:
            raise UnsupportedField(
                f"The labels of {field!r} have no attribute {', '.join(sorted(unknown))} that "
                "can travel.",
                "Leave it out.",
            )
        attributes = tuple(item for item in attributes if item.name in chosen)
    schema = facts.to_schema(classes, attributes) if facts else LabelSchema(classes)
    request = Request(
        key=params.get("key") or suggest_key(ctx.dataset),
        fields=(RoundField(field, schema),),
        images_per_job=params.get("images_per_job"),
        images_per_task=params.get("images_per_task"),
        assignees=tuple(params.get("assignees") or ()),
        include_out=bool(params.get("include_out")),
    )
    return _samples(ctx), request


def suggest_key(dataset: fo.Dataset) -> str:
    """A name for a round that is still free."""
    taken = set(dataset.list_annotation_runs()) | {record.key for record in list_rounds(dataset)}
    base = f"fix_labels_{datetime.now(UTC):%Y_%m_%d}"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key


def cached_plan(samples: fo.SampleCollection, request: Request) -> Plan:
    """The plan for a form, remembered for some seconds."""
    return _plan(samples, request, _version(samples))


def _version(samples: fo.SampleCollection) -> str:
    dataset = samples._root_dataset  # noqa: SLF001 - no public name
    return json.dumps(
        [
            str(dataset._doc.id),  # noqa: SLF001
            str(dataset._max("last_modified_at")),  # noqa: SLF001 - reads one index entry
            samples.view()._serialize(),  # noqa: SLF001
        ],
        default=str,
    )


@cached(
    TTLCache(64, _SECONDS),
    key=lambda _, request, version: (repr(request), version),
    lock=threading.Lock(),
)
def _plan(samples: fo.SampleCollection, request: Request, version: str) -> Plan:  # noqa: ARG001
    return make_plan(samples, request)


# What


def _ask_what(ctx: Any, inputs: types.Object) -> None:
    choices = types.RadioGroup()
    if ctx.selected:
        choices.add_choice(SELECTED, label=f"{len(ctx.selected):,} selected samples")
    choices.add_choice(TAGGED, label="Samples with a tag")
    if ctx.view is not None and ctx.has_custom_view:
        choices.add_choice(VIEW, label="The current view")
    if ctx.dataset.list_saved_views():
        choices.add_choice(SAVED_VIEW, label="A saved view")
    choices.add_choice(DATASET, label="The whole dataset")
    inputs.enum("what", choices.values(), default=_what(ctx), label="What", view=choices)
    if _what(ctx) == TAGGED:
        inputs.str("tag", label="Tag", default=REQUIRES_ANNOTATION)
    if _what(ctx) == SAVED_VIEW:
        _ask_choice(inputs, "saved_view", ctx.dataset.list_saved_views(), "Saved view")


def _what(ctx: Any) -> str:
    default = SELECTED if ctx.selected else VIEW if ctx.has_custom_view else TAGGED
    return ctx.params.get("what") or default


def _samples(ctx: Any) -> fo.SampleCollection:
    dataset, what = ctx.dataset, _what(ctx)
    if what == SELECTED:
        if not ctx.selected:
            raise EmptySelection("No samples are selected.", "Select some in the grid.")
        return (ctx.view if ctx.view is not None else dataset).select(ctx.selected)
    if what == TAGGED:
        return dataset.match_tags(ctx.params.get("tag") or REQUIRES_ANNOTATION)
    if what == SAVED_VIEW:
        name = ctx.params.get("saved_view")
        if not name or not dataset.has_saved_view(name):
            raise EmptySelection(f"There is no saved view named {name!r}.", "Choose another.")
        return dataset.load_saved_view(name)
    return ctx.view if what == VIEW else dataset


# Labels


def _ask_labels(ctx: Any, inputs: types.Object) -> None:
    fields = list(label_fields(ctx.dataset))
    _ask_choice(inputs, "label_field", [*fields, NEW_FIELD], "Labels", _chosen_field(ctx))
    if _chosen_field(ctx) == NEW_FIELD:
        inputs.str("new_field", label="New field", required=True)
        _ask_names(inputs, "classes", label="Classes", description="Press Enter after each")
        return
    try:
        facts = field_facts(ctx.dataset, _chosen_field(ctx))
    except UnsupportedField as error:
        show_error(inputs, "field_error", error)
        return
    _ask_names(
        inputs,
        "classes",
        label=f"Classes: {_shorten(facts.classes)}",
        description="Leave it empty for these, or name all that annotators may draw",
        known=facts.classes,
    )
    _ask_attributes(inputs, facts)


def _ask_attributes(inputs: types.Object, facts: FieldFacts) -> None:
    if facts.attributes:
        kinds = (f"{item.name} ({item.to_spec().input_type})" for item in facts.attributes)
        names = tuple(attribute.name for attribute in facts.attributes)
        _ask_names(
            inputs,
            "attributes",
            label=f"Attributes: {', '.join(kinds)}",
            description="Leave it empty for all that can travel, or name those that may",
            known=names,
        )
    if facts.left_out:
        show_notice(
            inputs,
            "left_out",
            f"Stay in FiftyOne untouched: {_shorten(facts.left_out)} "
            "(their values are of no single simple type).",
        )


def _chosen_field(ctx: Any) -> str:
    fields = list(label_fields(ctx.dataset))
    first = "ground_truth" if "ground_truth" in fields else next(iter(fields), NEW_FIELD)
    return ctx.params.get("label_field") or first


def _field(ctx: Any) -> str:
    field = _chosen_field(ctx)
    if field != NEW_FIELD:
        return field
    name = (ctx.params.get("new_field") or "").strip()
    if not name:
        raise UnsupportedField("The new field has no name.", "Name it.")
    return name


def _facts(dataset: fo.Dataset, field: str) -> FieldFacts | None:
    """What a field looks like, or None for a new one."""
    return field_facts(dataset, field) if dataset.has_field(field) else None


def _ask_names(
    inputs: types.Object,
    name: str,
    *,
    label: str,
    description: str,
    known: tuple[str, ...] = (),
) -> None:
    view = types.AutocompleteView(allow_user_input=True, allow_duplicates=False)
    for word in known:
        view.add_choice(word, label=word)
    inputs.list(name, types.String(), label=label, description=description, view=view)


def _ask_choice(
    inputs: types.Object,
    name: str,
    values: list[str],
    label: str,
    default: str | None = None,
) -> None:
    view = types.DropdownView()
    for value in values:
        view.add_choice(value, label=value)
    inputs.enum(name, values, default=default, label=label, required=default is None, view=view)


def _shorten(names: tuple[str, ...], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more
