"""What several forms show: label-field choices, how much is targeted, what is wrong."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from fiftyone.operators import types
from fiftyone.operators.constants import ViewTarget

from ..relabel.compute.inference.zoo import require_zoo_model, zoo_models
from ..relabel.errors import RelabelError
from ..relabel.views import IDS_OF_A_QUERY, views_can_name
from .image_counts import images_in, images_in_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection


class NoSamples(RelabelError):
    """There is nothing that the operator could work on."""


class TooManyImages(RelabelError):
    """The patches that are shown are on more images than a view can name."""


class UnknownField(RelabelError):
    """The dataset has no such field, or it is of another type."""


class NotANumber(RelabelError):
    """A script gave something else where a number is asked for."""


def detection_fields(dataset: fo.Dataset) -> list[str]:
    """The names of the dataset's fields that hold ``Detections``."""
    return list(dataset.get_field_schema(embedded_doc_type=fo.Detections))


def guess_fields(fields: Sequence[str]) -> tuple[str | None, str | None]:
    """Which of the fields of detections are the predictions and the ground truth, by their names.

    Args:
        fields: their names
    """
    if not fields:
        return None, None
    truth = "ground_truth" if "ground_truth" in fields else fields[0]
    others = [field for field in fields if field != truth]
    predictions = "predictions" if "predictions" in others else (others or fields)[0]
    return predictions, truth


def require_two_fields(ctx: Any) -> tuple[str, str]:
    """The fields of predictions and of ground truth that a form asked for.

    Raises:
        UnknownField: if one is no field of detections, or both are the same
    """
    default_predictions, default_truth = guess_fields(detection_fields(ctx.dataset))
    predictions = require_detections(
        ctx.dataset, ctx.params.get("predictions", default_predictions), "predictions"
    )
    truth = require_detections(
        ctx.dataset, ctx.params.get("ground_truth", default_truth), "ground truth"
    )
    if predictions == truth:
        raise UnknownField(
            f"'{truth}' is both the predictions and the ground truth.",
            "Choose two fields; apply a model first if there are no predictions.",
        )
    return predictions, truth


def require_detections(dataset: fo.Dataset, field: str | None, what: str) -> str:
    """Checks that a field holds ``Detections``.

    Args:
        dataset: the dataset
        field: the field's name
        what: what the field is for, e.g. ``"ground truth"``

    Returns:
        the field's name

    Raises:
        UnknownField: if it does not
    """
    known = detection_fields(dataset)
    if not known:
        raise UnknownField(
            "This dataset has no label field of type Detections.",
            "Apply a model, or import labels, first.",
        )
    if not field:
        raise UnknownField(f"No {what} field is chosen.", f"Choose one of: {', '.join(known)}.")
    if field not in known:
        raise UnknownField(
            f"'{field}' is not a field of type Detections.", f"Choose one of: {', '.join(known)}."
        )
    return field


def count_target(ctx: Any) -> int:
    """Counts the samples that the operator is aimed at.

    Raises:
        NoSamples: if there are none, or they are not images
    """
    return _require_some(images_in(flat_target(ctx)))


def count_in_time(ctx: Any) -> int | None:
    """The same for a form, which asks at every keystroke: None while they are being counted.

    Raises:
        NoSamples: as said there, once that is known
    """
    count = images_in_time(flat_target(ctx))
    return None if count is None else _require_some(count)


def show_target(ctx: Any, inputs: types.Object, verb: str, what: str = "samples") -> int | None:
    """Says in a form how much is targeted.

    Args:
        ctx: the execution context
        inputs: the form
        verb: what is done to the samples, e.g. ``Indexes``
        what: what they are

    Returns:
        how many; None while they are being counted

    Raises:
        NoSamples: as `count_in_time`
    """
    count = count_in_time(ctx)
    many = f"{what} that are still being counted" if count is None else f"{count:,} {what}"
    show_notice(inputs, "target", f"{verb} {many}.")
    return count


def flat_target(ctx: Any) -> SampleCollection:
    """The images, or patches of them, that the operator is aimed at.

    Raises:
        NoSamples: if they are not images, or it is aimed at selected samples and none is
    """
    view = ctx.target_view(require_flat=True)  # also puts the choice of target into the form
    require_selection(ctx)
    if view.media_type not in ("image", None):  # None of a dataset that is empty
        raise NoSamples(f"This works on images, not on {view.media_type}.", "Target images.")
    return view


def _require_some(count: int) -> int:
    if not count:
        raise NoSamples("The target holds no samples.", "Clear a filter, or target the dataset.")
    return count


def require_selection(ctx: Any) -> None:
    """Checks that samples are selected, if those are what the operator is aimed at.

    Raises:
        NoSamples: if none is
    """
    chosen = ctx.params.get("view_target") or ctx.request_params.get("view_target")
    if chosen == ViewTarget.SELECTED_SAMPLES and not ctx.selected:
        raise NoSamples("No samples are selected.", "Select some in the grid, or target the view.")


def target_images(ctx: Any) -> SampleCollection:
    """The samples that the operator is aimed at, as whole images even if patches are shown.

    Raises:
        NoSamples: if there are none, or they are not images
        TooManyImages: if patches are shown that are on too many
    """
    count_target(ctx)
    return whole_images(ctx, ctx.target_view(require_flat=True))


