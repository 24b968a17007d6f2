"""Short messages between an executor and its worker: JSON, one line each, over a socket."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any


class Channel:
    """One end of the line.

    Args:
        end: a connected socket, which the channel closes
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lines = end.makefile("r", encoding="utf-8")

    def send(self, message: dict[str, Any]) -> None:
        """Sends a message.

        Raises:
            OSError: if the other end is gone
        """
        self._end.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Waits for a message; None when the other end is gone."""
        line = self._lines.readline()
        return json.loads(line) if line.endswith("\n") else None

    def close(self) -> None:
        """Hangs up; who waits for a message here is told that there is none."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)  # a file that is being read cannot be closed
        self._lines.close()
        self._end.close()
