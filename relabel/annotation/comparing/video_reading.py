"""Reads what is drawn in a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dataset.facts import label_path
from ..dataset.videos import largest_indices
from .following import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo

    from ..record.baseline import SentFrame
    from ..record.round import Round
    from .drawing import PulledShapes


def followed(
    dataset: fo.Dataset, record: Round, pulled: PulledShapes, frames: Sequence[SentFrame]
) -> PulledShapes:
    """What is drawn in a video, where its tracks are labels of frames; see :mod:`.following`.

    Args:
        dataset: the dataset
        record: the round
        pulled: what is drawn; of images it comes back as it is
        frames: the baseline of these frames
    """
    if not frames or not any(field.schema.tracks for field in record.fields):
        return pulled
    paths = {
        field.name: label_path(field.name, field.schema.label_kind)
        for field in record.fields
        if field.schema.tracks and dataset.get_field(field.name) is not None
    }
    return follow(pulled, frames, largest_indices(dataset, paths, frames[0].sample_id))
