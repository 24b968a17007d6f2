"""What moves dates, what two clients do to each other, and what a failed save leaves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.demo.cvat_server.client import Client


@pytest.fixture
def task(admin: Client) -> Iterator[dict[str, Any]]:
    """Five images in jobs of three and two; ``id``, ``jobs``, ``label``."""
    task_id = admin.make_task(5, segment_size=3)
    jobs = [job["id"] for job in admin.list(f"/api/jobs?task_id={task_id}")]
    (label,) = admin.list(f"/api/labels?task_id={task_id}")
    yield {"id": task_id, "jobs": jobs, "label": label["id"]}
    admin.json("DELETE", f"/api/tasks/{task_id}")


def _box(task: dict[str, Any], frame: int = 0, points: Any = (1, 2, 3, 4)) -> dict[str, Any]:
    shape = {"type": "rectangle", "frame": frame, "label_id": task["label"]}
    return shape | {"points": list(points)}


def test_updated_date__as_recorded(admin: Client, task: dict[str, Any]):
    path, (first, second) = f"/api/tasks/{task['id']}", task["jobs"]
    one = {"shapes": [_box(task)]}

    def moved(method: str, address: str, body: Any = None) -> tuple[bool, bool]:
        """Whether the date of the task and of the first job moved."""
        before = _dates()
        admin.json(method, address, json=body)
        after = _dates()
        return before[0] != after[0], before[1] != after[1]

    def _dates() -> tuple[str, str]:
        shown = (admin.json("GET", path), admin.json("GET", f"/api/jobs/{first}"))
        return shown[0]["updated_date"], shown[1]["updated_date"]

    save, other = f"/api/jobs/{first}/annotations", f"/api/jobs/{second}/annotations"
    assert moved("PUT", f"{path}/annotations", one) == (True, True)
    assert moved("PUT", f"{path}/annotations", one) == (True, True)
    assert moved("PUT", save, one) == (True, True)
    assert moved("PATCH", f"{path}/annotations?action=create", {}) == (False, False)
    assert moved("PATCH", f"{save}?action=update", {"shapes": []}) == (False, False)
    assert moved("PATCH", f"{save}?action=create", one) == (True, True)
    assert moved("GET", save) == (False, False)
    assert moved("PUT", other, {}) == (False, False)
    assert moved("PUT", other, {"shapes": [_box(task, 4)]}) == (True, False)
    assert moved("DELETE", save) == (True, True)
    assert moved("DELETE", save) == (False, False)
    assert moved("PATCH", f"/api/jobs/{first}", {"state": "in progress"}) == (False, True)
    assert moved("PATCH", f"/api/jobs/{first}", {"state": "in progress"}) == (False, True)
    assert moved("PATCH", path, {"name": "renamed"}) == (True, False)
    assert moved("PATCH", f"/api/jobs/{first}", {"assignee": 2}) == (False, True)
    assert moved("PATCH", path, {"labels": [{"name": "dog"}]}) == (True, True)


def test_jobs_filter__by_time_of_change(admin: Client, task: dict[str, Any]):
    first, second = task["jobs"]
    before = admin.json("GET", f"/api/jobs/{second}")["updated_date"]
    changed = admin.json("PATCH", f"/api/jobs/{first}", json={"state": "completed"})
    rules = f'{{">":[{{"var":"updated_date"}},"{changed["created_date"]}"]}}'
    found = admin.json("GET", f"/api/jobs?filter={rules}")
    assert first in {job["id"] for job in found["results"]}
    since = changed["updated_date"]
    rules = f'{{"<=":["{since}",{{"var":"updated_date"}},"2100-01-01T00:00:00Z"]}}'
    found = admin.json("GET", f"/api/jobs?filter={rules}")
    assert [job["id"] for job in found["results"]] == [first]
    assert before < changed["updated_date"]


def test_doubles__come_back_exactly(admin: Client, task: dict[str, Any]):
    sent = [0.1, 1 / 3, 123.45678901234568, 1e-07, 0.005, 2.675, 1000000000.1234568, -0.0]
    polygon = _box(task, 0, sent) | {"type": "polygon"}
    admin.json("PUT", f"/api/tasks/{task['id']}/annotations", json={"shapes": [polygon]})
    (shape,) = admin.json("GET", f"/api/tasks/{task['id']}/annotations")["shapes"]
    assert [value.hex() for value in shape["points"]] == [value.hex() for value in sent]


def test_two_replacements_at_once__are_not_locked(admin: Client, task: dict[str, Any]):
    """As on the real server: one set or both may be stored, never a mixture with lost ids."""
    path = f"/api/tasks/{task['id']}/annotations"
    bodies = [{"shapes": [_box(task, 0, (n, n, 9, 9))] * 300} for n in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda body: admin.json("PUT", path, json=body), bodies))
    stored = admin.json("GET", path)["shapes"]
    assert len(stored) in {300, 600}
    given = {shape["id"] for answer in answers for shape in answer["shapes"]}
    assert len(given) == 600
    assert {shape["id"] for shape in stored} <= given


def test_refused_replacement__has_cleared(admin: Client, task: dict[str, Any]):
    path = f"/api/tasks/{task['id']}/annotations"
    admin.json("PUT", path, json={"shapes": [_box(task)]})
    wrong = _box(task) | {"attributes": [{"spec_id": 99999999, "value": "a"}]}
    answer = admin.send("PUT", path, json={"shapes": [wrong]})
    assert (answer.status_code, answer.json()) == (400, ["spec_id `99999999` is invalid"])
    assert admin.json("GET", path)["shapes"] == []


def test_overlap__a_shape_is_stored_in_both_jobs_and_shown_once(admin: Client):
    task_id = admin.make_task(5, segment_size=3, overlap=1)
    (label,) = admin.list(f"/api/labels?task_id={task_id}")
    box = {"type": "rectangle", "frame": 2, "label_id": label["id"], "points": [1, 2, 3, 4]}
    path = f"/api/tasks/{task_id}/annotations"
    assert len(admin.json("PUT", path, json={"shapes": [box]})["shapes"]) == 1
    assert len(admin.json("GET", path)["shapes"]) == 1
    jobs = admin.list(f"/api/jobs?task_id={task_id}")
    assert [(job["start_frame"], job["stop_frame"]) for job in jobs] == [(0, 2), (2, 4)]
    ids = [
        admin.json("GET", f"/api/jobs/{job['id']}/annotations")["shapes"][0]["id"] for job in jobs
    ]
    assert len(set(ids)) == 2
    admin.json("DELETE", f"/api/tasks/{task_id}")


def test_update__of_a_track_over_two_jobs_is_refused(admin: Client, task: dict[str, Any]):
    path = f"/api/tasks/{task['id']}/annotations"
    shapes = [
        {"type": "rectangle", "frame": frame, "points": [frame, 0, 9, 9]} for frame in (0, 4)
    ]
    track = {"frame": 0, "label_id": task["label"], "shapes": shapes}
    made = admin.json("PATCH", f"{path}?action=create", json={"tracks": [track]})["tracks"]
    answer = admin.send("PATCH", f"{path}?action=update", json={"tracks": [{**made[0], **track}]})
    assert answer.status_code == 400
    assert answer.json().startswith("duplicate key value violates unique constraint")


def test_ten_thousand_boxes__in_one_request(admin: Client, task: dict[str, Any]):
    path = f"/api/tasks/{task['id']}/annotations"
    boxes = [_box(task, number % 5, (1, 1, 5 + number, 5)) for number in range(10_000)]
    answer = admin.json("PUT", path, json={"shapes": boxes})
    assert len({shape["id"] for shape in answer["shapes"]}) == 10_000
    assert len(admin.json("GET", path)["shapes"]) == 10_000
