"""What makes the vectors that a form asks for, and whether they compare with others."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.stamps import contents_of, size_of
from ...relabel.curation.embedding.keras_models import (
    DOWNLOADED,
    require_model_file,
    require_weights,
)
from ...relabel.curation.embedding.origins import (
    APPLICATION,
    FIELD,
    MODEL_FILE,
    ZOO,
    Origin,
    recorded_origins,
    require_same_origin,
)
from ...relabel.curation.similarity import require_index
from ...relabel.errors import RelabelError
from ..forms import show_notice, show_warning
from ..running.delegation import runs_elsewhere
from .embedding_source import (
    INDEX,
    SOURCES,
    application_of,
    asked_for_patches,
    field_of,
    index_of,
    source_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fiftyone.operators import types

_HASHED_IN_FORMS = 1 << 28  # bytes: a second, once


def origin_of(ctx: Any, kinds: Sequence[str] = SOURCES, *, in_form: bool = False) -> Origin | None:
    """What makes the vectors that the form asks for; None if it is an index that does not say.

    Args:
        ctx: the execution context
        kinds: what may be chosen
        in_form: whether that is asked at a keystroke: what takes long, or is not here, is left out

    Raises:
        ModelNotFound: if there is no such file; not in a form
    """
    source, given = source_of(ctx, kinds), ctx.params
    if source == INDEX:
        index = require_index(ctx.dataset, index_of(ctx), asked_for_patches(ctx))
        return next(iter(recorded_origins(ctx.dataset, index)), None)
    if source == FIELD:
        return Origin(FIELD, field_of(ctx))
    if source == APPLICATION:
        name, weights = application_of(ctx), given.get("weights")
        if not weights:
            return Origin(APPLICATION, name, (("weights", DOWNLOADED),))
        return Origin(APPLICATION, name, (), _contents(ctx, weights, require_weights, in_form))
    if source == MODEL_FILE:
        path, output = str(given.get("model_path") or ""), given.get("output")
        options = [("pixels", str(given.get("pixels") or next(iter(PIXELS))))]
        options += [("output", str(output))] if output else []
        contents = _contents(ctx, path, require_model_file, in_form)
        return Origin(MODEL_FILE, path, tuple(options), contents)
    return Origin(source, str(given.get("zoo_model")) if source == ZOO else source)


def tell_of_origin(
    ctx: Any, inputs: types.Object, brain_key: str, kinds: Sequence[str] = SOURCES
) -> None:
    """Says in a form whether new vectors compare with those of a run that they are added to.

    Args:
        ctx: the execution context
        inputs: the form
        brain_key: the name of the run
        kinds: where vectors may come from

    Raises:
        NotAddable: if they do not
        EmbeddingsError: if there is no such index
    """
    if require_same_origin(ctx.dataset, brain_key, origin_of(ctx, kinds, in_form=True)):
        maker = recorded_origins(ctx.dataset, brain_key)[0]
        show_notice(inputs, "made_by", f"{brain_key} was made by {maker}.")
    else:
        text = "What made the vectors on either side is not recorded, so it cannot be checked."
        show_warning(inputs, "made_by", text)


def _contents(
    ctx: Any, path: str, require: Callable[[str], Path | str], in_form: bool
) -> str | None:
    if not in_form:
        return contents_of(require(path))
    with contextlib.suppress(RelabelError, OSError):  # the form says so already
        if not runs_elsewhere(ctx) and size_of(require(path)) <= _HASHED_IN_FORMS:
            return contents_of(path)
    return None