def whole_images(ctx: Any, view: SampleCollection) -> SampleCollection:
    """The images of a view of patches; any other view as it is.

    Raises:
        TooManyImages: if the database cannot be asked for so many
    """
    if not view._is_patches:  # noqa: SLF001
        return view
    if view._is_frames:  # noqa: SLF001
        images, of = view._source_collection, "frame_id"  # noqa: SLF001
    else:
        images, of = ctx.dataset, "sample_id"
    ids = list(dict.fromkeys(view.values(of)))
    if len(ids) > IDS_OF_A_QUERY:
        raise TooManyImages(
            f"These patches are on {len(ids):,} images; a view can name {IDS_OF_A_QUERY:,}.",
            "Target the dataset in place of its patches, or show fewer of them.",
        )
    return images.select(ids, ordered=views_can_name(len(ids)))


def field_choice(
    inputs: types.Object,
    name: str,
    fields: Sequence[str],
    *,
    label: str,
    default: str | None = None,
    description: str | None = None,
) -> None:
    """Adds a choice between fields to a form; without a default one must be made."""
    choices = types.DropdownView()
    for field in fields:
        choices.add_choice(field, label=field)
    inputs.enum(
        name,
        choices.values(),
        default=default,
        required=default is None,
        label=label,
        description=description,
        view=choices,
    )


def show_unknown_choices(ctx: Any, inputs: types.Object) -> None:
    """Says of each choice of a form what there is to choose, if something else was given.

    A script may give anything; FiftyOne itself says no more than that it is invalid.
    """
    for name, prop in inputs.properties.items():
        given = ctx.params.get(name)
        if not isinstance(prop.type, types.Enum) or given is None or given in prop.type.values:
            continue
        known = ", ".join(map(str, prop.type.values)) or "nothing"
        prop.invalid = True
        prop.error_message = f"'{given}' cannot be chosen here; what can be: {known}."


def number_of(ctx: Any, name: str, default: float, *, empty: float = 0) -> float:
    """A number that a form asked for.

    Args:
        ctx: the execution context
        name: of the question
        default: what it is if nothing was said
        empty: what it is if the answer was emptied

    Raises:
        NotANumber: if a script gave something else
    """
    given = ctx.params.get(name, default)
    if given is None:
        return empty
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise NotANumber(f"'{name}' is {given!r}, which is no number.", "Give a number.")
    return given


def ask_for_names(
    inputs: types.Object,
    name: str,
    *,
    label: str,
    description: str,
    known: Sequence[str] = (),
    space: int | None = None,
) -> None:
    """Adds a list of names to a form.

    Args:
        inputs: the form
        name: the name of the list
        label: what stands over it
        description: what stands under that
        known: names that are offered; others may be typed
        space: how many twelfths of the form's width it takes, or None for all
    """
    view = types.AutocompleteView(allow_user_input=True, allow_duplicates=False, space=space)
    for word in known:
        view.add_choice(word, label=word)
    inputs.list(name, types.String(), label=label, description=description, view=view)


def choose_some(
    inputs: types.Object,
    name: str,
    choices: Sequence[str],
    *,
    label: str,
    description: str | None = None,
    default: Sequence[str] | None = None,
) -> None:
    """Adds the choice of any number of given things to a form."""
    view = types.DropdownView(multiple=True)
    for choice in choices:
        view.add_choice(choice, label=choice)
    more = {} if default is None else {"default": list(default)}
    inputs.list(name, types.String(), label=label, description=description, view=view, **more)


def is_folded(ctx: Any, switch: str) -> bool:
    """Whether a part of the form was folded away by its switch, so that its answers do not count.

    The App keeps the answers of a question that is no longer asked. A caller in Python sets no
    switch, and all of its answers count.
    """
    return ctx.params.get(switch) is False


def ask_for_zoo_model(ctx: Any, inputs: types.Object) -> None:
    """Adds the choice of a model of FiftyOne's zoo to a form, as ``zoo_model``."""
    names = types.AutocompleteView()
    for name in zoo_models():
        names.add_choice(name, label=name)
    inputs.str("zoo_model", required=True, label="Name of the model", view=names)
    if ctx.params.get("zoo_model"):
        with errors_shown(inputs, "model_problem"):
            require_zoo_model(ctx.params["zoo_model"])


def show_notice(inputs: types.Object, name: str, text: str) -> None:
    """Adds a line of information to a form."""
    inputs.view(name, types.Notice(label=text))


def show_warning(inputs: types.Object, name: str, text: str) -> None:
    """Adds a warning to a form; it does not block the form's button."""
    inputs.view(name, types.Warning(label=text))


def show_error(inputs: types.Object, name: str, error: RelabelError) -> None:
    """Adds an error to a form, with its advice, and blocks the form's button."""
    prop = inputs.view(name, types.Error(label=error.message, description=error.advice))
    prop.invalid = True
    prop.error_message = str(error)


@contextlib.contextmanager
def errors_shown(inputs: types.Object, name: str) -> Iterator[None]:
    """Shows in a form the error that its body raises, in place of raising it."""
    try:
        yield
    except RelabelError as error:
        show_error(inputs, name, error)


def as_form(inputs: types.Object, label: str, button: str | None = None) -> types.Property:
    """Wraps a form's fields for FiftyOne, with a title and the label of its button."""
    return types.Property(inputs, view=types.PromptView(label=label, submit_button_label=button))


def as_output(title: str, rows: Sequence[tuple[str, str]]) -> types.Property:
    """An output form that says what happened: read-only lines under a title.

    Args:
        title: the form's title
        rows: the key of each result with the label to show before its value
    """
    outputs = types.Object()
    for key, label in rows:
        outputs.str(key, label=label, view=types.LabelValueView(read_only=True))
    return types.Property(outputs, view=types.View(label=title))
