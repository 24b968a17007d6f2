"""Who may assign, who may create, and what an organization changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.demo.cvat_server.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.cvat_server import RunningServer

TASK = {"name": "t", "labels": [{"name": "cat"}]}
DENIED = {"detail": "You do not have permission to perform this action."}


@pytest.fixture
def people(server: RunningServer, admin: Client, worker: Client) -> dict[str, Client]:
    """Users by name; ``reviewer1`` with a new token, as other tests end its tokens."""
    body = {"username": "reviewer1", "password": server.users["reviewer1"]}
    key = requests.post(f"{server.url}/api/auth/login", json=body, timeout=30).json()["key"]
    return {"admin": admin, "anno1": worker, "reviewer1": Client(server.url, key)}


@pytest.fixture
def team(people: dict[str, Client]) -> Iterator[dict[str, str]]:
    """The header of an organization with a worker and a supervisor."""
    admin = people["admin"]
    made = admin.json("POST", "/api/organizations", json={"slug": "team"})
    header = {"X-Organization": "team"}
    for name, role in (("anno1", "worker"), ("reviewer1", "supervisor")):
        body = {"email": f"{name}@example.com", "role": role}
        admin.json("POST", "/api/invitations", json=body, headers=header)
    yield header
    admin.send("DELETE", f"/api/organizations/{made['id']}")


def _refused(client: Client, method: str, path: str, **more: Any) -> bool:
    answer = client.send(method, path, **more)
    return answer.status_code == 403 and answer.json() == DENIED


def test_plain_user__assigns_itself_only(worker: Client):
    task_id = worker.make_task(1)
    path = f"/api/tasks/{task_id}"
    (job,) = worker.list(f"/api/jobs?task_id={task_id}")
    assert _refused(worker, "PATCH", path, json={"assignee_id": 3})
    assert _refused(worker, "PATCH", f"/api/jobs/{job['id']}", json={"assignee": 4})
    assert _refused(worker, "POST", "/api/tasks", json=TASK | {"assignee_id": 3})
    shown = worker.json("PATCH", path, json={"assignee_id": 2})
    assert shown["assignee"]["username"] == "anno1"
    worker.json("DELETE", path)


def test_assignee_of_a_task__sees_all_its_jobs_and_cannot_delete_it(admin: Client, worker: Client):
    task_id = admin.make_task(2, segment_size=1)
    path = f"/api/tasks/{task_id}"
    assert _refused(worker, "GET", path)
    admin.json("PATCH", path, json={"assignee_id": 2})
    assert len(worker.list(f"/api/jobs?task_id={task_id}")) == 2
    assert worker.json("GET", f"/api/labels?task_id={task_id}")["count"] == 1
    assert _refused(worker, "DELETE", path)
    admin.json("DELETE", path)


def test_assignee_of_a_job__may_set_state_but_not_stage(admin: Client, worker: Client):
    task_id = admin.make_task(2, segment_size=1)
    first, second = admin.list(f"/api/jobs?task_id={task_id}")
    path = f"/api/jobs/{first['id']}"
    admin.json("PATCH", path, json={"assignee": 2, "stage": "validation"})
    assert worker.json("PATCH", path, json={"state": "completed"})["state"] == "completed"
    assert worker.json("GET", path)["task_name"] is None
    assert worker.json("PUT", f"{path}/annotations", json={"shapes": []})["shapes"] == []
    assert _refused(worker, "PATCH", path, json={"stage": "acceptance"})
    assert _refused(worker, "PATCH", path, json={"assignee": 3})
    assert _refused(worker, "GET", f"/api/jobs/{second['id']}")
    assert _refused(worker, "GET", f"/api/tasks/{task_id}/annotations")
    assert [job["id"] for job in worker.list(f"/api/jobs?task_id={task_id}")] == [first["id"]]
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_organization__roles(people: dict[str, Client], team: dict[str, str]):
    worker, supervisor = people["anno1"], people["reviewer1"]
    assert _refused(worker, "POST", "/api/tasks", json=TASK, headers=team)
    made = supervisor.json("POST", "/api/tasks", json=TASK | {"assignee_id": 2}, headers=team)
    path = f"/api/tasks/{made['id']}"
    assert worker.json("GET", path)["name"] == "t"
    shown = supervisor.json("PATCH", path, json={"assignee_id": 3})
    assert shown["assignee"]["username"] == "anno2"
    assert _refused(worker, "GET", path)
    people["admin"].json("DELETE", path)


def test_organization__members_see_each_other(people: dict[str, Client], team: dict[str, str]):
    worker = people["anno1"]
    assert [user["username"] for user in worker.list("/api/users")] == ["anno1"]
    found = worker.json("GET", "/api/users?search=reviewer", headers=team)["results"]
    assert [user["username"] for user in found] == ["reviewer1"]
    assert "email" not in found[0]


def test_organization__gone_its_tasks_become_personal(
    people: dict[str, Client], team: dict[str, str]
):
    admin = people["admin"]
    made = admin.json("POST", "/api/tasks", json=TASK, headers=team)
    admin.json("DELETE", f"/api/organizations/{made['organization']}")
    path = f"/api/tasks/{made['id']}"
    assert admin.json("GET", path)["organization"] is None
    admin.json("DELETE", path)
