"""What the operators of curation work on: images, or the frames of videos."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from ...relabel.curation.embedding.embeddings import patch_fields, require_patch_field
from ...relabel.curation.errors import EmbeddingsError
from ...relabel.curation.similarity import indexes
from ..forms import (
    NoSamples,
    errors_shown,
    field_choice,
    require_selection,
    show_notice,
    show_target,
    target_images,
)
from ..image_counts import images_in
from ..running.delegation import runs_elsewhere
from .embedding_source import FIELD, IMAGES, INDEX, asked_for_patches

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import types


def require_images(ctx: Any) -> None:
    """Checks that the operator may write fields and tags of what it is aimed at.

    Raises:
        NoSamples: if those are videos, or frames of videos
    """
    if _are_frames(ctx) or _are_videos(ctx):
        raise NoSamples(
            "Frames of videos have no tags and saved views of their own.",
            "Make them a dataset, e.g. videos.to_frames(sample_frames=True).clone().",
        )


def images_of(ctx: Any) -> SampleCollection:
    """The samples that the operator is aimed at, of which it may write fields and tags.

    Raises:
        NoSamples: if there are none, or they are not images, or frames of videos
    """
    require_images(ctx)
    return target_images(ctx)


def ask_for_target(ctx: Any, inputs: types.Object, verb: str) -> int | None:
    """Says in a form how much is targeted, and of videos that it is their frames.

    Args:
        ctx: the execution context
        inputs: the form
        verb: what is done to the samples, e.g. ``Indexes``

    Returns:
        how many images; None if nobody knows yet
    """
    with errors_shown(inputs, "target_problem"):
        if _are_videos(ctx):
            if not runs_elsewhere(ctx):
                _require_frames(ctx)
            videos = _count_videos(ctx)
            show_notice(inputs, "target", f"{verb} the frames of {videos:,} videos.")
        else:
            return show_target(ctx, inputs, verb, "frames" if _are_frames(ctx) else "samples")
    return None


def target_of(ctx: Any) -> SampleCollection:
    """The images that the operator is aimed at; of videos their frames, as images.

    Raises:
        NoSamples: if there are none
    """
    if not _are_videos(ctx):
        return target_images(ctx)
    _count_videos(ctx)
    sampled = _require_frames(ctx)
    return ctx.target_view().to_frames(sample_frames=not sampled)


def ask_for_patches(ctx: Any, inputs: types.Object, source: str) -> None:
    """Asks whether whole images are compared, or the patches of a label field.

    Args:
        ctx: the execution context
        inputs: the form
        source: where vectors come from. No field holds those of patches, but who asked for
            patches before has to see why they are refused
    """
    fields = patch_fields(ctx.dataset)
    if source == INDEX:
        fields = [field for field in fields if indexes(ctx.dataset, field)]
    if not asked_for_patches(ctx) and (source == FIELD or not fields):
        return
    field_choice(
        inputs, "patches_field", [IMAGES, *fields], label="What is compared", default=IMAGES
    )
    with errors_shown(inputs, "patches_problem"):
        patches_field_of(ctx)


def patches_field_of(ctx: Any) -> str | None:
    """The field whose patches are compared; None for whole images.

    Raises:
        EmbeddingsError: if there is no such field, or the vectors are not made for patches
    """
    asked = asked_for_patches(ctx)
    if asked is None:
        return None
    if ctx.params.get("embeddings") == FIELD:
        raise EmbeddingsError(
            "These vectors are of whole images, not of patches.",
            "Choose a model, or whole images.",
        )
    return require_patch_field(ctx.dataset, asked)


def _count_videos(ctx: Any) -> int:
    count = images_in(ctx.target_view())
    require_selection(ctx)
    if not count:
        raise NoSamples("The target holds no videos.", "Clear a filter, or target the dataset.")
    return count


def _are_videos(ctx: Any) -> bool:
    return bool(ctx.dataset.media_type == "video" and not _are_frames(ctx))


def _are_frames(ctx: Any) -> bool:
    return bool(ctx.target_view(require_flat=True)._is_frames)  # noqa: SLF001 - no public name


def _require_frames(ctx: Any) -> bool:
    """Whether the frames are images already; if they are not, that they can be made."""
    sampled = ctx.dataset.has_frame_field("filepath")
    if not sampled and shutil.which("ffmpeg") is None:
        raise NoSamples(
            "FiftyOne needs ffmpeg to make images of the frames of videos.",
            "Install ffmpeg where the operator runs.",
        )
    return sampled
