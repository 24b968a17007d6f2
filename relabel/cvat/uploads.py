"""Sends images to a task in bounded requests and waits until the server has read them."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .errors import CvatDataRejected, CvatServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .transport import Transport

MAX_REQUEST_BYTES = 16 * 2**20
"""The media of one request. Nginx, as CVAT's own installation sets it up, takes far more."""

MAX_REQUEST_FILES = 200
"""The files of one request, all open at once; systems allow 1,024 by default, macOS 256."""

_FIRST_POLL, _SLOWEST_POLL = 0.2, 5.0


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


class UploadProgress(Protocol):
    """Hears how far an upload is."""

    def __call__(self, sent: int, total: int) -> None:
        """Takes bytes sent and bytes in all."""


def upload_images(
    transport: Transport,
    task_id: int,
    images: Sequence[ImageFile],
    *,
    image_quality: int,
    progress: UploadProgress | None = None,
) -> None:
    """Sends images in requests of at most ``MAX_REQUEST_BYTES``, or one larger image each.

    Raises:
        CvatError: if the server refuses one of the requests
        OSError: if a file cannot be read
    """
    path = f"/api/tasks/{task_id}/data/"
    timeout = (transport.config.timeouts.connect, transport.config.timeouts.upload)
    common = {"image_quality": image_quality}
    total, sent = sum(image.size for image in images), 0
    transport.request("POST", path, headers={"Upload-Start": "true"})
    for batch in batches(images):
        with contextlib.ExitStack() as stack:
            files = {
                f"client_files[{index}]": (image.name, stack.enter_context(image.path.open("rb")))
                for index, image in enumerate(batch)
            }
            transport.request(
                "POST",
                path,
                headers={"Upload-Multiple": "true"},
                data=common,
                files=files,
                timeout=timeout,
            )
        sent += sum(image.size for image in batch)
        if progress:
            progress(sent, total)
    finish = {
        **common,
        "use_cache": True,
        "use_zip_chunks": True,
        "sorting_method": "predefined",
        "upload_file_order": [image.name for image in images],
    }
    transport.request(
        "POST", path, headers={"Upload-Finish": "true"}, json=finish, timeout=timeout
    )


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


def wait_until_read(transport: Transport, task_id: int, images: Sequence[ImageFile]) -> None:
    """Waits until the server has made frames and jobs out of the files.

    Raises:
        CvatDataRejected: if the server cannot read them, or has passed over one without a word
        CvatServerError: if it does not come to an end in time
    """
    request = f"/api/requests/{quote(f'action=create&target=task&target_id={task_id}', safe='')}"
    deadline = time.monotonic() + transport.config.timeouts.processing
    pause = _FIRST_POLL
    while True:
        answer = transport.get(request)
        if answer["status"] == "finished":
            break
        if answer["status"] == "failed":
            reason = str(answer["message"]).strip().splitlines()[-1:] or ["no reason given"]
            raise CvatDataRejected(f"CVAT could not read the images: {reason[0]}")
        if time.monotonic() > deadline:
            raise CvatServerError(
                f"CVAT has not read the images of task {task_id} in time.",
                "Its import workers may be down or busy; ask its administrator.",
            )
        time.sleep(pause)
        pause = min(pause * 1.6, _SLOWEST_POLL)
    _check_frames(transport.get(f"/api/tasks/{task_id}/data/meta"), images)


def _check_frames(meta: dict[str, Any], images: Sequence[ImageFile]) -> None:
    """Holds that frame ``i`` is image ``i``: everything later stands on it."""
    frames = [frame["name"] for frame in meta["frames"]]
    names = [image.name for image in images]
    if frames == names:
        return
    missing = sorted((Counter(names) - Counter(frames)).elements())
    if missing:
        raise CvatDataRejected(
            f"CVAT passed over {len(missing)} files, the first is {missing[0]}.",
            "It reads common image formats only.",
        )
    raise CvatDataRejected("CVAT did not keep the order of the images.")
