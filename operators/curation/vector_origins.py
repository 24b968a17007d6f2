"""What makes the vectors that a form asks for, and whether they compare with others."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from ...relabel.compute.inference.image_model import PIXELS
from ...relabel.compute.inference.stamps import changed_at, contents_of, size_of
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
from ..finding import found_in_time
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

_HASHED_IN_FORMS = 1 << 28  # bytes: a second, once; in a thread, as a slow disk takes longer


def origin_of(
    ctx: Any, kinds: Sequence[str] = SOURCES, *, form: types.Object | None = None
) -> Origin | None:
    """What makes the vectors that the form asks for; None if it is an index that does not say.

    Args:
        ctx: the execution context
        kinds: what may be chosen
        form: the form, if that is asked at a keystroke: what is not here is left out, and so is
            what takes long, until it is found out; the form says that

    Raises:
        ModelNotFound: if there is no such file; not for a form
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
        return Origin(APPLICATION, name, (), _contents(ctx, weights, require_weights, form))
    if source == MODEL_FILE:
        path, output = str(given.get("model_path") or ""), given.get("output")
        options = [("pixels", str(given.get("pixels") or next(iter(PIXELS))))]
        options += [("output", str(output))] if output else []
        contents = _contents(ctx, path, require_model_file, form)
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
    if require_same_origin(ctx.dataset, brain_key, origin_of(ctx, kinds, form=inputs)):
        maker = recorded_origins(ctx.dataset, brain_key)[0]
        show_notice(inputs, "made_by", f"{brain_key} was made by {maker}.")
    else:
        text = "What made the vectors on either side is not recorded, so it cannot be checked."
        show_warning(inputs, "made_by", text)


def _contents(
    ctx: Any, path: str, require: Callable[[str], Path | str], form: types.Object | None
) -> str | None:
    if form is None:
        return contents_of(require(path))
    with contextlib.suppress(RelabelError, OSError):  # the form says so already
        if runs_elsewhere(ctx) or size_of(require(path)) > _HASHED_IN_FORMS:
            return None
        key = f"{path} of {changed_at(path)}"
        contents = found_in_time(key, partial(contents_of, path))
        if contents is None:
            text = (
                f"What {path} holds is still being read. It is compared before vectors are added."
            )
            show_notice(form, "looked_at", text)
        return contents
    return None
