"""The videos of a round, checked before the first one is sent, and their frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import fiftyone.core.media as fom
from fiftyone import ViewField

from ...cvat import ImageFile
from ..errors import UnreadableMedia, UnsupportedField
from .media import RoundImage, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import fiftyone as fo

    from ...cvat import FrameSpan
    from ..record.request import Request

FRAMES = "frames."
"""What stands before the name of a field of frames."""


def is_video(dataset: fo.Dataset) -> bool:
    """Whether a dataset holds videos."""
    return bool(dataset.media_type == fom.VIDEO)


def check_frame_field(name: str) -> None:
    """Holds that a field is one of frames: labels of a whole video do not travel.

    Raises:
        UnsupportedField: if it is not
    """
    if not name.startswith(FRAMES):
        raise UnsupportedField(
            f"{name!r} is no field of the frames of videos.", f"Choose one like '{FRAMES}{name}'."
        )


def find_videos(
    dataset: fo.Dataset, sample_ids: Sequence[str], request: Request
) -> Iterator[RoundImage]:
    """Finds the videos of samples, their size and how many frames they have.

    Args:
        dataset: the dataset
        sample_ids: the samples of the round, in order; those that are gone are left out
        request: where their files are named, and which of their frames are wanted

    Yields:
        one for a sample, named so that annotators recognise it and no two are alike

    Raises:
        UnreadableMedia: at the end, if some are missing, are no videos or have no wanted frame
    """
    faults: list[str] = []
    view = dataset.select(sample_ids, ordered=True)
    rows = zip(*view.values(["id", request.media_field, "metadata"]), strict=True)
    for number, (sample_id, filepath, metadata) in enumerate(rows):
        try:
            video = _find(sample_id, Path(filepath), metadata, number)
        except OSError as error:
            faults.append(f"{filepath} cannot be read ({error.strerror or error})")
        except UnreadableMedia as error:
            faults.append(error.message)
        else:
            if not request.span.numbers(video.frames):
                faults.append(f"{filepath} has {video.frames} frames, and none of those wanted")
            elif not faults:
                yield video
    if faults:
        raise unreadable(faults, "videos")


def _find(sample_id: str, path: Path, metadata: Any, number: int) -> RoundImage:
    size = path.stat().st_size
    file = ImageFile(path, f"{number:06d}_{path.name}", size)
    names = ("frame_width", "frame_height", "total_frame_count")
    known = [getattr(metadata, name, None) or 0 for name in names]
    width, height, frames = known if all(known) else measure(path)
    return RoundImage(sample_id, file, (width, height), frames=frames)


def measure(path: Path) -> tuple[int, int, int]:
    """Width, height and number of frames, from the header of a video.

    Raises:
        UnreadableMedia: if it is no video, or has no frames
    """
    video = cv2.VideoCapture(str(path))
    properties = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)
    width, height, frames = (int(video.get(item)) for item in properties)
    is_open = video.isOpened()
    video.release()
    if not is_open or width <= 0 or height <= 0:
        raise UnreadableMedia(f"{path} is no video", "Repair it, or leave this sample out.")
    if frames <= 0:
        raise UnreadableMedia(f"{path} has no frames", "Repair it, or leave this sample out.")
    return width, height, frames


def frames_of(video: RoundImage, span: FrameSpan, count: int | None = None) -> list[RoundImage]:
    """The frames of a video that are sent, in the order of their task.

    Args:
        video: the video
        span: which of its frames are wanted
        count: how many frames its task has, where the server counted them
    """
    numbers = span.numbers(video.frames)
    if count is not None:
        numbers = range(span.start, span.start + count * span.step, span.step)
    return [replace(video, frame_number=number + 1) for number in numbers]


def planned_frames(videos: fo.SampleCollection, span: FrameSpan) -> tuple[int, ...]:
    """How many frames of each video would be sent, 0 where its metadata do not say."""
    counts: Sequence[int | None] = videos.values("metadata.total_frame_count")
    return tuple(len(span.numbers(count or 0)) for count in counts)


def wanted_frames(videos: fo.SampleCollection, span: FrameSpan) -> fo.SampleCollection:
    """Videos with only those of their frames that are sent."""
    first, number = span.start + 1, ViewField("frame_number")
    wanted = (number >= first) & ((number - first) % span.step == 0)
    if span.stop is not None:
        wanted &= number <= span.stop + 1
    return videos.match_frames(wanted)


def largest_indices(
    dataset: fo.Dataset, fields: Mapping[str, str], sample_id: str
) -> dict[str, int]:
    """The largest index of the labels of each field of a video, -1 if none has one.

    Args:
        dataset: the dataset
        fields: field -> where its labels are
        sample_id: the video
    """
    view = dataset.select(sample_id)
    found = {name: view.max(f"{path}.index") for name, path in fields.items()}
    return {name: -1 if index is None else int(index) for name, index in found.items()}
