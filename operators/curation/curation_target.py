"""What the operators of curation work on: images, or the frames of videos."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from ...relabel.curation.embeddings import patch_fields, require_patch_field
from ...relabel.curation.errors import EmbeddingsError
from ..forms import NoSamples, count_target, errors_shown, field_choice, show_notice, target_images
from .embedding_source import FIELD, IMAGES, INDEX

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import types


def ask_for_target(ctx: Any, inputs: types.Object, verb: str) -> None:
    """Says in a form how much is targeted, and of videos that it is their frames.

    Args:
        ctx: the execution context
        inputs: the form
        verb: what is done to the samples, e.g. ``Indexes``
    """
    with errors_shown(inputs, "target_problem"):
        if ctx.dataset.media_type == "video":
            _require_frames(ctx)
            show_notice(inputs, "target", f"{verb} the frames of {ctx.view.count():,} videos.")
        else:
            show_notice(inputs, "target", f"{verb} {count_target(ctx):,} samples.")


def target_of(ctx: Any) -> SampleCollection:
    """The images that the operator is aimed at; of videos their frames, as images.

    Raises:
        NoSamples: if there are none
    """
    if ctx.dataset.media_type != "video":
        return target_images(ctx)
    sampled = _require_frames(ctx)
    return ctx.target_view().to_frames(sample_frames=not sampled)


def ask_for_patches(ctx: Any, inputs: types.Object) -> None:
    """Asks whether whole images are compared, or the patches of a label field."""
    fields = patch_fields(ctx.dataset)
    if not fields:
        return
    field_choice(inputs, "patches_field", [IMAGES, *fields], label="Of", default=IMAGES)
    with errors_shown(inputs, "patches_problem"):
        patches_field_of(ctx)


def patches_field_of(ctx: Any) -> str | None:
    """The field whose patches are compared; None for whole images.

    Raises:
        EmbeddingsError: if there is no such field, or the vectors are not made for patches
    """
    field = ctx.params.get("patches_field")
    if not field or field == IMAGES:
        return None
    if ctx.params.get("embeddings") in (FIELD, INDEX):
        raise EmbeddingsError(
            "These vectors are of whole images, not of patches.",
            "Choose a model, or whole images.",
        )
    return require_patch_field(ctx.dataset, str(field))


def _require_frames(ctx: Any) -> bool:
    """Whether the frames are images already; if they are not, that they can be made."""
    sampled = ctx.dataset.has_frame_field("filepath")
    if not sampled and shutil.which("ffmpeg") is None:
        raise NoSamples(
            "FiftyOne needs ffmpeg to make images of the frames of videos.",
            "Install ffmpeg where the operator runs.",
        )
    return sampled
