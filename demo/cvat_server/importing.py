"""Reads the files of a task in the background: order, sizes, frames, jobs."""

from __future__ import annotations

import json
import random
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile

from . import storages, validation, videos
from .database import timestamp
from .files import raw_folder, video_frame
from .jobs import insert_ground_truth
from .tasks import touch_task
from .upload_options import UploadOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .database import Database, Row
    from .server import Server

_IMAGE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".dib", ".gif", ".ico", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm",
     ".pcx", ".pgm", ".png", ".ppm", ".tga", ".tif", ".tiff", ".webp")
)  # fmt: skip
# As the real server does: an image that is cut off is taken.
ImageFile.LOAD_TRUNCATED_IMAGES = True

_EXIF_ORIENTATION = 0x0112
_TURNED = frozenset((5, 6, 7, 8))


class ValidationError(Exception):
    """Named as the real server names it in messages."""

    __module__ = "rest_framework.exceptions"

    def __init__(self, text: str) -> None:
        super().__init__(f"[ErrorDetail(string={text!r}, code='invalid')]")


@dataclass(frozen=True)
class _Frame:
    name: str
    width: int
    height: int


@dataclass(frozen=True)
class _Layout:
    """The frames of a task in their order, and its jobs.

    Attributes:
        order: the file of each frame
        jobs: first and last frame of each annotation job
        segment_size: as the task shows it
        overlap: as the task shows it
        yardstick: the frames of the ground-truth job
        honeypots: frame of a honeypot -> the frame that it repeats
    """

    order: list[str]
    jobs: list[tuple[int, int]]
    segment_size: int
    overlap: int
    yardstick: list[int]
    honeypots: dict[int, int] = field(default_factory=dict)


def import_media(server: Server, task_id: int, report: Callable[[str], None]) -> None:
    """Makes frames and jobs of the uploaded files.

    Args:
        server: its database and its folders
        task_id: the task
        report: takes the word on how far it is

    Raises:
        Exception: whatever is wrong with the files; its text is shown to the client
    """
    db = server.db
    row = db.one("SELECT * FROM media WHERE task_id = ?", task_id)
    if row is None:
        return
    options = UploadOptions(**json.loads(row["options"]))
    folder = raw_folder(server.media, task_id)
    report("Media files are being extracted...")
    names = _media_names(server, folder, task_id, options)
    if options.image_quality is None:
        raise ValidationError(
            "The 'image_quality' parameter is required for image- and video-based tasks"
        )
    wanted = slice(options.start_frame, options.end, options.step)
    if videos.is_video(names[0]):
        names = names * videos.extract(folder / names[0], wanted)
    else:
        names = _ordered(names, options)[wanted]
    if not names:
        raise ValueError("No media data found")
    task = db.one("SELECT * FROM tasks WHERE id = ?", task_id)
    if task is None:
        return
    layout = _layout(task, options, names)
    measured = {name: _measure(folder / name, name) for name in dict.fromkeys(names)}
    report("Task is being saved in database")
    with db.transaction():
        _save(db, row, options, [measured[name] for name in layout.order], layout)


def _media_names(server: Server, folder: Path, task_id: int, options: UploadOptions) -> list[str]:
    """The images, or the one video."""
    uploaded = "SELECT name FROM uploaded_files WHERE task_id = ? ORDER BY id"
    given = [row["name"] for row in server.db.all(uploaded, task_id)]
    given += storages.link_files(server.settings, server.db, options, folder)
    names: list[str] = []
    films: list[str] = []
    for name in given:
        suffix = Path(name).suffix.lower()
        if suffix == ".zip":
            names += _unpack(folder / name, folder)
        elif suffix in _IMAGE_SUFFIXES:
            names.append(name)
            (folder / name).stat()
        elif videos.is_video(name):
            films.append(name)
    if films:
        videos.check_alone(films, names)
        return films
    if not names:
        raise ValueError("No media data found")
    return names


def _unpack(archive: Path, folder: Path) -> list[str]:
    """Unpacks the images of a zip, keeping its folders."""
    root = folder.resolve()
    names = []
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            inside = Path(member.filename).suffix.lower() in _IMAGE_SUFFIXES
            if member.is_dir() or not inside:
                continue
            if not (root / member.filename).resolve().is_relative_to(root):
                raise ValueError(f"{member.filename} lies outside of the archive")
            opened.extract(member, folder)
            names.append(member.filename)
    return names


def _ordered(names: list[str], options: UploadOptions) -> list[str]:
    if options.job_file_mapping:
        return [name for job in options.job_file_mapping for name in job]
    if options.sorting_method == "predefined":
        return options.upload_file_order or names
    if options.sorting_method == "natural":
        return sorted(names, key=_natural_key)
    if options.sorting_method == "random":
        return random.sample(names, len(names))
    return sorted(names)


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _measure(path: Path, name: str) -> _Frame:
    if videos.is_video(name):
        path = video_frame(path, 0)
    with Image.open(path) as image:
        width, height = image.size
        if image.getexif().get(_EXIF_ORIENTATION) in _TURNED:
            width, height = height, width
    return _Frame(name, width, height)


