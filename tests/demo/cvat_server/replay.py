"""Replays recorded exchanges against a server and compares the answers.

Ids, dates, colours and secrets of the recording stand for those of the server: the first time an
id of a kind is met it is paired with the server's, and from then on the pair must hold.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import requests
from PIL import Image

from tests.videos import write_video

RECORDED = Path(__file__).parent / "recorded"
_POLL_SECONDS = 0.02
_POLL_LIMIT = 20.0
_KIND_OF_KEY = {
    "task_id": "tasks", "project_id": "projects", "job_id": "jobs", "job": "jobs",
    "label_id": "labels", "parent_id": "labels", "spec_id": "attributes", "data": "data",
    "issue": "issues", "issue_id": "issues", "organization": "organizations",
    "organization_id": "organizations", "org_id": "organizations", "target_id": "tasks",
    "parent_job_id": "jobs",
}  # fmt: skip
_PATH_IDS = re.compile(
    r"\b(?P<kind>tasks|projects|jobs|labels|issues|comments|organizations|access_tokens|memberships"
    r"|settings)"
    r"/(?P<number>\d+)"
)
_OTHER_IDS = re.compile(
    r"(?P<key>(task|project|job|issue|target|label|spec|org)[-_]id)"
    r"(?P<between>=\"?|%3D|\"?: ?| `)(?P<number>\d+)"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_MASKED = {"key", "value", "color", "invitation"}


def load(name: str) -> list[dict[str, Any]]:
    """The exchanges of one recording."""
    content = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    exchanges: list[dict[str, Any]] = content["exchanges"]
    return exchanges


@dataclass
class Replay:
    """One run through a recording.

    Attributes:
        url: the server
        tokens: user name to legacy token
        pairs: kind to the pairs of recorded and real ids
    """

    url: str
    tokens: dict[str, str]
    pairs: dict[str, dict[int, int]] = field(default_factory=dict)
    _cut_lists: set[str] = field(default_factory=set)

    def run(self, exchange: dict[str, Any]) -> None:
        """Sends one request and compares the answer.

        Raises:
            AssertionError: when the answer differs
        """
        answer = self._send(exchange)
        if answer.status_code == 202 and "rq_id" in answer.text:
            self._wait(answer.json()["rq_id"])
        assert answer.status_code == exchange["status"], answer.text[:500]
        expected_type = exchange.get("content_type")
        if expected_type:
            assert answer.headers.get("content-type", "").split(";")[0] == expected_type
        if "json" in exchange:
            kind = _kind_of_path(exchange["request"]["path"])
            self._cut_lists = set(exchange.get("more", ()))
            self._compare(exchange["json"], answer.json(), kind, "body")
        elif "text" in exchange:
            assert answer.text == exchange["text"]
        for name, value in exchange.get("headers", {}).items():
            assert answer.headers.get(name) == value, name

    def _wait(self, rq_id: str) -> None:
        """Waits until a background request has ended."""
        headers = {"Authorization": f"Token {self.tokens['admin']}"}
        url = f"{self.url}/api/requests/{rq_id}"
        deadline = time.monotonic() + _POLL_LIMIT
        while requests.get(url, headers=headers, timeout=30).json()["status"] in {
            "queued",
            "started",
        }:
            assert time.monotonic() < deadline, "the background request does not end"
            time.sleep(_POLL_SECONDS)

    def _send(self, exchange: dict[str, Any]) -> requests.Response:
        request = exchange["request"]
        headers = dict(request.get("headers", {}))
        user = request.get("as")
        if user:
            headers["Authorization"] = f"Token {self.tokens[user]}"
        sent: dict[str, Any] = {}
        if "json" in request:
            sent["json"] = self._ours(request["json"], _kind_of_path(request["path"]))
        elif "body" in request:
            sent["data"] = self._text(request["body"]).encode()
        elif "multipart" in request:
            sent["files"] = [_part(*part) for part in request["multipart"]]
        path = self._text(request["path"])
        if "?filter=" in path:
            path = self._filtered(path)
        return requests.request(
            request["method"], self.url + path, headers=headers, timeout=30, **sent
        )

    def _ours(self, value: Any, kind: str) -> Any:
        """A recorded body with the ids of the server."""
        if isinstance(value, list):
            return [self._ours(item, kind) for item in value]
        if not isinstance(value, dict):
            return value
        body = {}
        for key, item in value.items():
            id_kind = _id_kind(kind, key)
            if id_kind and isinstance(item, int):
                body[key] = self.pairs.get(id_kind, {}).get(item, item)
            else:
                body[key] = self._ours(item, _inner_kind(kind, key))
        return body

    def _text(self, text: str) -> str:
        """A recorded path or address with the ids of the server."""

        def by_path(match: re.Match[str]) -> str:
            number = int(match["number"])
            return f"{match['kind']}/{self.pairs.get(match['kind'], {}).get(number, number)}"

        def by_key(match: re.Match[str]) -> str:
            of_job = match.string[: match.start()].endswith("target=job&")
            kind = "jobs" if of_job else _KIND_OF_KEY[match["key"].replace("-", "_")]
            number = int(match["number"])
            paired = self.pairs.get(kind, {}).get(number, number)
            return f"{match['key']}{match['between']}{paired}"

        return _OTHER_IDS.sub(by_key, _PATH_IDS.sub(by_path, text))

    def _filtered(self, path: str) -> str:
        """A path whose filter expression has the ids of the server."""
        address, _, expression = path.partition("?filter=")
        try:
            rules = json.loads(unquote_plus(expression))
        except ValueError:
            return path
        rules = self._rules(rules, _kind_of_path(path))
        return f"{address}?filter={quote_plus(json.dumps(rules))}"

    def _rules(self, rules: Any, kind: str) -> Any:
        if isinstance(rules, dict):
            return {key: self._rules(value, kind) for key, value in rules.items()}
        if not isinstance(rules, list):
            return rules
        if isinstance(rules[0], dict) and "var" in rules[0]:
            pairs = self.pairs.get(_id_kind(kind, rules[0]["var"]) or "", {})
            given = rules[1] if isinstance(rules[1], list) else [rules[1]]
            ids = [pairs.get(value, value) for value in given]
            return [rules[0], ids if isinstance(rules[1], list) else ids[0]]
        return [self._rules(value, kind) for value in rules]

    def _compare(self, expected: Any, actual: Any, kind: str, where: str) -> None:
        """Compares one value."""
        if isinstance(expected, dict):
            assert isinstance(actual, dict), where
            assert sorted(expected) == sorted(actual), where
            for key in sorted(expected, key=lambda name: (name != "id", name)):
                inner = f"{where}.{key}"
                self._compare_key(key, expected[key], actual[key], kind, inner)
        elif isinstance(expected, list):
            assert isinstance(actual, list), where
            if where.removeprefix("body") in self._cut_lists:
                actual = actual[: len(expected)]
            assert len(expected) == len(actual), where
            for index, (left, right) in enumerate(zip(expected, actual, strict=True)):
                self._compare(left, right, kind, f"{where}[{index}]")
        else:
            assert type(expected) is type(actual), f"{where}: {expected!r}, {actual!r}"
            if isinstance(expected, str):
                self._compare_text(expected, actual, where)
            else:
                assert expected == actual, where

    def _compare_key(self, key: str, expected: Any, actual: Any, kind: str, where: str) -> None:
        id_kind = _id_kind(kind, key)
        if id_kind and isinstance(expected, int):
            pairs = self.pairs.setdefault(id_kind, {})
            if expected not in pairs:
                assert actual not in pairs.values(), f"{where}: {actual} stands for another"
                pairs[expected] = actual
            assert pairs[expected] == actual, where
        elif key in _MASKED and isinstance(expected, str) and kind != "attributes":
            assert isinstance(actual, str), where
        else:
            self._compare(expected, actual, _inner_kind(kind, key), where)

    def _compare_text(self, expected: str, actual: str, where: str) -> None:
        if _DATE.fullmatch(expected):
            assert _DATE.fullmatch(actual), where
            return
        wanted = self._text(expected.replace("<url>", self.url))
        pattern = re.escape(wanted)
        for left_out in ("<server-path>", "<stack trace of the server left out>"):
            pattern = pattern.replace(re.escape(left_out), ".*")
        assert re.fullmatch(pattern, actual), f"{where}: {actual!r} is not {wanted!r}"


def _part(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return name, (None, value)
    return name, (value["filename"], _content(value), value["content_type"])


def _content(file: dict[str, Any]) -> bytes:
    """Bytes of an uploaded file: as recorded (``text``), zipped images, a video, or an image."""
    if "text" in file:
        text: str = file["text"]
        return text.encode("latin-1")
    if "video" in file:
        with tempfile.TemporaryDirectory() as folder:
            return write_video(Path(folder) / "film.mp4", file["video"]).read_bytes()
    buffer = io.BytesIO()
    if "zip" in file:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in file["zip"]:
                archive.writestr(name, _image())
        return buffer.getvalue()
    return _image()[: file.get("cut")]


def _image() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _kind_of_path(path: str) -> str:
    parts = unquote_plus(path).split("?")[0].strip("/").split("/")
    if parts[-1] in {"annotations", "self"}:
        return parts[-1]
    return parts[2] if parts[1] in {"auth", "quality", "consensus"} else parts[1]


def _inner_kind(kind: str, key: str) -> str:
    """The kind of the objects under a key of an object."""
    known = {"owner": "users", "assignee": "users", "user": "users", "sublabels": "labels",
             "labels": "labels", "attributes": "attributes", "tags": "tags", "tracks": "tracks",
             "shapes": "tracked_shapes" if kind == "tracks" else "shapes"}  # fmt: skip
    if key in known:
        return known[key]
    same = key in {"results", "values", "points"} or (key == "elements" and kind != "annotations")
    return kind if same else f"{kind}.{key}"


def _id_kind(kind: str, key: str) -> str | None:
    """The kind of the id under a key, None when it is no id or is compared as it is."""
    if key == "id":
        return None if kind in {"users", "requests", "self"} else kind
    return _KIND_OF_KEY.get(key)
