"""What delegation costs on an executor that is idle, whose model is loaded."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from _measuring import at_most

from . import world

if TYPE_CHECKING:
    from pathlib import Path

REPEATS = 10
MOST_SECONDS = 2.0


def overhead(folder: Path) -> list[dict[str, Any]]:
    """Clicks ``apply_model`` on one image again and again.

    Args:
        folder: where the image and the log go
    """
    dataset = world.make_dataset(folder / "images", 1)
    params = world.model_params(label_field="p")
    with world.executors("idle", folder / "executors.log", 1):
        _click(dataset, params)  # loads the model
        clicks = [_click(dataset, params) for _ in range(REPEATS)]
    started, ended = zip(*clicks, strict=True)
    return [
        at_most(
            "click to start, models loaded, seconds",
            statistics.median(started),
            None,
            MOST_SECONDS,
        ),
        at_most(
            "click to start, models loaded, the slowest, seconds", max(started), None, MOST_SECONDS
        ),
        at_most(
            "click to the end of one image, models loaded, seconds",
            statistics.median(ended),
            None,
            MOST_SECONDS,
        ),
    ]


def _click(dataset: Any, params: dict[str, Any]) -> tuple[float, float]:
    """Seconds from the click to the start of the operation, and to its end."""
    began, wall = time.monotonic(), datetime.now(UTC)
    run = world.queue(dataset, "apply_model", params, "idle")
    ended = world.end_of(run)
    if ended["run_state"] != "completed":
        raise RuntimeError(ended["result"]["error"])
    started = ended["started_at"].replace(tzinfo=UTC)
    return (started - wall).total_seconds(), time.monotonic() - began
