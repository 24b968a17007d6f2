"""A selection on the dataset: a tag, a saved view and a run, all of which can be taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np

from .errors import SelectionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fiftyone.core.runs import RunResults

    from .selection import Selection

_METHOD = "relabel_selection"


@dataclass(frozen=True)
class Marks:
    """How a selection shows on the dataset.

    Args:
        name: of its saved view and of its run
        tag: of its samples, or None
        order_field: a field for the place of each in the order of choice, from 1, or None
    """

    name: str
    tag: str | None = None
    order_field: str | None = None


def suggest_name(dataset: fo.Dataset, base: str) -> str:
    """A name that nothing has: the base, or the base with a number."""
    names, number = {*dataset.list_saved_views(), *dataset.list_runs()}, 2
    name = base
    while name in names:
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
    name, field = marks.name, marks.order_field
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name or ""):
        raise SelectionError(
            f"'{name or ''}' cannot name a selection.",
            "Use letters, digits and underscores, with a letter first.",
        )
    ours = is_selection(dataset, name)
    if dataset.has_run(name) and not ours:
        raise SelectionError(f"'{name}' is a run of another kind.", "Choose another name.")
    if dataset.has_saved_view(name) and not ours:
        raise SelectionError(f"There is a saved view '{name}'.", "Choose another name.")
    if ours and not replace:
        raise SelectionError(
            f"There is a selection '{name}'.", "Choose another name, or replace it."
        )
    if field and not field.isidentifier():
        raise SelectionError(f"'{field}' cannot name a field.", "Use letters and digits.")
    if field and dataset.has_field(field) and not (ours and field == _order_field(dataset, name)):
        raise SelectionError(f"There is a field '{field}'.", "Choose another name for the order.")
    return marks


def save_selection(
    dataset: fo.Dataset,
    selection: Selection,
    marks: Marks,
    details: Mapping[str, Any],
    *,
    replace: bool = False,
) -> fo.DatasetView:
    """Tags the samples, saves their view in the order of choice, and records the run.

    Args:
        dataset: the dataset
        selection: what was selected
        marks: how it is to show
        details: what the run says of how it was made; JSON
        replace: whether a selection of that name may be replaced

    Returns:
        the view

    Raises:
        SelectionError: as `require_marks`
    """
    require_marks(dataset, marks, replace=replace)
    if is_selection(dataset, marks.name):
        discard_selection(dataset, marks.name)
    view = dataset.select(list(selection.sample_ids), ordered=True)
    tagged = view.match_tags(marks.tag, bool=False).values("id") if marks.tag else []
    # The run goes first: whatever happens afterwards can be taken back with it.
    config = dataset.init_run(
        method=_METHOD, tag=marks.tag, order_field=marks.order_field, **details
    )
    dataset.register_run(marks.name, config)
    dataset.save_run_results(marks.name, _results(dataset, marks.name, selection, tagged))
    if marks.tag and tagged:
        dataset.select(tagged).tag_samples(marks.tag)
    if marks.order_field:
        dataset.add_sample_field(marks.order_field, fo.IntField)
        order = {key: place for place, key in enumerate(selection.sample_ids, 1)}
        dataset.set_values(marks.order_field, order, key_field="id")
    dataset.save_view(marks.name, view, description=f"{len(selection.sample_ids):,} selected")
    return view


def selections(dataset: fo.Dataset) -> list[str]:
    """The names of the selections of a dataset."""
    return [name for name in dataset.list_runs() if is_selection(dataset, name)]


def is_selection(dataset: fo.Dataset, name: str | None) -> bool:
    """Whether a selection has that name."""
    if not name or not dataset.has_run(name):
        return False
    return getattr(dataset.get_run_info(name).config, "method", None) == _METHOD


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
    results = dataset.load_run_results(name)
    tagged = list(results.tagged) if results is not None else []
    if config.tag and tagged:
        dataset.select(tagged).untag_samples(config.tag)
    if config.order_field and dataset.has_field(config.order_field):
        dataset.delete_sample_field(config.order_field)
    if dataset.has_saved_view(name):
        dataset.delete_saved_view(name)
    dataset.delete_run(name)
    return len(tagged)


def _order_field(dataset: fo.Dataset, name: str) -> str | None:
    found: str | None = dataset.get_run_info(name).config.order_field
    return found


def _results(
    dataset: fo.Dataset, name: str, selection: Selection, tagged: list[str]
) -> RunResults:
    """What the run holds: loads in a FiftyOne that has no plugin."""
    results = dataset.init_run_results(name)
    results.sample_ids = list(selection.sample_ids)
    results.distances = np.asarray(selection.distances).tolist()
    results.alike = selection.coverage.alike
    results.radii = list(selection.coverage.radii)
    results.shares = list(selection.coverage.shares)
    results.tagged = tagged
    return results
