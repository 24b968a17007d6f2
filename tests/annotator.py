"""A person who works in CVAT, over the same requests as CVAT's own editor sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from demo.cvat_server import RunningServer


class Annotator:
    """One user of a CVAT.

    Args:
        server: the CVAT
        name: who
    """

    def __init__(self, server: RunningServer, name: str) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.auth = (name, server.users[name])

    def jobs(self, task_id: int) -> list[dict[str, Any]]:
        """The jobs of a task, in the order of its images."""
        jobs = self._call("GET", "/api/jobs", params={"task_id": task_id})["results"]
        return sorted(jobs, key=lambda job: job["start_frame"])

    def tasks(self, name: str) -> list[dict[str, Any]]:
        """The tasks of a name."""
        return self._call("GET", "/api/tasks", params={"name": name})["results"]

    def move_first_box(self, job_id: int, by: float) -> None:
        """Moves the first box of a job to the right, in pixels."""
        path = f"/api/jobs/{job_id}/annotations"
        shape = self._call("GET", path)["shapes"][0]
        left, top, right, bottom = shape["points"]
        shape["points"] = [left + by, top, right + by, bottom]
        body = {"version": 0, "tags": [], "tracks": [], "shapes": [shape]}
        self._call("PATCH", path, params={"action": "update"}, json=body)

    def delete_last_box(self, job_id: int) -> None:
        """Deletes the last box of a job."""
        path = f"/api/jobs/{job_id}/annotations"
        shape = self._call("GET", path)["shapes"][-1]
        body = {"version": 0, "tags": [], "tracks": [], "shapes": [shape]}
        self._call("PATCH", path, params={"action": "delete"}, json=body)

    def set_state(self, job_id: int, state: str) -> None:
        """Says how far a job is."""
        self._call("PATCH", f"/api/jobs/{job_id}", json={"state": state})

    def _call(self, method: str, path: str, **options: Any) -> Any:
        response = self._session.request(method, self._url + path, timeout=30, **options)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return response.json()
