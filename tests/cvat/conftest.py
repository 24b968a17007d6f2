"""A web server that answers as it is told, to see what the client makes of it."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, field

import pytest

from relabel.cvat import CvatConfig, Timeouts

ABOUT = {"name": "CVAT", "version": "2.73.0"}
SELF = {"id": 1, "username": "lead"}


@dataclass
class Answer:
    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    def bytes(self) -> bytes:
        return self.raw if self.raw is not None else json.dumps(self.body).encode()


@dataclass
class Scripted:
    """Answers each address with a queue of answers; the last one stays."""

    url: str = ""
    answers: dict[tuple[str, str], list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path] = list(answers)

    def seen(self, method: str, path: str) -> int:
        return sum(r[:2] == (method, path) for r in self.requests)


def _handler(script: Scripted):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            path = self.path.split("?")[0]
            script.requests.append(
                (self.command, path, dict(self.headers), self.rfile.read(length))
            )
            queue = script.answers.get(
                (self.command, path), [Answer(404, {"detail": "Not found."})]
            )
            answer = queue.pop(0) if len(queue) > 1 else queue[0]
            body = answer.bytes()
            self.send_response(answer.status)
            headers = {
                "Content-Type": "application/vnd.cvat+json",
                "Content-Length": str(len(body)),
                **answer.headers,
            }
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if int(headers["Content-Length"]) != len(body):
                self.close_connection = True

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def log_message(self, *_) -> None:
            pass

    return Handler


@pytest.fixture
def serve():
    """Starts scripted servers, with TLS if a context is given."""
    servers = []

    def start(context=None) -> Scripted:
        script = Scripted()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        script.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        script.on("GET", "/api/server/about", Answer(200, ABOUT))
        script.on("POST", "/api/auth/login", Answer(200, {"key": "t0ken"}))
        script.on("GET", "/api/users/self", Answer(200, SELF))
        return script

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def script(serve) -> Scripted:
    return serve()


@pytest.fixture
def config():
    """A configuration with short time-outs."""

    def config(url: str, **options) -> CvatConfig:
        options = {"username": "lead", "password": "s3cret", **options}
        return CvatConfig(url, timeouts=Timeouts(2, 2, 2, 5), **options)

    return config