def _layout(task: Row, options: UploadOptions, names: list[str]) -> _Layout:
    """The order of the frames, and how they are cut into jobs."""
    params = options.validation_params
    if params.get("mode") == validation.POOL:
        if options.sorting_method != "random":
            raise ValidationError(
                'validation mode "gt_pool" can only be used with "random" sorting'
            )
        pool = _named_frames(params, names)
        mixed = validation.with_honeypots(params, names, pool, task["segment_size"])
        return _Layout(mixed.order, mixed.jobs, 0, 0, mixed.pool, mixed.real)
    segment_size = min(task["segment_size"] or len(names), len(names))
    overlap = min(task["overlap"] or 0, segment_size // 2)
    if videos.is_video(names[0]):
        overlap = videos.overlap_of(task["overlap"], segment_size, len(names))
    jobs = _segments(options, len(names), segment_size, overlap)
    yardstick: list[int] = []
    if params:
        if params["frame_selection_method"] == "manual":
            yardstick = sorted(names.index(name) for name in _named_frames(params, names))
        else:
            yardstick = validation.choose(params, range(len(names)), jobs)
    return _Layout(names, jobs, segment_size, overlap, yardstick)


def _named_frames(params: Mapping[str, Any], names: list[str]) -> list[str]:
    """The files of a yardstick, in the order of their names."""
    if params["frame_selection_method"] != "manual":
        return [names[frame] for frame in validation.choose(params, range(len(names)), [])]
    unknown = sorted(set(params["frames"]) - set(names))
    if unknown:
        raise ValidationError(f"Unknown validation frames: {', '.join(unknown)}")
    return sorted(set(params["frames"]))


def _save(
    db: Database, row: Row, options: UploadOptions, frames: Sequence[_Frame], layout: _Layout
) -> None:
    task = db.one("SELECT * FROM tasks WHERE id = ?", row["task_id"])
    if task is None:
        return
    db.run_many(
        "INSERT INTO frames VALUES (?, ?, ?, ?, ?)",
        [(task["id"], number, *_columns(frame)) for number, frame in enumerate(frames)],
    )
    video = frames[0].name if videos.is_video(frames[0].name) else ""
    now = timestamp()
    db.update(
        "media",
        row["id"],
        state="finished",
        size=len(frames),
        image_quality=options.image_quality,
        chunk_size=options.chunk_size or _chunk_size(frames, options, video),
        start_frame=options.start_frame,
        stop_frame=options.start_frame + (len(frames) - 1) * options.step,
        frame_filter=options.frame_filter,
        video=video,
        zip_chunks=options.use_zip_chunks,
        chunks_updated_date=now,
    )
    db.update("tasks", task["id"], segment_size=layout.segment_size, overlap=layout.overlap)
    for start, stop in layout.jobs:
        _insert_job(db, task, start, stop)
    if layout.yardstick:
        _save_yardstick(db, task["id"], options.validation_params, layout, len(frames))
    touch_task(db, task)


def _chunk_size(frames: Sequence[_Frame], options: UploadOptions, video: str) -> int:
    if video and not options.use_zip_chunks:
        return videos.CHUNK_SIZE
    largest = max(frame.width * frame.height for frame in frames)
    return max(2, min(72, 36 * 1920 * 1080 // max(largest, 1)))


def _insert_job(db: Database, task: Row, start: int, stop: int) -> None:
    """Makes an annotation job, and its replicas."""
    parent = None
    for _ in range(1 + task["consensus_replicas"]):
        moment = timestamp()
        job_id = db.insert(
            "jobs",
            task_id=task["id"],
            type="consensus_replica" if parent else "annotation",
            parent_job_id=parent,
            start_frame=start,
            stop_frame=stop,
            created_date=moment,
            updated_date=moment,
        )
        parent = parent or job_id


def _save_yardstick(
    db: Database, task_id: int, params: Mapping[str, Any], layout: _Layout, size: int
) -> None:
    pool = layout.yardstick
    in_pool = params["mode"] == validation.POOL
    start, stop = (pool[0], pool[-1]) if in_pool else (0, size - 1)
    insert_ground_truth(db, task_id, pool, start, stop)
    per_job = validation.per_job_count(params) if in_pool else None
    validation.save(db, task_id, params["mode"], pool, per_job=per_job, honeypots=layout.honeypots)


def _columns(frame: _Frame) -> tuple[str, int, int]:
    return frame.name, frame.width, frame.height


def _segments(
    options: UploadOptions, size: int, segment_size: int, overlap: int
) -> list[tuple[int, int]]:
    """First and last frame of each job."""
    if options.job_file_mapping:
        segments, start = [], 0
        for job in options.job_file_mapping:
            segments.append((start, start + len(job) - 1))
            start += len(job)
        return segments
    step = max(segment_size - overlap, 1)
    starts = range(0, max(size - overlap, 1), step)
    return [(start, min(start + segment_size, size) - 1) for start in starts]
