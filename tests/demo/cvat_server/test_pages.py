"""The pages on which a person corrects labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.demo.cvat_server.client import Client


@pytest.fixture
def job(admin: Client) -> Iterator[dict[str, Any]]:
    """One job with a cat and a dog on its first image."""
    labels = [{"name": "cat"}, {"name": "dog & <puppy>", "color": "#aa0000"}]
    task_id = admin.make_task(2, name="<b>task", labels=labels)
    cat, dog = admin.list(f"/api/labels?task_id={task_id}")
    boxes = [
        {"type": "rectangle", "frame": 0, "label_id": label["id"], "points": [5, 5, 30, 30]}
        for label in (cat, dog)
    ]
    path = f"/api/tasks/{task_id}/annotations"
    shapes = admin.json("PUT", path, json={"shapes": boxes})["shapes"]
    (row,) = admin.list(f"/api/jobs?task_id={task_id}")
    yield {
        "page": f"{admin.url}/tasks/{task_id}/jobs/{row['id']}",
        "id": row["id"],
        "task": task_id,
        "cat": cat["id"],
        "dog": dog["id"],
        "shapes": [shape["id"] for shape in shapes],
    }
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_job_page__shows_images_boxes_and_what_it_is(job: dict[str, Any]):
    text = requests.get(job["page"], timeout=30).text
    assert "It is not CVAT" in text
    assert text.count("<svg") == 2
    assert text.count("<rect") == 2
    assert 'stroke="#aa0000"' in text
    assert "dog &amp; &lt;puppy&gt;" in text
    assert "<b>task" not in text
    image = requests.get(f"{job['page'].split('/jobs')[0]}/frames/0", timeout=30)
    assert image.headers["content-type"] == "image/png"


def test_job_page__changes_a_label(admin: Client, job: dict[str, Any]):
    form = {"shape": job["shapes"][0], "label": job["dog"]}
    assert requests.post(job["page"], data=form, timeout=30).status_code == 200
    shapes = admin.json("GET", f"/api/jobs/{job['id']}/annotations")["shapes"]
    assert [(shape["id"], shape["label_id"]) for shape in shapes] == [
        (job["shapes"][0], job["dog"]),
        (job["shapes"][1], job["dog"]),
    ]


def test_job_page__deletes_a_shape(admin: Client, job: dict[str, Any]):
    requests.post(job["page"], data={"shape": job["shapes"][0]}, timeout=30)
    shapes = admin.json("GET", f"/api/jobs/{job['id']}/annotations")["shapes"]
    assert [shape["id"] for shape in shapes] == [job["shapes"][1]]


def test_job_page__completes_the_job(admin: Client, job: dict[str, Any]):
    requests.post(job["page"], data={"state": "completed"}, timeout=30)
    assert admin.json("GET", f"/api/jobs/{job['id']}")["state"] == "completed"


def test_job_page__form_of_another_site_is_refused(admin: Client, job: dict[str, Any]):
    answer = requests.post(
        job["page"],
        data={"state": "completed"},
        headers={"Origin": "http://elsewhere.example"},
        timeout=30,
    )
    assert answer.status_code == 403
    assert admin.json("GET", f"/api/jobs/{job['id']}")["state"] == "new"


def test_any_page__answers_to_its_own_name_only(job: dict[str, Any]):
    answer = requests.get(job["page"], headers={"Host": "elsewhere.example"}, timeout=30)
    assert answer.status_code == 400


def test_task_pages__lead_to_the_job(admin: Client, job: dict[str, Any]):
    tasks = requests.get(f"{admin.url}/tasks", timeout=30).text
    assert f'href="/tasks/{job["task"]}"' in tasks
    page = requests.get(f"{admin.url}/tasks/{job['task']}", timeout=30).text
    assert f'href="/tasks/{job["task"]}/jobs/{job["id"]}"' in page


def test_missing_page(admin: Client):
    assert requests.get(f"{admin.url}/tasks/99999999", timeout=30).status_code == 404
