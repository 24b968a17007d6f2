"""Stock FiftyOne's side of the same."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from _measuring import measured

from _exchange.images import FIELD

KEY = "stock"


def send_round(name: str, images_per_job: int | None, images_per_task: int | None) -> Any:
    """Sends a dataset."""
    dataset = fo.load_dataset(name)
    sizes = {"segment_size": images_per_job, "task_size": images_per_task}
    options = {key: size for key, size in sizes.items() if size}
    with measured() as figures:
        results = dataset.annotate(
            KEY, backend="cvat", label_field=FIELD, launch_editor=False, **options
        )
    return {**figures, "jobs": [job for jobs in results.job_ids.values() for job in jobs]}


def ask_status(name: str) -> Any:
    """Asks how far its jobs are."""
    results = fo.load_dataset(name).load_annotation_results(KEY)
    results.connect_to_api()
    with measured() as figures:
        answer = results.get_status()
    jobs = sum(len(task["jobs"]) for tasks in answer.values() for task in tasks.values())
    return {**figures, "jobs": jobs}


def pull_round(name: str) -> Any:
    """Merges what annotators did."""
    dataset = fo.load_dataset(name)
    dataset.load_annotation_results(KEY).connect_to_api()
    with measured() as figures:
        dataset.load_annotations(KEY, unexpected="ignore")
    return figures


def remove_round(name: str) -> None:
    """Removes it from both sides."""
    dataset = fo.load_dataset(name)
    dataset.load_annotation_results(KEY).cleanup()
    dataset.delete_annotation_run(KEY)
