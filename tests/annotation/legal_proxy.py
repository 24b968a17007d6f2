"""A proxy before a CVAT that changes what the API leaves open, and nothing of what it promises.

- lists are paged by ten, whatever is asked for; their links name a host that nobody can reach
- what has no promised order comes in another: shapes, tracks, tags, attributes, nodes, requests
- every object has keys that nobody knows; whole numbers are written without a point
- what runs in the background needs some questions until it is done
- answers are compressed and chunked, and the connection ends after each
"""

from __future__ import annotations

import gzip
import http.server
import json
import random
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.annotation.sending.faulty_proxy import HOP, answering

PAGE_SIZE = 10
ELSEWHERE = "http://cvat.internal:8080"
_UNORDERED = {"shapes", "tags", "tracks", "attributes", "elements", "sublabels"}
_LINKS = {"next", "previous", "url", "result_url"}
_ON_THE_WAY = ("queued", "started")


@dataclass
class LegalProxy:
    """Passes requests on.

    Args:
        target: the address of the server
    """

    target: str
    asked: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(51))

    def narrowed(self, path: str) -> str:
        """A request for a page of a list, as it goes on to the server."""
        parts = urlsplit(path)
        query = parse_qs(parts.query, keep_blank_values=True)
        if "page_size" in query:
            query["page_size"] = [str(PAGE_SIZE)]
        return f"{parts.path}?{urlencode(query, doseq=True)}" if query else path

    def retold(self, path: str, body: Any) -> Any:
        """An answer in JSON, said otherwise."""
        if path.startswith("/api/requests"):
            for item in body.get("results", [body]):
                self._hold_back(item)
        if isinstance(body, dict) and "results" in body and "sort=" not in path:
            self.chance.shuffle(body["results"])
        return self._told(body)

    def _hold_back(self, item: dict[str, Any]) -> None:
        times, self.asked[item["id"]] = self.asked[item["id"]], self.asked[item["id"]] + 1
        if times < len(_ON_THE_WAY):
            item |= {"status": _ON_THE_WAY[times], "finished_date": None, "progress": 0.5}

    def _told(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            told = {name: self._told(item, name) for name, item in value.items()}
            return told | {"future": {"id": 1, "name": "cat", "type": "tag", "results": []}}
        if isinstance(value, list):
            told = [self._told(item) for item in value]
            if key in _UNORDERED:
                self.chance.shuffle(told)
            return told
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if key in _LINKS and isinstance(value, str):
            return value.replace(self.target, ELSEWHERE)
        return value


class _Handler(http.server.BaseHTTPRequestHandler):
    proxy: LegalProxy
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        done = requests.request(
            self.command,
            self.proxy.target + self.proxy.narrowed(self.path),
            data=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            headers={k: v for k, v in self.headers.items() if k.lower() not in HOP},
            timeout=60,
        )
        content = done.content
        if content and "json" in done.headers.get("Content-Type", ""):
            content = json.dumps(self.proxy.retold(self.path, done.json())).encode()
        self.send_response(done.status_code)
        for name, value in done.raw.headers.iteritems():
            if name.lower() not in HOP:
                self.send_header(name.lower(), value.replace(self.proxy.target, ELSEWHERE))
        self.send_header("connection", "close")
        if content and self.command != "HEAD":
            self._send_in_pieces(content)
        else:
            if done.status_code != requests.codes.no_content:
                self.send_header("content-length", "0")
            self.end_headers()
        self.close_connection = True

    def _send_in_pieces(self, content: bytes) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            content = gzip.compress(content, 1)
            self.send_header("content-encoding", "gzip")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        half = len(content) // 2
        for piece in filter(None, (content[:half], content[half:])):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, *_) -> None:
        pass


@contextmanager
def legal_proxy(target: str):
    """Runs a proxy before a server; gives its address."""
    with answering(type("Handler", (_Handler,), {"proxy": LegalProxy(target)})) as url:
        yield url
