"""What the operators of curation work on: images, or the frames of videos."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from .forms import NoSamples, count_target, errors_shown, show_notice, target_images

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import types


def ask_for_target(ctx: Any, inputs: types.Object, verb: str) -> None:
    """Says in a form how much is targeted, and of videos that it is their frames."""
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


def _require_frames(ctx: Any) -> bool:
    """Whether the frames are images already; if they are not, that they can be made."""
    sampled = ctx.dataset.has_frame_field("filepath")
    if not sampled and shutil.which("ffmpeg") is None:
        raise NoSamples(
            "FiftyOne needs ffmpeg to make images of the frames of videos.",
            "Install ffmpeg where the operator runs.",
        )
    return sampled
