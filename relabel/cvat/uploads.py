"""Sends images to a task in bounded requests; files too large for one go in chunks."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .errors import CvatDataRejected
from .tus import CHUNK_BYTES, ResumableUpload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from .transport import Transport

MAX_REQUEST_BYTES = CHUNK_BYTES
"""The media of one request. Nginx, as CVAT's own installation sets it up, takes far more. A file
that is larger travels in chunks."""

MAX_REQUEST_FILES = 200
"""The files of one request, all open at once; systems allow 1,024 by default, macOS 256."""


@dataclass(frozen=True)
class ImageFile:
    """An image to send.

    Args:
        path: where it is
        name: what annotators see; a flat name with the extension of an image, unique in its task
        size: bytes
    """

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class Yardstick:
    """Which images of a task measure the annotators, and how.

    Args:
        names: the images, by the names under which they are sent
        honeypots_per_job: 0 if they get a ground-truth job beside the others. Else they are
            taken out of the other jobs, and so many of them are mixed into each job under the
            guise of ordinary images
    """

    names: tuple[str, ...]
    honeypots_per_job: int = 0

    def to_json(self) -> dict[str, Any]:
        """What the server is told when the upload ends."""
        params: dict[str, Any] = {
            "mode": "gt_pool" if self.honeypots_per_job else "gt",
            "frame_selection_method": "manual",
            "frames": list(self.names),
        }
        if self.honeypots_per_job:
            params["frames_per_job_count"] = self.honeypots_per_job
        return params


@dataclass(frozen=True)
class FrameSpan:
    """Which frames of a video become frames of its task.

    Args:
        start: the first one, counted from 0
        stop: no frame after this one, or None for all there are
        step: every how many frames one is taken
    """

    start: int = 0
    stop: int | None = None
    step: int = 1

    def numbers(self, count: int) -> range:
        """The frames that are taken of a video with so many frames: task frame -> video frame."""
        end = count if self.stop is None else min(self.stop + 1, count)
        return range(self.start, max(end, self.start), self.step)

    def to_fields(self) -> dict[str, object]:
        """What the server is told with the video."""
        fields: dict[str, object] = {"start_frame": self.start}
        if self.stop is not None:
            fields["stop_frame"] = self.stop
        if self.step > 1:
            fields["frame_filter"] = f"step={self.step}"
        return fields


class UploadProgress(Protocol):
    """Hears how far an upload is."""

    def __call__(self, sent: int, total: int) -> None:
        """Takes bytes sent and bytes in all."""


class UploadJournal:
    """What is remembered of the upload of a task, so that it goes on after it was cut off.

    This one forgets everything when the process ends.
    """

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}

    @property
    def small_sent(self) -> bool:
        """Whether all files that fit into a request are there."""
        return False

    def note_small_sent(self) -> None:
        """Notes that they are."""

    @property
    def files_sent(self) -> int:
        """How many of them are certainly there, the first ones, if not all are."""
        return 0

    def note_files_sent(self, count: int) -> None:
        """Notes how many are."""

    def upload_of(self, name: str) -> str | None:
        """The id of the upload that was begun of a large file."""
        return self._begun.get(name)

    def note_upload(self, name: str, upload_id: str) -> None:
        """Notes that one was begun. Nothing of the file has travelled yet."""
        self._begun[name] = upload_id


def send_images(
    transport: Transport,
    task_id: int,
    images: Sequence[ImageFile],
    *,
    image_quality: int,
    yardstick: Yardstick | None = None,
    journal: UploadJournal | None = None,
    progress: UploadProgress | None = None,
) -> None:
    """Sends images in requests of at most ``MAX_REQUEST_BYTES``; larger ones one by one in chunks.

    What fits into one request is sent in one, with all that the server needs to begin. A
    yardstick needs one more: it is told in JSON.

    Raises:
        CvatError: if the server refuses one of the requests
        OSError: if a file cannot be read
    """
    journal = journal or UploadJournal()
    large = [image for image in images if image.size > MAX_REQUEST_BYTES]
    small = [image for image in images if image.size <= MAX_REQUEST_BYTES]
    cut = list(batches(small))
    told = _Told(progress, sum(image.size for image in images))
    options = reading_options(image_quality, yardstick)
    has_begun = bool(journal.small_sent or journal.files_sent)
    if len(cut) == 1 and not large and not yardstick and not has_begun:
        _send_batch(transport, task_id, cut[0], options)
        told.add(told.total)
        return
    if not journal.small_sent:
        try:
            quality = {"image_quality": image_quality}
            _send_small(transport, task_id, small, quality, journal=journal, told=told)
        except BaseException:
            journal.note_files_sent(0)  # the server may have failed in the midst of a request
            raise
        journal.note_small_sent()
    told.sent = sum(image.size for image in small)
    for image in large:
        _send_large(transport, task_id, image, journal, told)
    finish = {**options, "upload_file_order": [image.name for image in images]}
    _post_data(transport, task_id, headers={"Upload-Finish": "true"}, json=finish)


def reading_options(image_quality: int, yardstick: Yardstick | None = None) -> dict[str, Any]:
    """How the server is to read the files of a task: in our order, but for honeypots."""
    options: dict[str, Any] = {
        "image_quality": image_quality,
        "use_cache": True,
        "use_zip_chunks": True,
        "sorting_method": "predefined",
    }
    if yardstick:
        options["validation_params"] = yardstick.to_json()
        if yardstick.honeypots_per_job:
            options["sorting_method"] = "random"  # the server refuses every other
    return options


def _send_small(
    transport: Transport,
    task_id: int,
    images: Sequence[ImageFile],
    options: Mapping[str, object],
    *,
    journal: UploadJournal,
    told: _Told,
) -> None:
    """Sends files that fit into requests; after a process has died, what is not there yet.

    Whether the server took the request that it died in cannot be asked, and a request that is sent
    again it might append to what it has. So these files are sent one by one: of a name that is
    there the upload is refused, and in the end the server compares the names.
    """
    done = journal.files_sent
    told.add(sum(image.size for image in images[:done]))
    one_by_one = done > 0
    if not one_by_one:
        _post_data(transport, task_id, headers={"Upload-Start": "true"})
    for batch in batches(images[done:]):
        if one_by_one:
            for image in batch:
                _send_large(transport, task_id, image, journal, told)
            one_by_one = False
        else:
            multiple = {"Upload-Multiple": "true"}
            _send_batch(transport, task_id, batch, options, headers=multiple)
            told.add(sum(image.size for image in batch))
        done += len(batch)
        journal.note_files_sent(done)


@dataclass
class _Told:
    """How much is sent of an upload, as its user hears it."""

    progress: UploadProgress | None
    total: int
    sent: int = 0

    def add(self, size: int) -> None:
        self.sent += size
        self.tell(0)

    def tell(self, more: int) -> None:
        """Tells how much is sent with some bytes of the next file."""
        if self.progress:
            self.progress(self.sent + more, self.total)


def _send_large(
    transport: Transport, task_id: int, image: ImageFile, journal: UploadJournal, told: _Told
) -> None:
    upload = ResumableUpload(
        transport,
        task_id,
        image.path,
        image.name,
        upload_id=journal.upload_of(image.name),
        note=lambda upload_id: journal.note_upload(image.name, upload_id),
    )
    upload.send(told.tell)
    told.sent += image.size


def send_video(
    transport: Transport,
    task_id: int,
    video: ImageFile,
    span: FrameSpan,
    *,
    image_quality: int,
    journal: UploadJournal | None = None,
    progress: UploadProgress | None = None,
) -> None:
    """Sends a video, in chunks if it is larger than ``MAX_REQUEST_BYTES``.

    Raises:
        CvatError: if the server refuses it
        OSError: if the file cannot be read
    """
    journal, told = journal or UploadJournal(), _Told(progress, video.size)
    options = reading_options(image_quality) | span.to_fields()
    options.pop("sorting_method")
    if video.size <= MAX_REQUEST_BYTES:
        _send_batch(transport, task_id, [video], options)
        told.add(video.size)
        return
    if not journal.small_sent:
        _post_data(transport, task_id, headers={"Upload-Start": "true"})
        journal.note_small_sent()
    _send_large(transport, task_id, video, journal, told)
    _post_data(transport, task_id, headers={"Upload-Finish": "true"}, json=options)


def _send_batch(
    transport: Transport,
    task_id: int,
    batch: Sequence[ImageFile],
    options: Mapping[str, object],
    headers: Mapping[str, str] | None = None,
) -> None:
    fields = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in options.items()
    }
    with contextlib.ExitStack() as stack:
        files = {
            f"client_files[{index}]": (image.name, stack.enter_context(image.path.open("rb")))
            for index, image in enumerate(batch)
        }
        _post_data(transport, task_id, headers=headers, data=fields, files=files)


def _post_data(transport: Transport, task_id: int, **options: Any) -> None:
    path = f"/api/tasks/{task_id}/data/"
    transport.request("POST", path, timeout=transport.slow, **options)


def batches(images: Sequence[ImageFile]) -> Iterator[list[ImageFile]]:
    """Cuts images into the requests that send them, in order."""
    batch: list[ImageFile] = []
    size = 0
    for image in images:
        if batch and (size + image.size > MAX_REQUEST_BYTES or len(batch) == MAX_REQUEST_FILES):
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += image.size
    if batch:
        yield batch


def frame_names(transport: Transport, task_id: int) -> list[str]:
    """The names of the images of a task, frame by frame."""
    return [frame["name"] for frame in _frames(transport, task_id)]


def _frames(transport: Transport, task_id: int) -> Sequence[Mapping[str, Any]]:
    frames: list[Mapping[str, Any]] = transport.get(f"/api/tasks/{task_id}/data/meta")["frames"]
    return frames


def check_frames(
    transport: Transport,
    task_id: int,
    names: Sequence[str],
    sizes: Sequence[tuple[int, int]] | None = None,
) -> None:
    """Holds that frame ``i`` is image ``i``: everything later stands on it.

    Args:
        transport: where the task is
        task_id: the task
        names: the names of the images
        sizes: width and height of each, or None if the server has the very files from us

    Raises:
        CvatDataRejected: if it is not
    """
    described = _frames(transport, task_id)
    frames = [frame["name"] for frame in described]
    if frames == list(names):
        for frame, size in zip(described, sizes or (), strict=False):
            there = (frame["width"], frame["height"])
            if there != size:
                raise CvatDataRejected(
                    f"{frame['name']} has {there} pixels in CVAT, but {size} here.",
                    "The server must find the same files as this machine.",
                    task_id=task_id,
                )
        return
    missing = sorted((Counter(names) - Counter(frames)).elements())
    if missing:
        raise CvatDataRejected(
            f"CVAT passed over {len(missing)} files, the first is {missing[0]}.",
            "It reads common image formats only.",
            task_id=task_id,
        )
    raise CvatDataRejected("CVAT did not keep the order of the images.", task_id=task_id)
