"""Frames, chunks, previews and their description (data/meta), of tasks and jobs."""

from __future__ import annotations

import io
import json
import mimetypes
import zipfile
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps
from starlette.responses import FileResponse, Response

from . import errors, videos
from .fields import integer_problem
from .files import raw_folder, video_frame
from .jobs import frame_numbers, get_job
from .reply import Reply
from .tasks import get_task
from .upload_options import UploadOptions

if TYPE_CHECKING:
    from pathlib import Path

    from .database import Row
    from .web import Call

_PREVIEW_SIZE = (256, 256)


def show_task_meta(call: Call) -> Reply:
    """GET /api/tasks/{id}/data/meta."""
    task = get_task(call)
    media = finished_media(call, task["id"])
    return Reply(_meta(call, media))


def show_job_meta(call: Call) -> Reply:
    """GET /api/jobs/{id}/data/meta: only the frames of the job."""
    job, task = get_job(call)
    return Reply(_meta(call, finished_media(call, task["id"]), job))


def change_task_meta(call: Call) -> Reply:
    """PATCH /api/tasks/{id}/data/meta: the list of deleted frames."""
    task = get_task(call)
    media = finished_media(call, task["id"])
    deleted = _asked_deletions(call, range(media["size"]))
    call.db.update("media", media["id"], deleted_frames=json.dumps(sorted(deleted)))
    return show_task_meta(call)


def change_job_meta(call: Call) -> Reply:
    """PATCH /api/jobs/{id}/data/meta: the list replaces the one of the job's frames."""
    job, task = get_job(call)
    media = finished_media(call, task["id"])
    own = range(job["start_frame"], job["stop_frame"] + 1)
    others = {frame for frame in json.loads(media["deleted_frames"]) if frame not in own}
    deleted = others | _asked_deletions(call, own)
    call.db.update("media", media["id"], deleted_frames=json.dumps(sorted(deleted)))
    return show_job_meta(call)


def task_data(call: Call) -> Response:
    """GET /api/tasks/{id}/data: a frame, a chunk or the preview."""
    task = get_task(call)
    kind = call.query.get("type")
    if kind not in {"frame", "chunk", "preview", "context_image"}:
        raise errors.rejected("Data type not specified or has wrong value")
    media = finished_media(call, task["id"])
    return _data(call, kind, media, range(media["size"]))


def job_data(call: Call) -> Response:
    """GET /api/jobs/{id}/data: the same, within the frames of the job."""
    job, task = get_job(call)
    kind = call.query.get("type")
    if kind not in {"frame", "chunk", "preview", "context_image"}:
        raise errors.rejected("Data type not specified or has wrong value")
    media = finished_media(call, task["id"])
    return _data(call, kind, media, frame_numbers(job))


def task_preview(call: Call) -> Response:
    """GET /api/tasks/{id}/preview."""
    media = finished_media(call, get_task(call)["id"])
    return _preview(call, media, 0)


def job_preview(call: Call) -> Response:
    """GET /api/jobs/{id}/preview."""
    job, task = get_job(call)
    return _preview(call, finished_media(call, task["id"]), job["start_frame"])


def finished_media(call: Call, task_id: int) -> Row:
    """The data of a task.

    Raises:
        ApiError: 400 while there are none
    """
    media = call.db.one("SELECT * FROM media WHERE task_id = ? AND state = 'finished'", task_id)
    if media is None:
        raise errors.rejected("Data is not uploaded for the task yet")
    return media


def original(call: Call, media: Row, number: int) -> Response:
    """A frame as it was uploaded.

    Raises:
        ApiError: 400 when there is no such frame
    """
    _check_number(number, range(media["size"]))
    path = frame_path(call, media["task_id"], number)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=media_type)


def frame_path(call: Call, task_id: int, number: int) -> Path:
    """The file of a frame."""
    name = call.db.value(
        "SELECT name FROM frames WHERE task_id = ? AND number = ?", task_id, number
    )
    path = raw_folder(call.server.media, task_id) / str(name)
    return video_frame(path, number) if videos.is_video(path.name) else path


