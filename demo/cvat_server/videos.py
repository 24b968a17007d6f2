"""Videos: the frames of a task are taken out of the file, one image each."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from .files import video_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .database import Row

SUFFIXES = frozenset((".avi", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"))
CHUNK_SIZE = 36
_DEFAULT_OVERLAP = 5
_CHUNK_RATE = 10.0
_INVALID_DATA = 1094995529


class InvalidDataError(Exception):
    """Named as the real server names it in messages."""

    __module__ = "av.error"

    def __init__(self, path: Path) -> None:
        text = f"Invalid data found when processing input: '{path}'"
        super().__init__(f"[Errno {_INVALID_DATA}] {text}")


def is_video(name: str) -> bool:
    """Whether a file is one, judged by its name."""
    return Path(name).suffix.lower() in SUFFIXES


def check_alone(videos: Sequence[str], images: Sequence[str]) -> None:
    """Holds that a video is the only file of its task.

    Raises:
        ValueError: if it is not
    """
    if len(videos) + bool(images) > 1:
        raise ValueError(
            "Only one video, audio, archive, pdf, zip or many image, directory can be used "
            f"simultaneously,             but {len(images)} image(s), {len(videos)} video(s), "
            "0 audio(s), 0 archive(s), 0 directory(s), 0 pdf(s), 0 zip(s) found."
        )


def extract(path: Path, wanted: slice) -> int:
    """Writes the wanted frames of a video as images; see :func:`.files.video_frame`.

    Args:
        path: the video
        wanted: its first frame, the one after its last, and the step

    Returns:
        how many there are

    Raises:
        InvalidDataError: if it is no video
    """
    video = cv2.VideoCapture(str(path))
    video_frame(path, 0).parent.mkdir()
    count, number = 0, -1
    while (wanted.stop is None or number + 1 < wanted.stop) and video.grab():
        number += 1
        if number >= wanted.start and (number - wanted.start) % wanted.step == 0:
            _, image = video.retrieve()
            cv2.imwrite(str(video_frame(path, count)), image)
            count += 1
    video.release()
    if number < 0:
        raise InvalidDataError(path)
    return count


def overlap_of(asked: int | None, segment_size: int, size: int) -> int:
    """The frames that two jobs share; by default a few, as tracks are joined by them."""
    default = 0 if segment_size >= size else _DEFAULT_OVERLAP
    return min(default if asked is None else asked, segment_size // 2)


def chunk_types(media: Row | None) -> dict[str, str]:
    """In what the frames of a task travel to the editor."""
    video = media is not None and bool(media["video"])
    zipped = media is None or bool(media["zip_chunks"])
    return {
        "data_original_chunk_type": "video" if video else "imageset",
        "data_compressed_chunk_type": "video" if video and not zipped else "imageset",
    }


def mode(media: Row | None) -> str:
    """``interpolation`` for a video, whose labels can be tracks."""
    return "interpolation" if media is not None and media["video"] else "annotation"


def encode(images: Sequence[Path]) -> bytes:
    """A chunk of a video."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chunk.mp4"
        height, width = cv2.imread(str(images[0])).shape[:2]
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(path), codec, _CHUNK_RATE, (width, height))
        for image in images:
            writer.write(cv2.imread(str(image)))
        writer.release()
        return path.read_bytes()
