"""The exchange with CVAT: Relabel beside stock FiftyOne, on the same server in one run.

    .venv/bin/python benchmarks/exchange.py [--only sending|pulling|scale]

- ``sending``: 300 PNG images of 640x480 (about 120 MB) with 2,400 boxes go to CVAT as one task of
  one job, and as 30 tasks
- ``pulling``: the same images as one task of 30 jobs; annotators move a box of ten in each job,
  three times, and each time the round is pulled
- ``scale``: 10,000 small images with 100,000 boxes go as 20 tasks of 1,000 jobs, whose status is
  asked for; one of those jobs is changed and pulled; one box in ten, and then each, is moved
  and merged

Both sides do the same in turn, each step in a process of its own that is logged in already. A
figure for a merge is the seconds of a whole pull less those in which it waits for the server: what
is left is reading the answers, comparing and writing; what our side reads and saves while it waits
is hidden in the waiting. The seconds of the whole pull are printed too. The server is the one that
FIFTYONE_CVAT_URL names, else the demo's stand-in.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _exchange.edits import move_boxes
from _exchange.images import copy_dataset, make_dataset
from _measuring import MB, at_most, faster, figure

from demo.world import demo_world

SIDES = ("ours", "stock")
IMAGES, SIZE, BOXES, JOBS, TASKS = 300, (640, 480), 8, 30, 30
MANY, MANY_SIZE, MANY_BOXES, MANY_PER_TASK, MANY_PER_JOB = 10_000, (64, 64), 10, 500, 10
TURNS = 3
MOVED = {"1 in 10 moved": 10, "all moved": 1}

Figures = list[dict[str, Any]]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(take_step(*options.step)))
        return
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with (
        tempfile.TemporaryDirectory(prefix="relabel-exchange-") as folder,
        demo_world(Path(folder)),
    ):
        parts = [options.only] if options.only else PARTS
        print(json.dumps([line for part in parts for line in PARTS[part](Path(folder) / part)]))


# One step of one side, in a process of its own


def step(side: str, action: str, dataset: str, **options: Any) -> dict[str, Any]:
    """Takes a step; see :mod:`_exchange.ours`."""
    command = [sys.executable, __file__, "--step", f"{side}.{action}"]
    command.append(json.dumps({"name": dataset, **options}))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{side}.{action} failed:\n{done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if result:
        shown = {key: value for key, value in result.items() if key != "jobs"}
        print(f"{side:>6} {action}: " + ", ".join(f"{k} {v:.1f}" for k, v in shown.items()))
    return result


def take_step(name: str, options: str) -> dict[str, Any]:
    """What the process of a step does."""
    from _exchange import ours, stock

    side, function = name.split(".")
    module = {"ours": ours, "stock": stock}[side]
    return getattr(module, function)(**json.loads(options)) or {}


# The parts


def measure_sending(folder: Path) -> Figures:
    """A push of one task, and of many."""
    name = make_dataset(folder, "sending", IMAGES, SIZE, BOXES)
    media_mb = sum(path.stat().st_size for path in folder.iterdir()) / MB
    print(f"{IMAGES} images, {media_mb:.0f} MB, {IMAGES * BOXES} boxes")
    one: dict[str, Figures] = {side: [] for side in SIDES}
    for _ in range(TURNS):
        for side, results in one.items():
            results.append(_send_and_remove(side, name))
    many = {side: _send_and_remove(side, name, IMAGES // TASKS) for side in SIDES}

    def median(key: str) -> tuple[float, float]:
        ours, stock = (statistics.median(run[key] for run in one[side]) for side in SIDES)
        return ours, stock

    in_tasks = f"send {IMAGES} images in {TASKS} tasks"
    ours, stock = many["ours"], many["stock"]
    return [
        faster(f"send {IMAGES} images", *median("seconds")),
        at_most(
            f"send {IMAGES} images, requests",
            *median("requests"),
            15 + media_mb / 10,
            f"15 + {media_mb:.0f} MB / 10 MB",
        ),
        at_most(f"send {IMAGES} images, extra memory in MB", *median("memory_mb"), 64),
        faster(in_tasks, ours["seconds"], stock["seconds"], 3),
        at_most(
            f"{in_tasks}, requests",
            ours["requests"],
            stock["requests"],
            4 * TASKS + 10,
            "4 for each task + 10",
        ),
    ]


def _send_and_remove(side: str, name: str, images_per_task: int | None = None) -> dict[str, Any]:
    sent = step(side, "send_round", name, images_per_job=None, images_per_task=images_per_task)
    step(side, "remove_round", name)
    return sent


def measure_pulling(folder: Path) -> Figures:
    """Status and pulls of one task of many jobs."""
    original = make_dataset(folder, "pulling", IMAGES, SIZE, BOXES)
    names = {side: copy_dataset(original, side) for side in SIDES}
    jobs, status = {}, {}
    for side, name in names.items():
        sent = step(side, "send_round", name, images_per_job=IMAGES // JOBS, images_per_task=None)
        jobs[side] = sent["jobs"]
        status[side] = step(side, "ask_status", name)
    pulls: dict[str, Figures] = {side: [] for side in SIDES}
    for _ in range(TURNS):
        for side, name in names.items():
            moved = move_boxes(jobs[side], every=BOXES)
            pulls[side].append(pull(side, name, moved))
    for side, name in names.items():
        step(side, "remove_round", name)

    def median(key: str) -> tuple[float, float]:
        ours, stock = (statistics.median(run[key] for run in pulls[side]) for side in SIDES)
        return ours, stock

    return [
        _status_figure(status["ours"], status["stock"], JOBS, 1),
        faster(f"pull {JOBS} jobs", *median("seconds"), 3),
        at_most(f"pull {JOBS} jobs, requests", *median("requests"), 3),
    ]


def measure_scale(folder: Path) -> Figures:
    """A push, the status, a small and a large pull of a round of a thousand jobs."""
    original = make_dataset(folder, "scale", MANY, MANY_SIZE, MANY_BOXES)
    name, labels = copy_dataset(original, "ours"), MANY * MANY_BOXES
    sent = step(
        "ours",
        "send_round",
        name,
        images_per_job=MANY_PER_JOB,
        images_per_task=MANY_PER_TASK,
    )
    jobs = sent["jobs"]
    status = step("ours", "ask_status", name)
    pull("ours", name, 0)
    one = pull("ours", name, move_boxes(jobs[len(jobs) // 2 :][:1]))
    step("ours", "remove_round", name)
    merges = {side: _merge(side, copy_dataset(original, side)) for side in SIDES}
    of_one = f"pull of 1 changed job among {len(jobs)}"
    return [
        at_most(f"send {MANY} images, extra memory in MB", sent["memory_mb"], None, 300),
        _status_figure(status, None, MANY // MANY_PER_JOB, 3),
        at_most(f"{of_one}, requests", one["requests"], None, 3),
        at_most(f"{of_one}, seconds of our CPU", one["cpu_seconds"], None, 1),
        *(
            faster(f"merge of {labels} labels, {moved}", ours, stock, 10)
            for moved, ours, stock in zip(MOVED, merges["ours"], merges["stock"], strict=True)
        ),
    ]


def _merge(side: str, name: str) -> list[float]:
    """Moves boxes of a round of large jobs, and pulls it; the seconds of each merge."""
    sent = step(side, "send_round", name, images_per_job=None, images_per_task=MANY_PER_TASK)
    pulls = [pull(side, name, move_boxes(sent["jobs"], every)) for every in MOVED.values()]
    step(side, "remove_round", name)
    return [run["seconds"] - run["waiting"] for run in pulls]


def pull(side: str, name: str, moved: int) -> dict[str, Any]:
    """Pulls a round, and holds that our pull found what annotators did."""
    pulled = step(side, "pull_round", name)
    if pulled.get("moved", moved) != moved:
        raise RuntimeError(f"{moved} boxes were moved, but {pulled['moved']} came back.")
    return pulled


def _status_figure(
    ours: dict[str, Any], stock: dict[str, Any] | None, jobs: int, most: int
) -> dict[str, Any]:
    peer = stock["requests"] if stock else None
    met = ours["requests"] <= most and ours["jobs"] == jobs
    name = f"status of {ours['jobs']} jobs, requests"
    return figure(name, ours["requests"], peer, f"<= {most}", met=met)


PARTS = {"sending": measure_sending, "pulling": measure_pulling, "scale": measure_scale}


if __name__ == "__main__":
    main()
