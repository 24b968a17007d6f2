"""Sending and watching a round: Relabel beside stock FiftyOne, on the same server in one run.

    .venv/bin/python benchmarks/exchange.py

300 PNG images of 640x480 (about 120 MB) with 2,400 boxes go to a CVAT as one task of one job, and
as 30 tasks, by both sides in turn, each in a process of its own. Relabel alone also sends 10,000
small images, to show that its memory does not grow with their number, and asks for the status of
their 1,000 jobs. The server is the one that FIFTYONE_CVAT_URL names, else the demo's stand-in.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import requests
from PIL import Image

from demo.world import demo_world

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES, WIDTH, HEIGHT, BOXES, JOBS, TASKS = 300, 640, 480, 8, 30, 30
MANY, MANY_PER_TASK, MANY_PER_JOB = 10_000, 500, 10
ROUNDS = 3
SIZE = (WIDTH, HEIGHT)
MB = 1e6


# What is measured, in a process of its own for each side


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Measures seconds, requests and extra memory (peak of resident bytes over the start)."""
    figures: dict[str, float] = {"requests": 0}
    send = requests.adapters.HTTPAdapter.send

    def counting(adapter: Any, *args: Any, **kwargs: Any) -> Any:
        figures["requests"] += 1
        return send(adapter, *args, **kwargs)

    requests.adapters.HTTPAdapter.send = counting
    process, stop = psutil.Process(), threading.Event()
    start = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.005):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        yield figures
    finally:
        figures["seconds"] = time.perf_counter() - began
        stop.set()
        watcher.join()
        requests.adapters.HTTPAdapter.send = send
        figures["memory_mb"] = (peak - start) / MB


def ours(
    name: str, images_per_job: int | None, images_per_task: int | None
) -> dict[str, dict[str, float]]:
    """Relabel's side: send, then ask for the status."""
    import fiftyone as fo

    from relabel.annotation import Request, connect, field_facts, make_plan, push, rounds_status

    dataset = fo.load_dataset(name)
    facts = field_facts(dataset, "ground_truth")
    schema = facts.to_schema()
    request = Request(
        "ours",
        "ground_truth",
        schema,
        images_per_job=images_per_job,
        images_per_task=images_per_task,
    )
    with measured() as sending:
        client = connect()
        push(dataset, make_plan(dataset, request), client)
    with measured() as status:
        (round_status,) = rounds_status(dataset, client)
    status["jobs"] = len(round_status.jobs)
    for task in round_status.tasks:
        client.delete_task(task.id)
    dataset.delete_annotation_run("ours")
    return {"send": sending, "status": status}


def stock(
    name: str, images_per_job: int | None, images_per_task: int | None
) -> dict[str, dict[str, float]]:
    """Stock FiftyOne's side of the same."""
    import fiftyone as fo

    dataset = fo.load_dataset(name)
    options = {"segment_size": images_per_job} if images_per_job else {}
    if images_per_task:
        options["task_size"] = images_per_task
    with measured() as sending:
        results = dataset.annotate(
            "stock", backend="cvat", label_field="ground_truth", launch_editor=False, **options
        )
    with measured() as status:
        answer = results.get_status()
    status["jobs"] = sum(len(task["jobs"]) for tasks in answer.values() for task in tasks.values())
    results.cleanup()
    dataset.delete_annotation_run("stock")
    return {"send": sending, "status": status}


# The run


