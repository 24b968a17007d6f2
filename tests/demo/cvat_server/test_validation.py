"""Ground truth and honeypots, as far as chance keeps recordings from being replayed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from demo.cvat_server import validation
from tests.demo.cvat_server.client import png

if TYPE_CHECKING:
    from tests.demo.cvat_server.client import Client

NAMES = [f"{number}.png" for number in range(8)]


def _finish(admin: Client, names: list[str], task: dict[str, Any], **data: Any) -> tuple[int, str]:
    """A task whose upload is ended with JSON; its id and how that ended."""
    body = {"name": "t", "labels": [{"name": "cat"}], **task}
    task_id = admin.json("POST", "/api/tasks", json=body)["id"]
    path = f"/api/tasks/{task_id}/data/"
    files = [(f"client_files[{index}]", (name, png())) for index, name in enumerate(names)]
    admin.send("POST", path, headers={"Upload-Multiple": "true"}, files=files)
    headers = {"Upload-Finish": "true"}
    answer = admin.json("POST", path, headers=headers, json={"image_quality": 70, **data})
    return task_id, admin.wait(answer["rq_id"])["status"]


@pytest.fixture
def honeypots(admin: Client) -> int:
    params = {
        "mode": "gt_pool",
        "frame_selection_method": "manual",
        "frames": ["1.png", "0.png"],
        "frames_per_job_count": 1,
    }
    data = {"sorting_method": "random", "validation_params": params}
    task_id, status = _finish(admin, NAMES, {"segment_size": 3}, **data)
    assert status == "finished"
    return task_id


def _names(admin: Client, task_id: int) -> list[str]:
    meta = admin.json("GET", f"/api/tasks/{task_id}/data/meta")
    return [frame["name"] for frame in meta["frames"]]


def test_honeypots__repeat_the_pool_in_each_job(admin: Client, honeypots: int):
    names = _names(admin, honeypots)
    assert names[8:] == ["0.png", "1.png"]
    first, second, truth = admin.list(f"/api/jobs?task_id={honeypots}")
    spans = [(job["start_frame"], job["stop_frame"]) for job in (first, second, truth)]
    assert spans == [(0, 3), (4, 7), (8, 9)]
    for start, stop in spans[:2]:
        counts = Counter(name in names[8:] for name in names[start : stop + 1])
        assert counts == {False: 3, True: 1}
    once = [name for name in names[:8] if name not in names[8:]]
    assert sorted(once) == NAMES[2:]


def test_honeypots__layout_names_what_each_repeats(admin: Client, honeypots: int):
    names = _names(admin, honeypots)
    layout = admin.json("GET", f"/api/tasks/{honeypots}/validation_layout")
    assert layout["mode"] == "gt_pool"
    assert layout["validation_frames"] == [8, 9]
    pairs = zip(layout["honeypot_frames"], layout["honeypot_real_frames"], strict=True)
    for honeypot, real in pairs:
        assert names[honeypot] == names[real]
    first, *_ = admin.list(f"/api/jobs?task_id={honeypots}")
    own = admin.json("GET", f"/api/jobs/{first['id']}/validation_layout")
    assert own["honeypot_frames"] == layout["honeypot_frames"][:1]


def test_honeypots__shapes_on_the_pool_are_dropped_by_a_put_to_the_task(
    admin: Client, honeypots: int
):
    (label,) = admin.list(f"/api/labels?task_id={honeypots}")
    shapes = [
        {"type": "rectangle", "frame": frame, "label_id": label["id"], "points": [1, 1, 2, 2]}
        for frame in range(10)
    ]
    path = f"/api/tasks/{honeypots}/annotations"
    put = admin.json("PUT", path, json={"shapes": shapes})
    assert [shape["frame"] for shape in put["shapes"]] == list(range(8))


def test_ground_truth__frames_by_name(admin: Client):
    params = {"mode": "gt", "frame_selection_method": "manual", "frames": ["5.png", "2.png"]}
    data = {"sorting_method": "predefined", "upload_file_order": NAMES[::-1]}
    task_id, status = _finish(admin, NAMES, {}, validation_params=params, **data)
    assert status == "finished"
    assert _names(admin, task_id) == NAMES[::-1]
    layout = admin.json("GET", f"/api/tasks/{task_id}/validation_layout")
    assert layout["validation_frames"] == [2, 5]


def test_ground_truth__a_name_that_is_not_there_fails_late(admin: Client):
    params = {"mode": "gt", "frame_selection_method": "manual", "frames": ["9.png"]}
    assert _finish(admin, NAMES, {}, validation_params=params)[1] == "failed"


def test_ground_truth__some_of_each_job(admin: Client):
    task_id = admin.make_task(8, segment_size=3)
    body = {"type": "ground_truth", "task_id": task_id, "frames_per_job_count": 1}
    job = admin.json(
        "POST", "/api/jobs", json={**body, "frame_selection_method": "random_per_job"}
    )
    meta = admin.json("GET", f"/api/jobs/{job['id']}/data/meta")
    assert [frame // 3 for frame in meta["included_frames"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"mode": "?"}, "mode"),
        ({"mode": "gt"}, "frame_selection_method"),
        ({"mode": "gt", "frame_selection_method": "manual"}, "frames"),
        (
            {"mode": "gt_pool", "frame_selection_method": "random_per_job"},
            "frame_selection_method",
        ),
        (
            {"mode": "gt_pool", "frame_selection_method": "manual", "frames": ["a"]},
            "frames_per_job_count",
        ),
    ],
)
def test_params_problems__names_the_field(params: dict[str, Any], field: str):
    modes = (validation.GROUND_TRUTH, validation.POOL)
    assert list(validation.params_problems(params, modes)) == [field]
