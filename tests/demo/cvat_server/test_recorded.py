"""What a real CVAT 2.73.0 answered, asked again: the stand-in gives the same answers.

The recordings hold the request, the status, the content type and the body. ``settings`` makes what
a recording takes for granted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.demo.cvat_server import replay
from tests.demo.cvat_server.client import png
from tests.demo.cvat_server.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.cvat_server import RunningServer
    from tests.demo.cvat_server.client import Client


def _nothing(_: Client, __: Replay) -> None:
    """The recording makes all it needs."""


def _task(
    admin: Client, run: Replay, number: int, jobs: list[int], images: int, **more: Any
) -> int:
    """A task that stands for the recorded one with that number, as do its jobs."""
    task_id = admin.make_task(images, **more)
    run.pairs.setdefault("tasks", {})[number] = task_id
    own = [job["id"] for job in admin.list(f"/api/jobs?task_id={task_id}")]
    run.pairs.setdefault("jobs", {}).update(zip(jobs, own, strict=True))
    return task_id


def _project(admin: Client, run: Replay, number: int, **body: Any) -> int:
    project_id: int = admin.json("POST", "/api/projects", json=body)["id"]
    run.pairs["projects"] = {number: project_id}
    return project_id


def _jobs(admin: Client, run: Replay) -> None:
    project = _project(admin, run, 18, name="jobs", labels=[{"name": "cat"}])
    first = [210, 211, 212, 213, 214]
    _task(admin, run, 257, first, 5, segment_size=1, name="j1", project_id=project)
    _task(admin, run, 258, [215], 5, name="j2")
    _task(admin, run, 259, list(range(216, 228)), 12, segment_size=1, name="many")


def _annotations(admin: Client, run: Replay) -> None:
    shown = next(
        exchange for exchange in replay.load("annotations") if "labels" in exchange["title"]
    )
    labels = [_as_sent(label) for label in shown["json"]["results"]]
    _task(admin, run, 210, [154, 155], 5, segment_size=3, name="ann2", labels=labels)


def _as_sent(label: dict[str, Any]) -> dict[str, Any]:
    """A label as it was when the task was made."""
    sent: dict[str, Any] = {"name": label["name"], "type": label["type"]}
    sent["attributes"] = [
        {key: value for key, value in attribute.items() if key != "id"}
        for attribute in label["attributes"]
    ]
    sent["sublabels"] = [_as_sent(child) for child in label.get("sublabels", ())]
    svg = label.get("svg", "")
    for child in label.get("sublabels", ()):
        svg = svg.replace(f'data-label-id="{child["id"]}"', f'data-label-name="{child["name"]}"')
    return sent | ({"svg": svg} if svg else {})


def _tracks(admin: Client, run: Replay) -> None:
    """The recording is of a video; images with the same jobs must give the same tracks."""
    attributes = [
        _select("side", ["a", "b"], "b", mutable=False),
        _select("pose", ["x", "y"], "x", mutable=True),
        _select("far", ["false"], "false", mutable=True),
    ]
    labels = [{"name": "car", "attributes": attributes}]
    jobs = [230, 231, 232]
    task_id = _task(admin, run, 262, jobs, 20, segment_size=8, overlap=2, labels=labels)
    (label,) = admin.list(f"/api/labels?task_id={task_id}")
    run.pairs["labels"] = {322: label["id"]}
    own = [attribute["id"] for attribute in label["attributes"]]
    run.pairs["attributes"] = dict(zip((95, 96, 97), own, strict=True))


def _select(name: str, values: list[str], default: str, *, mutable: bool) -> dict[str, Any]:
    return {
        "name": name,
        "input_type": "select",
        "mutable": mutable,
        "values": values,
        "default_value": default,
    }


def _ground_truth(admin: Client, run: Replay) -> None:
    attributes = [_select("side", ["a", "b"], "b", mutable=False)]
    labels = [{"name": "cat", "attributes": attributes}, {"name": "dog"}]
    project = _project(admin, run, 15, name="q", labels=labels)
    images = {"images": 6, "pattern": "{}.png"}
    _task(admin, run, 217, [164, 165], **images, segment_size=3, name="q1", project_id=project)
    run.pairs["tasks"][218] = admin.make_task(1)
    cat, dog = admin.list(f"/api/labels?project_id={project}")
    run.pairs["labels"] = {276: cat["id"], 277: dog["id"]}
    run.pairs["attributes"] = {81: cat["attributes"][0]["id"]}


def _honeypots(admin: Client, run: Replay) -> None:
    """The files are there; the recordings end the upload."""
    for number in (220, 221):
        body = {"name": "i_quality", "labels": [{"name": "cat"}], "segment_size": 3}
        task_id = admin.json("POST", "/api/tasks", json=body)["id"]
        run.pairs.setdefault("tasks", {})[number] = task_id
        files = [(f"client_files[{i}]", (f"{i}.png", png())) for i in range(8)]
        path, headers = f"/api/tasks/{task_id}/data/", {"Upload-Multiple": "true"}
        admin.send("POST", path, headers=headers, data={"image_quality": 70}, files=files)


def _replicas(admin: Client, run: Replay) -> None:
    options = {"consensus_replicas": 2, "segment_size": 3, "name": "i_quality"}
    task_id = _task(admin, run, 222, list(range(173, 179)), 5, **options)
    (label,) = admin.list(f"/api/labels?task_id={task_id}")
    run.pairs["labels"] = {282: label["id"]}


def _merged_replicas(admin: Client, run: Replay) -> None:
    """Both replicas of each job are done; those of the first have drawn a box."""
    _replicas(admin, run)
    for exchange in replay.load("replicas"):
        if exchange["request"]["method"] == "PUT":
            run.run(exchange)
    for number in (174, 175, 177, 178):
        path = f"/api/jobs/{run.pairs['jobs'][number]}"
        admin.json("PATCH", path, json={"state": "completed"})


def _issues(admin: Client, run: Replay) -> None:
    _task(admin, run, 223, [179, 180], 5, segment_size=3, name="iss")
    admin.json("PATCH", f"/api/jobs/{run.pairs['jobs'][179]}", json={"assignee": 2})


def _deletion(admin: Client, run: Replay) -> None:
    """The tasks must be in a project that the recording makes first."""
    run.run(replay.load("deletion")[0])
    project = run.pairs["projects"][17]
    _task(admin, run, 230, [183], 1, name="d1", project_id=project)
    _task(admin, run, 231, [184], 5, name="d2", project_id=project)


SETTINGS: dict[str, Callable[[Client, Replay], None]] = {
    "log_in": _nothing,
    "projects_and_tasks": _nothing,
    "labels": _nothing,
    "upload": _nothing,
    "upload_in_parts": _nothing,
    "upload_failures": _nothing,
    "video": _nothing,
    "jobs": _jobs,
    "annotations": _annotations,
    "tracks": _tracks,
    "ground_truth": _ground_truth,
    "honeypots": _honeypots,
    "replicas": _replicas,
    "merged_replicas": _merged_replicas,
    "issues": _issues,
    "organizations": _nothing,
    "deletion": _deletion,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_recorded_exchanges(
    server: RunningServer, admin: Client, tokens: dict[str, str], name: str
):
    for kind in ("tasks", "projects", "organizations"):  # lists show all there is
        for item in admin.list(f"/api/{kind}"):
            admin.json("DELETE", f"/api/{kind}/{item['id']}")
    run = Replay(server.url, tokens)
    SETTINGS[name](admin, run)
    exchanges = replay.load(name)
    if name == "deletion":
        exchanges = exchanges[1:]
    differences = []
    for exchange in exchanges:
        try:
            run.run(exchange)
        except AssertionError as error:
            request = exchange["request"]
            differences.append(
                f"{exchange['title']}\n  {request['method']} {request['path']} "
                f"{json.dumps(request.get('json'))[:200]}\n  {str(error).splitlines()[0]}"
            )
    assert not differences, "\n".join(differences)


def test_every_recording_is_replayed():
    assert sorted(path.stem for path in replay.RECORDED.glob("*.json")) == sorted(SETTINGS)
