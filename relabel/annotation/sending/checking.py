"""Holds that all images of a round can travel with their labels, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..comparing.drawing import check_offered, draw_images
from ..dataset.media import find_images
from ..dataset.starting import find_starts
from ..dataset.videos import find_videos, frames_of, is_video
from ..progress import silent
from ..record.baseline import SentFrame, SentLabel, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import fiftyone as fo

    from ..dataset.media import RoundImage
    from ..progress import Progress
    from ..record.request import Request
    from ..record.round import Round


def checked_media(
    dataset: fo.Dataset,
    record: Round,
    request: Request,
    sample_ids: Sequence[str],
    progress: Progress = silent,
) -> Iterator[RoundImage]:
    """Finds the images or videos of a round.

    Each has a readable header, and labels that can be drawn and kept.

    Args:
        dataset: the dataset
        record: the round
        request: what was asked for
        sample_ids: the samples, in order; those that are gone are left out
        progress: hears how many images are checked

    Raises:
        UnreadableMedia: at the end, if some cannot be read
        UnknownClass, MalformedLabel: if a label cannot be drawn
        TooLargeToKeep: if the labels of an image cannot be kept
    """
    if is_video(dataset):
        for video in find_videos(dataset, sample_ids, request):
            _check_labels(dataset, record, frames_of(video, request.span))
            yield video
        return
    checked = 0
    for images in find_images(dataset, sample_ids, request):
        count = len(sample_ids)
        progress(checked / count, f"Checked {checked:,} of {count:,} images")
        checked += len(images)
        _check_labels(dataset, record, images)
        yield from images


def _check_labels(dataset: fo.Dataset, record: Round, images: Sequence[RoundImage]) -> None:
    for field in record.fields:
        starts = find_starts(dataset, record.id, field, images)
        drawn = draw_images(dataset, field, images, starts)
        check_offered(drawn, field)
        for image, start, labels in zip(images, starts, drawn, strict=True):
            sent = [
                SentLabel(label_id, 0, label, start=start.get(label_id))
                for label_id, label in labels.items()
            ]
            place = image.place(field.name)
            check_size(record.id, SentFrame(0, 0, place, image.size, tuple(sent)))
