"""The least that the tests need to talk to the server."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any

import requests
from PIL import Image

_POLL_SECONDS = 0.02
_POLL_LIMIT = 20.0


def png(width: int = 64, height: int = 48) -> bytes:
    """A noisy image."""
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Client:
    """One user of a server."""

    url: str
    token: str

    def send(self, method: str, path: str, **more: Any) -> requests.Response:
        """One request with the token of the user."""
        headers = {"Authorization": f"Token {self.token}"} | more.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=60, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        """The body of an answer that must be a success."""
        answer = self.send(method, path, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None

    def list(self, path: str) -> list[dict[str, Any]]:
        """All results of a list, by id."""
        joint = "&" if "?" in path else "?"
        results: list[dict[str, Any]] = self.json("GET", f"{path}{joint}page_size=all")["results"]
        return sorted(results, key=lambda item: item["id"])

    def wait(self, rq_id: str) -> dict[str, Any]:
        """Polls a background request until it has ended."""
        deadline = time.monotonic() + _POLL_LIMIT
        while True:
            state: dict[str, Any] = self.json("GET", f"/api/requests/{rq_id}")
            if state["status"] in {"finished", "failed"}:
                return state
            assert time.monotonic() < deadline, "the background request does not end"
            time.sleep(_POLL_SECONDS)

    def upload(self, task_id: int, names: list[str], **fields: Any) -> dict[str, Any]:
        """Uploads images in one request; the ended background request."""
        files = [(f"client_files[{i}]", (name, png())) for i, name in enumerate(names)]
        data = {"image_quality": 70, **fields}
        answer = self.json("POST", f"/api/tasks/{task_id}/data", data=data, files=files)
        return self.wait(answer["rq_id"])

    def make_task(self, images: int, pattern: str = "img_{}.png", **body: Any) -> int:
        """A task with images; its id."""
        body = (
            {"name": "t"} | ({} if "project_id" in body else {"labels": [{"name": "cat"}]}) | body
        )
        task_id: int = self.json("POST", "/api/tasks", json=body)["id"]
        names = [pattern.format(number) for number in range(images)]
        assert self.upload(task_id, names)["status"] == "finished"
        return task_id
