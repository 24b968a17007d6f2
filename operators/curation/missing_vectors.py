"""Says in a form how many of the targeted samples have no vector."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...relabel.annotation import version_of
from ...relabel.curation.embedding.embeddings import none_in_field, vector_fields
from ...relabel.curation.embedding.origins import FIELD
from ...relabel.curation.similarity import indexes, none_in_index
from ...relabel.curation.storing.brain_runs import version_of_results
from ...relabel.curation.without_vector import without_vector_in_field, without_vector_in_index
from ..finding import found_in_time
from ..forms import NoSamples, flat_target, show_notice, show_warning, whole_images
from .embedding_source import INDEX, asked_for_patches, field_of, index_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import types

    from ...relabel.curation.errors import NoVectors
    from ...relabel.curation.without_vector import WithoutVector

    Count = Callable[[SampleCollection], WithoutVector]

_NAME = "without_vector"


def tell_of_missing(
    ctx: Any, inputs: types.Object, source: str, *, adds: bool = False
) -> WithoutVector | None:
    """Says in a form how many of the targeted samples have no vector in a field, or in an index.

    They are counted in a thread. Nothing is said of frames, nor of a back end that would have to
    be asked.

    Args:
        ctx: the execution context
        inputs: the form
        source: where vectors come from
        adds: whether only samples are worked on that a run does not hold yet

    Returns:
        how many have none; None if each has one, or that is not known

    Raises:
        NoVectors: if none has one
        TooManyImages: if patches are shown that are on too many
    """
    try:
        view = flat_target(ctx)
    except NoSamples:  # the form says so already
        return None
    asked = None if view._is_frames else _asked(ctx, source)  # noqa: SLF001 - no public name
    if asked is None:
        return None
    count, nobody, version = asked
    key = f"without vector {version} {version_of(view)}"
    found = found_in_time(key, lambda: count(whole_images(ctx, view)))
    if found is None:
        show_notice(inputs, _NAME, "Samples without a vector are still being counted.")
        return None
    if not found.missing:
        return None
    if not (found.vectors or adds):
        raise nobody(found.missing)
    what = f"samples with {asked_for_patches(ctx)}" if asked_for_patches(ctx) else "samples"
    left = "none of them is added" if adds else "they are left out"
    text = f"{found.missing:,} of {found.samples:,} {what} have no vector: {left}."
    show_warning(inputs, _NAME, text)
    return found


def _asked(ctx: Any, source: str) -> tuple[Count, Callable[[int], NoVectors], str] | None:
    """How samples without a vector are counted, what is wrong if none has one, and the version.

    None where nothing is to be counted, or the form says already what is wrong.
    """
    patches, dataset = asked_for_patches(ctx), ctx.dataset
    field, index = field_of(ctx), index_of(ctx)
    if source == FIELD and not patches and field in vector_fields(dataset):
        count: Count = partial(without_vector_in_field, field=field)
        return count, partial(none_in_field, field), f"in field {field}"
    if source == INDEX and index in indexes(dataset, patches):
        count = partial(without_vector_in_index, brain_key=index, patches_field=patches)
        version = version_of_results(dataset, index)
        return count, partial(none_in_index, index), f"in index {index} {patches} {version}"
    return None