def make_dataset(
    directory: Path, name: str = "exchange", images: int = IMAGES, size: tuple[int, int] = SIZE
) -> str:
    """Writes images that PNG cannot make small, with boxes on them; returns the dataset's name."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    directory.mkdir(parents=True)
    width, height = size
    samples = []
    for index in range(images):
        path = directory / f"{index:05d}.png"
        pixels = rng.integers(0, 5, (height, width, 3), dtype=np.uint8) + index % 200
        Image.fromarray(pixels.astype(np.uint8)).save(path, compress_level=1)
        corners = rng.uniform(0, 0.6, (BOXES, 2))
        sizes = rng.uniform(0.05, 0.4, (BOXES, 2))
        boxes = [
            fo.Detection(label=str(number % 10), bounding_box=[*corner, *box])
            for number, (corner, box) in enumerate(zip(corners, sizes, strict=True))
        ]
        detections = fo.Detections(detections=boxes)
        samples.append(fo.Sample(filepath=str(path), ground_truth=detections))
    dataset = fo.Dataset(name, persistent=True, overwrite=True)
    dataset.add_samples(samples)
    dataset.compute_metadata()
    return dataset.name


def run_side(
    side: str,
    name: str,
    images_per_job: int | None = None,
    images_per_task: int | None = None,
) -> dict[str, Any]:
    """Runs one side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--dataset", name]
    if images_per_job:
        command += ["--images-per-job", str(images_per_job)]
    if images_per_task:
        command += ["--images-per-task", str(images_per_task)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The side {side} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def figure(name: str, our: float, peer: float | None, target: str, *, met: bool) -> dict[str, Any]:
    """One line of the result."""
    ratio = round(our / peer, 3) if peer else None
    shown = None if peer is None else round(peer, 2)
    return {
        "figure": name,
        "ours": round(our, 2),
        "peer": shown,
        "ratio": ratio,
        "target": target,
        "met": met,
    }


def compare(name: str, media_mb: float) -> list[dict[str, Any]]:
    """Measures both sides in turn."""
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "stock": []}
    for _ in range(ROUNDS):
        for side, results in runs.items():
            results.append(run_side(side, name)["send"])
            print(f"{side:>6}: " + ", ".join(f"{k} {v:.1f}" for k, v in results[-1].items()))
    jobs = {side: run_side(side, name, IMAGES // JOBS)["status"] for side in runs}

    def median(side: str, key: str) -> float:
        return statistics.median(run[key] for run in runs[side])

    seconds, peer_seconds = median("ours", "seconds"), median("stock", "seconds")
    most_requests = 15 + media_mb / 10
    count, memory = median("ours", "requests"), median("ours", "memory_mb")
    status = jobs["ours"]["requests"]
    return [
        figure(
            "send 300 images, seconds",
            seconds,
            peer_seconds,
            "ratio <= 1",
            met=seconds <= peer_seconds,
        ),
        figure(
            "send 300 images, requests",
            count,
            median("stock", "requests"),
            f"<= 15 + {media_mb:.0f} MB / 10 MB",
            met=count <= most_requests,
        ),
        figure(
            "send 300 images, extra memory in MB",
            memory,
            median("stock", "memory_mb"),
            "<= 64",
            met=memory <= 64,
        ),
        figure(
            f"status of {jobs['ours']['jobs']} jobs, requests",
            status,
            jobs["stock"]["requests"],
            "<= 1",
            met=status <= 1 and jobs["ours"]["jobs"] == JOBS,
        ),
    ]


def compare_tasks(name: str) -> list[dict[str, Any]]:
    """Measures both sides at sending many tasks."""
    runs = {
        side: run_side(side, name, None, IMAGES // TASKS)["send"] for side in ("ours", "stock")
    }
    our, peer = runs["ours"], runs["stock"]
    most = 4 * TASKS + 10
    return [
        figure(
            f"send 300 images in {TASKS} tasks, seconds",
            our["seconds"],
            peer["seconds"],
            "ratio <= 1/3",
            met=3 * our["seconds"] <= peer["seconds"],
        ),
        figure(
            f"send 300 images in {TASKS} tasks, requests",
            our["requests"],
            peer["requests"],
            f"<= 4 for each task + 10 = {most}",
            met=our["requests"] <= most,
        ),
    ]


def measure_many(name: str) -> list[dict[str, Any]]:
    """Measures our side with so many images that memory would show it."""
    run = run_side("ours", name, MANY_PER_JOB, MANY_PER_TASK)
    memory, status = run["send"]["memory_mb"], run["status"]
    return [
        figure(
            f"send {MANY} images, extra memory in MB", memory, None, "<= 300", met=memory <= 300
        ),
        figure(
            f"status of {status['jobs']} jobs, requests",
            status["requests"],
            None,
            "<= 3",
            met=status["requests"] <= 3 and status["jobs"] == MANY // MANY_PER_JOB,
        ),
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", choices=["ours", "stock"])
    parser.add_argument("--dataset")
    parser.add_argument("--images-per-job", type=int)
    parser.add_argument("--images-per-task", type=int)
    parser.add_argument("--only", choices=["one-task", "many-tasks", "many-images"])
    options = parser.parse_args()
    if options.side:
        side = {"ours": ours, "stock": stock}[options.side]
        figures = side(options.dataset, options.images_per_job, options.images_per_task)
        print(json.dumps(figures))
        return
    os.environ["FIFTYONE_SHOW_PROGRESS_BARS"] = "false"
    with (
        tempfile.TemporaryDirectory(prefix="relabel-exchange-") as folder,
        demo_world(Path(folder)),
    ):
        figures: list[dict[str, Any]] = []
        if options.only != "many-images":
            name = make_dataset(Path(folder) / "images")
            files = list((Path(folder) / "images").iterdir())
            media_mb = sum(path.stat().st_size for path in files) / MB
            print(f"{len(files)} images, {media_mb:.0f} MB, {IMAGES * BOXES} boxes")
            if options.only != "many-tasks":
                figures += compare(name, media_mb)
            if options.only != "one-task":
                figures += compare_tasks(name)
        if options.only in {None, "many-images"}:
            figures += measure_many(make_dataset(Path(folder) / "many", "many", MANY, (32, 32)))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
