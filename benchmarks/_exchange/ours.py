"""Relabel's side. Every step is measured after the log-in, as on the other side."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from _measuring import measured

from _exchange.images import FIELD
from relabel.annotation import (
    EVERYTHING,
    Request,
    RoundField,
    connect,
    field_facts,
    load_round,
    make_plan,
    pull,
    push,
    rounds_status,
)

KEY = "ours"


def send_round(name: str, images_per_job: int | None, images_per_task: int | None) -> Any:
    """Sends a dataset."""
    dataset = fo.load_dataset(name)
    request = Request(
        KEY,
        (RoundField(FIELD, field_facts(dataset, FIELD).to_schema()),),
        images_per_job=images_per_job,
        images_per_task=images_per_task,
    )
    with measured() as figures:
        record = push(dataset, make_plan(dataset, request), connect())
    return {**figures, "jobs": [job for task in record.tasks for job in task.jobs]}


def ask_status(name: str) -> Any:
    """Asks how far its jobs are."""
    dataset, client = fo.load_dataset(name), connect()
    with measured() as figures:
        (status,) = rounds_status(dataset, client)
    return {**figures, "jobs": len(status.jobs)}


def pull_round(name: str) -> Any:
    """Merges what annotators did."""
    dataset, client = fo.load_dataset(name), connect()
    with measured() as figures:
        report = pull(dataset, KEY, client, EVERYTHING)
    return {**figures, "moved": report.counts.get("moved", 0)}


def remove_round(name: str) -> None:
    """Removes it from both sides."""
    dataset, client = fo.load_dataset(name), connect()
    for task in load_round(dataset, KEY).tasks:
        client.delete_task(task.id)
    dataset.delete_annotation_run(KEY)
