"""What was found, on a dataset: a tag, a saved view and a run, which can be taken back."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...views import parts_of, saved_views_like, views_can_name
from ..errors import SelectionError
from ..storing.whole_fields import forget_unfinished, is_field_name, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .selection import Selection

_METHOD = "relabel_selection"


@dataclass(frozen=True)
class Marks:
    """How a selection shows on the dataset.

    Args:
        name: of its saved view and of its run
        tag: of its samples, or None
        number_field: a field for a number of each, such as its place in the order of choice, or
            None
    """

    name: str
    tag: str | None = None
    number_field: str | None = None


def suggest_name(dataset: fo.Dataset, base: str) -> str:
    """A name that nothing has: the base, or the base with a number."""
    runs, number = dataset.list_runs(), 2
    name = base
    while name in runs or saved_views_like(dataset, name):
        name, number = f"{base}_{number}", number + 1
    return name


def require_marks(dataset: fo.Dataset, marks: Marks, *, replace: bool = False) -> Marks:
    """Checks that a selection can be marked so.

    Args:
        dataset: the dataset
        marks: how
        replace: whether a selection of that name may be replaced

    Raises:
        SelectionError: if a name cannot be used, or would overwrite what is there
    """
    name, field = marks.name, marks.number_field
    if not re.fullmatch(r"_*[A-Za-z][A-Za-z0-9_]*", name or ""):
        raise SelectionError(
            f"'{name or ''}' cannot name a selection.",
            "Use letters, digits and underscores, with a letter first.",
        )
    ours = is_selection(dataset, name)
    if dataset.has_run(name) and not ours:
        raise SelectionError(f"'{name}' is a run of another kind.", "Choose another name.")
    view = next(iter(saved_views_like(dataset, name)), None)
    if view and not (ours and view == name):
        alike = "" if view == name else ", which the App does not tell apart"
        raise SelectionError(f"There is a saved view '{view}'{alike}.", "Choose another name.")
    if ours and not replace:
        raise SelectionError(
            f"There is a selection '{name}'.", "Choose another name, or replace it."
        )
    if field and not is_field_name(field):
        raise SelectionError(
            f"'{field}' cannot name a field.", "Use letters and digits, with a letter first."
        )
    if field and dataset.has_field(field) and not (ours and field == number_field(dataset, name)):
        raise SelectionError(f"There is a field '{field}'.", "Choose another name for the order.")
    return marks


@dataclass(frozen=True)
class Marked:
    """What is to be marked.

    Args:
        sample_ids: the samples of the saved view, in order
        tagged: those of them that get the tag
        numbers: sample -> what goes into the field of numbers. The App colours a plot by floats in
            one gradient, and gives each of a few integers a colour of its own
        results: what the run holds besides, JSON
    """

    sample_ids: tuple[str, ...]
    tagged: tuple[str, ...]
    numbers: Mapping[str, int] | Mapping[str, float]
    results: Mapping[str, Any]


def save_selection(
    dataset: fo.Dataset,
    selection: Selection,
    marks: Marks,
    details: Mapping[str, Any],
    *,
    replace: bool = False,
) -> fo.DatasetView:
    """Marks the samples of a selection, numbered in the order of choice, see `save_marks`."""
    coverage = selection.coverage
    ids = selection.sample_ids
    results = {
        "distances": list(selection.distances),
        "alike": coverage.alike,
        "radii": list(coverage.radii),
        "shares": list(coverage.shares),
    }
    order = {sample_id: float(place) for place, sample_id in enumerate(ids, 1)}
    return save_marks(dataset, Marked(ids, ids, order, results), marks, details, replace=replace)


def save_marks(
    dataset: fo.Dataset,
    found: Marked,
    marks: Marks,
    details: Mapping[str, Any],
    *,
    replace: bool = False,
) -> fo.DatasetView:
    """Tags samples, saves their view in order, and records the run.

    Args:
        dataset: the dataset
        found: the samples
        marks: how they are to show
        details: what the run says of how they were found; JSON
        replace: whether a selection of that name may be replaced. It is put back if this one
            cannot be saved

    Returns:
        the view

    Raises:
        SelectionError: as `require_marks`
    """
    require_marks(dataset, marks, replace=replace)
    replaced = _saved(dataset, marks.name)
    try:
        if is_selection(dataset, marks.name):
            discard_selection(dataset, marks.name)
        return _save(dataset, found, _with_order(dataset, marks, len(found.sample_ids)), details)
    except BaseException:
        with contextlib.suppress(Exception):  # the first error is what matters
            if is_selection(dataset, marks.name):
                discard_selection(dataset, marks.name)
            if replaced:
                _save(dataset, *replaced)
        raise


def _save(
    dataset: fo.Dataset, found: Marked, marks: Marks, details: Mapping[str, Any]
) -> fo.DatasetView:
    # The run goes first: whatever happens afterwards can be taken back with it.
    untagged = _record(dataset, found, marks, details)
    return _mark(dataset, found, untagged, marks)


def _saved(dataset: fo.Dataset, name: str) -> tuple[Marked, Marks, dict[str, Any]] | None:
    """A selection, as `_save` takes it; None if there is none, or one that died half saved."""
    results = _load_results(dataset, name) if is_selection(dataset, name) else None
    if results is None:
        return None
    details = dataset.get_run_info(name).config.serialize()
    tag, field = details.pop("tag"), details.pop("number_field")
    numbers: dict[str, Any] = {}
    if field and dataset.has_field(field):
        numbers = dict(zip(*dataset.exists(field).values(["id", field]), strict=True))
    more = results.serialize()
    marked = Marked(
        tuple(more.pop("sample_ids")), tuple(more.pop("tagged")), numbers, _without(more, "cls")
    )
    return marked, Marks(name, tag, field), _without(details, "cls", "type", "method")


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _with_order(dataset: fo.Dataset, marks: Marks, count: int) -> Marks:
    """These marks; of more samples than a view can name, with a field by which it finds them."""
    if views_can_name(count) or marks.number_field:
        return marks
    names = (f"{marks.name}_number{'_' * more}" for more in itertools.count())
    return dataclasses.replace(
        marks, number_field=next(name for name in names if not dataset.has_field(name))
    )


def _record(
    dataset: fo.Dataset, found: Marked, marks: Marks, details: Mapping[str, Any]
) -> list[str]:
    """Registers the run; returns the samples that are to be tagged."""
    untagged = _without_tag(dataset, found.tagged, marks.tag)
    config = dataset.init_run(
        method=_METHOD, tag=marks.tag, number_field=marks.number_field, **details
    )
    dataset.register_run(marks.name, config)
    results = dataset.init_run_results(
        marks.name, sample_ids=list(found.sample_ids), tagged=untagged, **found.results
    )
    dataset.save_run_results(marks.name, results)
    return untagged


def _mark(dataset: fo.Dataset, found: Marked, untagged: list[str], marks: Marks) -> fo.DatasetView:
    if marks.tag:
        for part in parts_of(untagged):
            dataset.select(part).tag_samples(marks.tag)
    if field := marks.number_field:
        graded = any(isinstance(number, float) for number in found.numbers.values())
        write_whole(dataset, field, found.numbers, fo.FloatField if graded else fo.IntField)
    if views_can_name(len(found.sample_ids)):
        view = dataset.select(list(found.sample_ids), ordered=True)
    else:
        view = dataset.exists(field).sort_by(field)
    dataset.save_view(marks.name, view, description=f"{len(found.sample_ids):,} samples")
    return view


def selections(dataset: fo.Dataset) -> list[str]:
    """The names of the selections of a dataset."""
    return [name for name in dataset.list_runs() if is_selection(dataset, name)]


def is_selection(dataset: fo.Dataset, name: str | None) -> bool:
    """Whether a selection has that name."""
    if not name or not dataset.has_run(name):
        return False
    return getattr(dataset.get_run_info(name).config, "method", None) == _METHOD


def left_by(dataset: fo.Dataset, operation: str | None) -> str | None:
    """The name of the selection that a delegated operation has made, wholly or in part.

    Args:
        dataset: the dataset
        operation: as it was given among the details of `save_marks`; None for no operation
    """
    if operation is None:
        return None
    named = ((name, dataset.get_run_info(name).config) for name in selections(dataset))
    return next(
        (name for name, config in named if getattr(config, "operation", None) == operation), None
    )


def discard_selection(dataset: fo.Dataset, name: str) -> int:
    """Takes back a selection: its tag where it was put on, its view, its field and its run.

    Returns:
        how many samples lost the tag

    Raises:
        SelectionError: if there is none of that name
    """
    if not is_selection(dataset, name):
        raise SelectionError(f"There is no selection '{name}'.", "It may be discarded already.")
    config = dataset.get_run_info(name).config
    results = _load_results(dataset, name)
    tagged = list(results.tagged) if results is not None else []
    if config.tag:
        for part in parts_of(tagged):
            dataset.select(part).untag_samples(config.tag)
    if config.number_field:
        forget_unfinished(dataset, config.number_field)
        if dataset.has_field(config.number_field):
            dataset.delete_sample_field(config.number_field)
    if dataset.has_saved_view(name):
        dataset.delete_saved_view(name)
    dataset.delete_run(name)
    return len(tagged)


def _load_results(dataset: fo.Dataset, name: str) -> Any:
    # What FiftyOne has cached may be of a run that another process has replaced since.
    return dataset.load_run_results(name, cache=False)


def number_field(dataset: fo.Dataset, name: str) -> str | None:
    """The field with the numbers of a selection, which may have got one that nobody asked for."""
    found: str | None = dataset.get_run_info(name).config.number_field
    return found


def _without_tag(dataset: fo.Dataset, ids: Collection[str], tag: str | None) -> list[str]:
    if not tag or not ids:
        return []
    found = (dataset.select(part).match_tags(tag, bool=False) for part in parts_of(list(ids)))
    return [sample_id for view in found for sample_id in view.values("id")]
