"""FiftyOne's own CVAT backend works with the stand-in, unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    import fiftyone as fo

    from demo.cvat_server import RunningServer
    from tests.demo.cvat_server.client import Client


@pytest.fixture
def backend(server: RunningServer) -> dict[str, Any]:
    """Arguments that send the stock backend to the stand-in."""
    return {
        "backend": "cvat",
        "url": server.url,
        "username": "admin",
        "password": server.users["admin"],
    }


def test_round_trip__detections(dataset: fo.Dataset, backend: dict[str, Any], admin: Client):
    before = dataset.values("ground_truth.detections.bounding_box")
    results = dataset.annotate(
        "stock",
        label_field="ground_truth",
        classes=["cat", "dog"],
        segment_size=4,
        job_assignees=["anno1", "anno2"],
        **backend,
    )
    (task_id,) = results.task_ids
    jobs = admin.list(f"/api/jobs?task_id={task_id}")
    assert sorted(job["assignee"]["username"] for job in jobs) == ["anno1", "anno2"]

    labels = {label["name"]: label["id"] for label in admin.list(f"/api/labels?task_id={task_id}")}
    path = f"/api/jobs/{jobs[0]['id']}/annotations"
    shape = admin.json("GET", path)["shapes"][0]
    shape |= {"label_id": labels["dog"], "attributes": []}
    admin.json("PATCH", f"{path}?action=update", json={"shapes": [shape]})
    admin.json("PATCH", f"/api/jobs/{jobs[0]['id']}", json={"state": "completed"})

    loaded = dataset.load_annotation_results("stock", **backend)
    status = loaded.get_status()["ground_truth"][task_id]
    assert len(status["jobs"]) == 2
    dataset.load_annotations("stock", cleanup=True, **backend)
    assert dataset.count_values("ground_truth.detections.label") == {"cat": 5, "dog": 7}
    after = dataset.values("ground_truth.detections.bounding_box")
    for old, new in zip(before, after, strict=True):
        assert sorted(new) == [pytest.approx(box) for box in sorted(old)]
    gone = requests.get(
        f"{admin.url}/api/tasks/{task_id}",
        headers={"Authorization": f"Token {admin.token}"},
        timeout=30,
    )
    assert gone.status_code == 404


def test_round_trip__other_kinds_of_labels(dataset: fo.Dataset, backend: dict[str, Any]):
    schema = {
        "roads": {"type": "polylines", "classes": ["road"]},
        "noses": {"type": "keypoints", "classes": ["nose"]},
        "masks": {"type": "instances", "classes": ["thing"]},
        "scene": {
            "type": "classification",
            "classes": ["day", "night"],
            "attributes": {"weather": {"type": "select", "values": ["dry", "wet"]}},
        },
    }
    dataset.annotate("kinds", label_schema=schema, project_name="stock", **backend)
    dataset.load_annotations("kinds", cleanup=True, **backend)
    assert dataset.list_annotation_runs() == ["kinds"]
