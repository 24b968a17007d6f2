"""The question of the send form which labels travel: the field, its classes and attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import (
    RoundField,
    UnsupportedField,
    field_facts,
    label_fields,
    travelling_fields,
)
from ...relabel.labels import LabelSchema
from ..forms import ask_for_names, choose_some, field_choice, is_folded, show_error, show_notice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...relabel.annotation import FieldFacts
    from ...relabel.labels import Attribute

NEW_FIELD = "(new field)"
ALL, SOME, NONE = "all", "some", "none"


def ask_labels(ctx: Any, inputs: types.Object) -> None:
    """Adds the questions to the form. Classes and attributes are asked for only on request."""
    field = _chosen_field(ctx)
    fields = [*label_fields(ctx.dataset), NEW_FIELD]
    field_choice(inputs, "label_field", fields, label="Labels", default=field)
    if field == NEW_FIELD:
        inputs.str("new_field", label="New field", required=True)
        _ask_start(inputs, list(label_fields(ctx.dataset)))
        ask_for_names(inputs, "classes", label="Classes", description="Press Enter after each")
        return
    try:
        facts = field_facts(ctx.dataset, field)
    except UnsupportedField as error:
        show_error(inputs, "field_error", error)
        return
    inputs.bool(
        "edit_labels",
        default=False,
        label="Choose classes and attributes",
        description=_summary(facts),
    )
    if ctx.params.get("edit_labels"):
        _ask_classes_and_attributes(ctx, inputs, facts)


def ask_more_fields(ctx: Any, inputs: types.Object) -> None:
    """Adds the choice of fields that go along with the first, if there are others."""
    others = [name for name in travelling_fields(ctx.dataset) if name != _chosen_field(ctx)]
    if others:
        choose_some(
            inputs,
            "more_fields",
            others,
            label="Annotate these fields as well",
            description="With all of their classes and attributes",
        )


def chosen_fields(ctx: Any) -> tuple[str, ...]:
    """The fields that were chosen; one that has no name yet is called :data:`NEW_FIELD`."""
    return _chosen_field(ctx), *_more_fields(ctx)


def read_labels(ctx: Any) -> tuple[RoundField, ...]:
    """The fields that were chosen, with their schemas.

    Raises:
        UnsupportedField: if they cannot travel
    """
    field = _field(ctx)
    exists = ctx.dataset.has_field(field)
    params = {} if exists and is_folded(ctx, "edit_labels") else ctx.params
    start, classes = params.get("start_from") or None, tuple(params.get("classes") or ())
    known = field if exists else start
    if known is None:
        schema = LabelSchema(classes)
    else:
        facts = field_facts(ctx.dataset, known)
        schema = facts.to_schema(
            classes or facts.classes,
            _attributes(params, known, facts),
            outlined=bool(params.get("outlined")),
        )
    others = [name for name in _more_fields(ctx) if name != field]
    return (
        RoundField(field, schema, start),
        *(RoundField(name, field_facts(ctx.dataset, name).to_schema()) for name in others),
    )


def _ask_classes_and_attributes(ctx: Any, inputs: types.Object, facts: FieldFacts) -> None:
    ask_for_names(
        inputs,
        "classes",
        label="Classes",
        description="Empty: those of the field. Else name all that annotators may draw",
        known=facts.classes,
    )
    kinds = label_fields(ctx.dataset)
    field = _chosen_field(ctx)
    _ask_start(inputs, [n for n, kind in kinds.items() if n != field and kind is kinds[field]])
    if facts.attributes:
        choices = types.RadioGroup()
        choices.add_choice(ALL, label="all")
        choices.add_choice(SOME, label="some")
        choices.add_choice(NONE, label="none")
        inputs.enum(
            "which_attributes",
            choices.values(),
            default=_which_attributes(ctx.params),
            label="Attributes that annotators see",
            view=choices,
        )
        if _which_attributes(ctx.params) == SOME:
            names = tuple(attribute.name for attribute in facts.attributes)
            ask_for_names(
                inputs,
                "attributes",
                label="Which",
                description="Press Enter after each",
                known=names,
            )
    if facts.with_mask:
        inputs.bool(
            "outlined",
            default=False,
            label="Send instance masks as polygons",
            description="For annotators who would rather move points than paint",
        )
    if facts.left_out:
        show_notice(
            inputs,
            "left_out",
            f"Stay in FiftyOne untouched: {_shorten(facts.left_out)} "
            "(their values are of no single simple type).",
        )


def _ask_start(inputs: types.Object, fields: list[str]) -> None:
    if fields:
        view = types.DropdownView()
        for name in fields:
            view.add_choice(name, label=name)
        inputs.enum(
            "start_from",
            view.values(),
            label="Start from the labels of",
            description="Where an image has none yet: for example what a model predicted",
            view=view,
        )


def _which_attributes(params: Mapping[str, Any]) -> str:
    return params.get("which_attributes") or (SOME if params.get("attributes") else ALL)


def _attributes(params: Mapping[str, Any], field: str, facts: FieldFacts) -> tuple[Attribute, ...]:
    which = _which_attributes(params)
    if which != SOME:
        return facts.attributes if which == ALL else ()
    chosen = set(params.get("attributes") or ())
    unknown = chosen - {attribute.name for attribute in facts.attributes}
    if unknown:
        raise UnsupportedField(
            f"The labels of {field!r} have no attribute {', '.join(sorted(unknown))} that "
            "can travel.",
            "Leave it out.",
        )
    return tuple(attribute for attribute in facts.attributes if attribute.name in chosen)


def _chosen_field(ctx: Any) -> str:
    fields = list(label_fields(ctx.dataset))
    first = "ground_truth" if "ground_truth" in fields else next(iter(fields), NEW_FIELD)
    return ctx.params.get("label_field") or first


def _more_fields(ctx: Any) -> Sequence[str]:
    return () if is_folded(ctx, "more") else ctx.params.get("more_fields") or ()


def _field(ctx: Any) -> str:
    field = _chosen_field(ctx)
    if field != NEW_FIELD:
        return field
    name = (ctx.params.get("new_field") or "").strip()
    if not name:
        raise UnsupportedField("The new field has no name.", "Name it.")
    return name


def _summary(facts: FieldFacts) -> str:
    kinds = tuple(f"{item.name} ({item.to_spec().input_type})" for item in facts.attributes)
    number = len(facts.classes)
    classes = f"{number:,} class{'es' if number != 1 else ''}: {_shorten(facts.classes)}"
    return f"{classes}. Attributes: {_shorten(kinds)}"


def _shorten(names: tuple[str, ...], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more