def _meta(call: Call, media: Row, job: Row | None = None) -> dict[str, Any]:
    first, last = (
        (0, media["size"] - 1) if job is None else (job["start_frame"], job["stop_frame"])
    )
    included = None if job is None else job["included_frames"]
    shown = range(first, last + 1) if included is None else json.loads(included)
    rows = call.db.all(
        "SELECT * FROM frames WHERE task_id = ? AND number BETWEEN ? AND ? ORDER BY number",
        media["task_id"],
        first,
        last,
    )
    kept = set(shown)
    step = (
        1
        if media["size"] < 2
        else (media["stop_frame"] - media["start_frame"]) // (media["size"] - 1)
    )
    deleted = json.loads(media["deleted_frames"])
    options = UploadOptions(**json.loads(media["options"]))
    return {
        "chapters": [] if media["video"] else None,
        "chunks_updated_date": media["chunks_updated_date"],
        "chunk_size": media["chunk_size"],
        "size": len(kept),
        "image_quality": media["image_quality"],
        "start_frame": media["start_frame"] + first * step,
        "stop_frame": media["start_frame"] + last * step,
        "frame_filter": media["frame_filter"],
        "frames": [
            {
                "width": row["width"],
                "height": row["height"],
                "name": row["name"] if row["number"] in kept else "placeholder.jpg",
                "related_files": 0,
                "has_related_context": False,
            }
            for row in (rows[:1] if media["video"] else rows)
        ],
        "deleted_frames": [frame for frame in deleted if first <= frame <= last],
        "included_frames": None if included is None else json.loads(included),
        "storage": options.storage,
        "cloud_storage_id": options.cloud_storage_id,
    }


def _asked_deletions(call: Call, frames: range) -> set[int]:
    asked = call.json().get("deleted_frames", [])
    if not isinstance(asked, list):
        text = f'Expected a list of items but got type "{type(asked).__name__}".'
        raise errors.invalid({"deleted_frames": [text]})
    unknown = [frame for frame in asked if frame not in frames]
    if unknown:
        names = ", ".join(map(str, unknown))
        raise errors.invalid({"deleted_frames": [f"Unknown frames {names} requested for removal"]})
    return set(asked)


def _data(call: Call, kind: str, media: Row, frames: range | list[int]) -> Response:
    compressed = call.query.get("quality", "compressed") != "original"
    if kind == "preview":
        return _preview(call, media, frames[0])
    if kind == "context_image":
        raise errors.unsupported("context images")
    number = _asked_number(call, kind)
    if kind == "frame":
        _check_number(number, frames)
        if not compressed:
            return original(call, media, number)
        path = frame_path(call, media["task_id"], number)
        return Response(_jpeg(path, media["image_quality"]), media_type="image/jpeg")
    size = media["chunk_size"]
    wanted = list(frames)[number * size : (number + 1) * size]
    if "number" in call.query:
        wanted = [frame for frame in frames if frame // size == number]
    if not wanted:
        raise errors.ApiError(400, "Incorrect chunk number")
    return _chunk(call, media, wanted, compressed=compressed)


def _asked_number(call: Call, kind: str) -> int:
    value = call.query.get("index" if kind == "chunk" and "number" not in call.query else "number")
    if value is None or integer_problem(value, 0):
        raise errors.rejected("Number is not specified or has wrong value")
    return int(value)


def _check_number(number: int, frames: range | list[int]) -> None:
    if number not in frames:
        text = f"Invalid frame '{number}'. The frame number should be in the "
        raise errors.ApiError(400, f"{text}[{frames[0]}, {frames[-1] + 1}] range")


def _chunk(call: Call, media: Row, numbers: list[int], *, compressed: bool) -> Response:
    if media["video"] and not (compressed and media["zip_chunks"]):
        paths = [frame_path(call, media["task_id"], number) for number in numbers]
        return Response(videos.encode(paths), media_type="video/mp4")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for position, number in enumerate(numbers):
            path = frame_path(call, media["task_id"], number)
            if compressed:
                content, suffix = _jpeg(path, media["image_quality"]), ".jpeg"
            else:
                content, suffix = path.read_bytes(), path.suffix
            archive.writestr(f"{position:06d}{suffix}", content)
    return Response(buffer.getvalue(), media_type="application/zip")


def _preview(call: Call, media: Row, number: int) -> Response:
    with Image.open(frame_path(call, media["task_id"], number)) as image:
        turned = ImageOps.exif_transpose(image).convert("RGB")
    turned.thumbnail(_PREVIEW_SIZE)
    return Response(_encode(turned, 75), media_type="image/jpeg")


def _jpeg(path: Path, quality: int) -> bytes:
    with Image.open(path) as image:
        return _encode(ImageOps.exif_transpose(image).convert("RGB"), quality)


def _encode(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
