"""How the images of a round are divided into tasks and jobs, and which of them are a yardstick."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from ..errors import InvalidDivision
from ..record.request import Validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..record.request import Request

_REPLICAS = range(2, 12)


def task_sizes(images: int, request: Request) -> list[int]:
    """How many images are in each task."""
    size = request.images_per_task or images
    return [min(size, images - start) for start in range(0, images, size or 1)]


def yardstick_size(images: int, request: Request) -> int:
    """How many of a task's images measure the annotators."""
    if not request.validation:
        return 0
    return min(max(1, round(images * request.validation_share)), images)


def choose_yardstick(images: int, request: Request, seed: str) -> list[int]:
    """Which images of a task measure the annotators, as numbers from 0; by chance.

    Args:
        images: how many images are in the task
        request: what share of them, and for what
        seed: the same seed chooses the same
    """
    size = yardstick_size(images, request)
    return sorted(random.Random(seed).sample(range(images), size))  # noqa: S311 - no secret


def describe_yardstick(images: int, request: Request) -> str:
    """Says what becomes of the images of the yardstick."""
    of_them = f"{images:,} of them {'is' if images == 1 else 'are'} the yardstick:"
    if request.validation == Validation.HONEYPOTS:
        return f"{of_them} mixed into the jobs as honeypots, and their labels do not come back."
    return f"{of_them} in a ground-truth job as well, whose labels do not come back."


def jobs_of_task(images: int, request: Request) -> int:
    """Into how many jobs CVAT cuts a task, replicas and ground-truth job included."""
    if request.validation == Validation.HONEYPOTS:
        images -= yardstick_size(images, request)
    size = min(request.images_per_job or images, images)
    if not size:
        return 0
    cut = max(1, math.ceil((images - request.overlap) / (size - request.overlap)))
    return cut * (1 + request.consensus_replicas) + bool(request.validation)


def check_division(images: int, request: Request) -> None:
    """Holds that CVAT can divide a round as it is asked for.

    Raises:
        InvalidDivision: if it cannot
    """
    _check_people(request)
    ways = [
        bool(request.overlap),
        bool(request.consensus_replicas),
        request.validation == Validation.HONEYPOTS,
    ]
    if sum(ways) > 1:
        raise InvalidDivision(
            "Overlap, replicas and honeypots cannot be had together.", "Choose one of them."
        )
    if request.overlap and not 0 < 2 * request.overlap <= (request.images_per_job or 0):
        raise InvalidDivision(
            f"Two jobs cannot share {request.overlap} images.",
            "Two neighbouring jobs can share half the images per job at most.",
        )
    if request.consensus_replicas and request.consensus_replicas not in _REPLICAS:
        raise InvalidDivision(
            f"A job cannot have {request.consensus_replicas} replicas.", "CVAT makes 2 to 11."
        )
    if request.validation:
        _check_yardstick(task_sizes(images, request), request)


def check_video_division(request: Request) -> None:
    """Holds that a round of videos can be divided as it is asked for: each video is a task.

    Raises:
        InvalidDivision: if not
    """
    if request.validation or request.consensus_replicas:
        raise InvalidDivision(
            "Videos have no yardstick and no replicas here.", "Ask for neither, or send images."
        )
    if request.media is not None:
        raise InvalidDivision(
            "Videos are sent, not named to the server.", "Leave out where it finds them."
        )
    if request.start_frame < 1 or request.frame_step < 1:
        raise InvalidDivision(
            f"Frames from {request.start_frame} in steps of {request.frame_step} are none.",
            "Frames are counted from 1, and the step is 1 or more.",
        )


def _check_people(request: Request) -> None:
    if request.weights and len(request.weights) != len(request.assignees):
        raise InvalidDivision(
            f"There are {len(request.weights)} weights for {len(request.assignees)} assignees.",
            "Give one weight for each, in the same order.",
        )
    if any(weight < 1 for weight in request.weights):
        raise InvalidDivision("A weight is less than 1.", "Leave that person out instead.")
    people = set(request.assignees)
    if people and len(people) < request.consensus_replicas:
        raise InvalidDivision(
            f"{len(people)} persons cannot do {request.consensus_replicas} replicas of each job: "
            "nobody is to see two replicas of one.",
            "Name more assignees, or choose fewer replicas.",
        )


def _check_yardstick(sizes: Sequence[int], request: Request) -> None:
    if request.validation not in set(Validation):
        raise InvalidDivision(
            f"There is no validation named {request.validation!r}.",
            f"Choose one of {', '.join(Validation)}.",
        )
    if not 0 < request.validation_share <= 1:
        raise InvalidDivision(
            f"A share of {request.validation_share} of the images cannot be the yardstick.",
            "Choose a share above 0, and of 1 at most.",
        )
    if request.validation != Validation.HONEYPOTS:
        return
    for size in sizes:
        pool = yardstick_size(size, request)
        if pool == size:
            raise InvalidDivision(
                f"All {size} images of a task would be honeypots.",
                "Choose a smaller share, or larger tasks.",
            )
        if not 1 <= request.honeypots_per_job <= pool:
            raise InvalidDivision(
                f"{request.honeypots_per_job} honeypots for each job cannot be taken from a pool "
                f"of {pool}.",
                "Choose a larger share, or fewer honeypots per job.",
            )
