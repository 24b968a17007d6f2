"""Where the media of a task lie."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath


def raw_folder(media: Path, task_id: int) -> Path:
    """The folder of the images of a task, as they were uploaded."""
    return media / str(task_id) / "raw"


def video_frame(video: Path, number: int) -> Path:
    """The image that a frame of a task was taken out of its video into."""
    return video.with_suffix(f"{video.suffix}.frames") / f"{number:06}.png"


def incoming_folder(media: Path, task_id: int) -> Path:
    """The folder of uploads that are not complete."""
    return media / str(task_id) / "incoming"


def remove_task_files(media: Path, task_id: int) -> None:
    """Removes everything of a task; nothing happens when there is nothing."""
    shutil.rmtree(media / str(task_id), ignore_errors=True)


def base_name(name: str) -> str:
    """The last part of a file name, whatever slashes it has; empty for a folder."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "" if last in {".", ".."} else last
