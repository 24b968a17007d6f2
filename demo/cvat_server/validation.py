"""Which frames of a task are its yardstick: ground-truth jobs and honeypots."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .fields import choice_problem, integer_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .database import Database, Row

GROUND_TRUTH, POOL = "gt", "gt_pool"
METHODS = ("random_uniform", "random_per_job", "manual")
_NEEDED = {
    "random_uniform": ("frame_count", "frame_share"),
    "random_per_job": ("frames_per_job_count", "frames_per_job_share"),
    "manual": ("frames",),
}
_COUNTS = ("frame_count", "frames_per_job_count", "random_seed")


@dataclass(frozen=True)
class Honeypots:
    """A task whose jobs have honeypots mixed in.

    Attributes:
        order: the files as the task shows them; those of the honeypots are there several times
        jobs: first and last frame of each annotation job
        pool: the frames at the end, which only the ground-truth job has
        real: frame of a honeypot -> the frame of the pool that it repeats
    """

    order: list[str]
    jobs: list[tuple[int, int]]
    pool: list[int]
    real: dict[int, int]


def params_problems(params: Mapping[str, Any], modes: Sequence[str]) -> dict[str, list[str]]:
    """What is wrong with the parameters of a validation; they may come as texts of a form."""
    if params.get("mode") not in modes:
        return {"mode": [choice_problem(params.get("mode"), tuple(modes)) or ""]}
    method = params.get("frame_selection_method")
    if method not in METHODS or (params["mode"] == POOL and method == "random_per_job"):
        return {"frame_selection_method": [f'"{method}" is not a valid choice.']}
    needed = _NEEDED[method]
    if not any(params.get(name) for name in needed):
        return {needed[0]: ["This field is required."]}
    if params["mode"] == POOL and not any(params.get(name) for name in _NEEDED["random_per_job"]):
        return {"frames_per_job_count": ["This field is required."]}
    problems = {}
    for name in _COUNTS:
        problem = integer_problem(params[name], 0) if name in params else None
        if problem:
            problems[name] = [problem]
    return problems


def choose(
    params: Mapping[str, Any], frames: Sequence[int], jobs: Iterable[tuple[int, int]]
) -> list[int]:
    """The frames of the yardstick, sorted. The same seed chooses as the real server does.

    Args:
        params: how they are chosen
        frames: all frames of the task
        jobs: first and last frame of each annotation job
    """
    seed = params.get("random_seed")
    random = np.random.Generator(np.random.MT19937(None if seed is None else int(seed)))

    def some(candidates: Sequence[int], count: int) -> list[int]:
        count = min(max(count, 1), len(candidates))
        chosen = random.choice(list(candidates), size=count, shuffle=False, replace=False)
        return [int(frame) for frame in chosen]

    if params["frame_selection_method"] == "random_per_job":
        chosen = [
            frame
            for start, stop in jobs
            for frame in some(range(start, stop + 1), _per_job(params, stop - start + 1))
        ]
    else:
        share = float(params.get("frame_share") or 0)
        chosen = some(frames, int(params.get("frame_count") or len(frames) * share))
    return sorted(set(chosen))


def with_honeypots(
    params: Mapping[str, Any], names: Sequence[str], pool: Sequence[str], segment_size: int
) -> Honeypots:
    """Mixes honeypots into the jobs of a task, and puts the frames of the pool at its end.

    Args:
        params: how many each job gets
        names: the files in a random order
        pool: those that only the ground-truth job has
        segment_size: the size of a job without its honeypots
    """
    random = np.random.default_rng()
    others = [name for name in names if name not in pool]
    order: list[str] = []
    jobs = []
    at: dict[int, str] = {}
    for start in range(0, len(others), segment_size or len(others)):
        own = others[start : start + (segment_size or len(others))]
        count = min(_per_job(params, len(own)), len(pool))
        mixed = [(name, False) for name in own]
        mixed += [(str(name), True) for name in random.choice(list(pool), count, replace=False)]
        first = len(order)
        for position in random.permutation(len(mixed)):
            name, is_honeypot = mixed[position]
            if is_honeypot:
                at[len(order)] = name
            order.append(name)
        jobs.append((first, len(order) - 1))
    end = {name: len(order) + number for number, name in enumerate(pool)}
    return Honeypots(
        order=[*order, *pool],
        jobs=jobs,
        pool=list(end.values()),
        real={frame: end[name] for frame, name in at.items()},
    )


def save(
    db: Database,
    task_id: int,
    mode: str,
    frames: Sequence[int],
    *,
    per_job: int | None = None,
    honeypots: Mapping[int, int] | None = None,
) -> None:
    """Remembers the yardstick of a task."""
    db.insert(
        "validations",
        task_id=task_id,
        mode=mode,
        frames=json.dumps(list(frames)),
        frames_per_job_count=per_job,
        honeypots=json.dumps(sorted((honeypots or {}).items())),
    )


def per_job_count(params: Mapping[str, Any]) -> int | None:
    """How many honeypots each job has, where a number was asked for."""
    count = params.get("frames_per_job_count")
    return int(count) if count else None


def find(db: Database, task_id: int) -> Row | None:
    """The yardstick of a task, if it has one."""
    return db.one("SELECT * FROM validations WHERE task_id = ?", task_id)


def _per_job(params: Mapping[str, Any], size: int) -> int:
    share = float(params.get("frames_per_job_share") or 0)
    return max(int(params.get("frames_per_job_count") or size * share), 1)
