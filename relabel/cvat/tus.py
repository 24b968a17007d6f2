"""Sends a large file in chunks, by the TUS protocol as CVAT speaks it.

What was cut off goes on where it stood, also in another process: the id of the upload is noted
before the first chunk travels. See https://tus.io/protocols/resumable-upload, version 1.0.0.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING

from .errors import (
    CvatConflict,
    CvatNotFound,
    CvatServerError,
    CvatThrottled,
    CvatUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import requests

    from .transport import Transport

CHUNK_BYTES = 16 * 2**20
"""What is held in memory of a large file, and what is sent again after a lost connection."""

_VERSION = {"Tus-Resumable": "1.0.0"}
_PASSING = (CvatConflict, CvatServerError, CvatThrottled, CvatUnreachable)
_TRIES = 5
_FIRST_PAUSE = 0.5


class ResumableUpload:
    """The upload of one file to a task.

    Args:
        transport: where to
        task_id: the task
        path: the file
        name: what it is called in the task
        upload_id: the upload that was begun earlier, or None
        note: hears the id of the upload before the first chunk is sent
    """

    def __init__(
        self,
        transport: Transport,
        task_id: int,
        path: Path,
        name: str,
        *,
        upload_id: str | None = None,
        note: Callable[[str], None],
    ) -> None:
        self._transport = transport
        self._data = f"/api/tasks/{task_id}/data/"
        self._path = path
        self._size = path.stat().st_size
        self._name = name
        self._upload_id = upload_id
        self._note = note
        self._reached = 0

    def send(self, progress: Callable[[int], None]) -> None:
        """Sends what the server does not have yet.

        A lost connection is taken up again, unless it is lost some times with nothing gained.

        Args:
            progress: hears how many bytes the server has, after each chunk

        Raises:
            CvatError: if the server refuses it, or stays away
            OSError: if the file cannot be read
        """
        tries = 0
        while True:
            before = self._reached
            try:
                self._send_rest(progress)
            except _PASSING:
                tries = 0 if self._reached > before else tries + 1
                if tries == _TRIES:
                    raise
                time.sleep(_FIRST_PAUSE * 2**tries)
            else:
                return

    def _send_rest(self, progress: Callable[[int], None]) -> None:
        self._reach(self._offset(), progress)
        with self._path.open("rb") as file:
            file.seek(self._reached)
            while chunk := file.read(CHUNK_BYTES):
                headers = {
                    "Upload-Offset": str(self._reached),
                    "Content-Type": "application/offset+octet-stream",
                }
                self._request("PATCH", str(self._upload_id), headers, chunk)
                self._reach(self._reached + len(chunk), progress)

    def _reach(self, offset: int, progress: Callable[[int], None]) -> None:
        self._reached = offset
        progress(offset)

    def _offset(self) -> int:
        """How many bytes the server has. It forgets an upload that is complete.

        One of another length is of a file that has changed since.
        """
        if self._upload_id is not None:
            try:
                answer = self._request("HEAD", self._upload_id)
                if int(answer.headers["Upload-Length"]) == self._size:
                    return int(answer.headers["Upload-Offset"])
            except CvatNotFound:
                pass
        try:
            self._begin()
        except CvatConflict:  # a file of that name is there, and only whole files are
            return self._size
        return 0

    def _begin(self) -> None:
        name = base64.b64encode(self._name.encode()).decode()
        headers = {"Upload-Length": str(self._size), "Upload-Metadata": f"filename {name}"}
        answer = self._request("POST", "", headers)
        # Behind a proxy the address may be one that only the server itself can reach.
        self._upload_id = answer.headers["Location"].rstrip("/").rpartition("/")[2]
        self._note(self._upload_id)

    def _request(
        self, method: str, upload_id: str, headers: dict[str, str] | None = None, data: bytes = b""
    ) -> requests.Response:
        return self._transport.request(
            method,
            f"{self._data}{upload_id}",
            headers=_VERSION | (headers or {}),
            data=data,
            timeout=self._transport.slow,
        )
