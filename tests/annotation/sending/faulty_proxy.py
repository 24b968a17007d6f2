"""A proxy before a CVAT that spoils the answer to one request."""

from __future__ import annotations

import http.server
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

FAULTS = ("401", "403", "429", "500", "502", "503", "page", "reset", "time-out", "cut off")
_PAGE = (200, {"Content-Type": "text/html"}, b"<html>Log in to the proxy</html>")
_DONE_FIRST = {"502", "reset", "time-out", "cut off"}  # the server did what it was asked for
HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "host"}


@dataclass
class FaultyProxy:
    """Passes requests on, and counts them.

    Args:
        target: the address of the server
        timeout: how long it keeps a client waiting for an answer that does not come
    """

    target: str
    timeout: float
    url: str = ""
    fault: str | None = None
    left: int = 0
    seen: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def spoil(self, number: int, fault: str) -> None:
        """Spoils the answer to the request of that number, counted from now on."""
        with self.lock:
            self.seen.clear()
            self.left, self.fault = number, fault

    def take(self, line: str) -> str | None:
        with self.lock:
            self.seen.append(line)
            self.left -= 1
            return self.fault if self.left == 0 else None


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: FaultyProxy
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.take(f"{self.command} {self.path}")
        if fault and fault not in _DONE_FIRST:
            refusal = (fault, {"Retry-After": "0"}, b'{"detail": "spoiled"}')
            self._answer(*(_PAGE if fault == "page" else refusal))
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
        done = requests.request(
            self.command, self.proxy.target + self.path, data=body, headers=headers, timeout=60
        )
        self._spoil(fault, done)

    def _spoil(self, fault: str | None, done: requests.Response) -> None:
        kept = {k: v for k, v in done.headers.items() if k.lower() not in HOP}
        if fault == "502":
            self._answer(502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            self.close_connection = True  # else it waits here, and only the client's patience ends
        elif fault == "time-out":
            time.sleep(2 * self.proxy.timeout)
            self.close_connection = True
        else:
            cut = len(done.content) // 2 if fault and done.content else None
            self._answer(done.status_code, kept, done.content, cut)

    def _answer(self, status, headers, body, cut=None) -> None:
        self.send_response(int(status))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on  # noqa: N815

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            self.close_connection = True  # it was reset on purpose

    def log_message(self, *_) -> None:
        pass


@contextmanager
def faulty_proxy(target: str, timeout: float):
    """Runs a proxy before a server."""
    proxy = FaultyProxy(target, timeout)
    with answering(type("Handler", (_Handler,), {"proxy": proxy})) as proxy.url:
        yield proxy


@contextmanager
def answering(handler: type[http.server.BaseHTTPRequestHandler]):
    """Runs a web server; gives its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
