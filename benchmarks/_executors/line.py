"""A way to the database that can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from pymongo.uri_parser import parse_uri

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """A way to the database that can be cut: what goes through it is dropped at once.

    Args:
        host: the database's
        port: the database's
    """

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._silent_until = 0.0
        self.address = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Drops every connection; new ones are let through. Returns how many there were."""
        connections = list(self._open)
        for connection in connections:
            self._drop(connection)
        return len(connections)

    def silence(self, seconds: float) -> int:
        """Drops every connection, and for a while each new one. Returns how many there were."""
        self._silent_until = time.monotonic() + seconds
        return self.cut()

    def close(self) -> None:
        """Lets nothing through any more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if time.monotonic() < self._silent_until:
                    client.close()
                    continue
                server = socket.create_connection(self._to)
                self._open |= {client, server}
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ends, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._drop(source)
        self._drop(sink)

    def _drop(self, connection: socket.socket) -> None:
        self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    @property
    def uri(self) -> str:
        """For ``FIFTYONE_DATABASE_URI``."""
        host, port = self.address
        return f"mongodb://{host}:{port}/?directConnection=true"


@contextlib.contextmanager
def line_to(uri: str) -> Iterator[Line]:
    """A way to a database, open while the context is.

    Args:
        uri: the database's
    """
    [address] = parse_uri(uri)["nodelist"]
    with contextlib.closing(Line(*address)) as line:
        yield line
