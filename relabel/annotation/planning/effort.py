"""How long annotators will take: an estimate to plan with, no promise.

Labels that are sent are looked at and sometimes mended; a field that has none on these images is
taken to get one on each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...labels import ShapeType
from ..record.request import Validation

if TYPE_CHECKING:
    from ..record.request import Request, RoundField

SECONDS_PER_IMAGE = 5.0
"""To open an image, look it over and go on. A rule of thumb."""


@dataclass(frozen=True)
class Rate:
    """How long one label takes, in seconds.

    Args:
        draw: to draw it
        check: to look at one that is there, and to mend what has to be
    """

    draw: float
    check: float


RATES: dict[str, Rate] = {
    # Between 7 s (Papadopoulos et al., Extreme clicking for efficient object annotation, ICCV
    # 2017) and 25 s (the median of Su, Deng and Fei-Fei, Crowdsourcing annotations for visual
    # object detection, HCOMP 2012).
    ShapeType.RECTANGLE: Rate(draw=12, check=3),
    # 22 hours for 1,000 objects (Lin et al., Microsoft COCO, ECCV 2014).
    ShapeType.POLYGON: Rate(draw=79, check=10),
    ShapeType.MASK: Rate(draw=79, check=10),
    # All others, and all times for a check, are rules of thumb.
    ShapeType.POLYLINE: Rate(draw=30, check=6),
    ShapeType.POINTS: Rate(draw=20, check=5),
    ShapeType.SKELETON: Rate(draw=60, check=10),
    ShapeType.TAG: Rate(draw=2, check=1),
}
"""The times for each way to draw a label."""


def label_seconds(field: RoundField, labels: int, images: int, request: Request) -> float:
    """How long the labels of a field take, in seconds.

    Args:
        field: the field
        labels: how many of its labels are sent
        images: on how many images
        request: the rate of the user, if there is one
    """
    rate = RATES.get(field.schema.draws, RATES[ShapeType.RECTANGLE])
    default = rate.check if labels else rate.draw
    seconds = default if request.seconds_per_label is None else request.seconds_per_label
    return (labels or images) * seconds


def total_minutes(seconds: float, pictures: int, yardstick: int, request: Request) -> float:
    """How long the work of all annotators takes, in minutes.

    Args:
        seconds: for the labels, if each picture is looked at once
        pictures: how many images, or frames of videos, are sent
        yardstick: how many of them measure the annotators
        request: the rate of the user, if there is one, and how many people do the same
    """
    each = request.seconds_per_image
    once = seconds + pictures * (SECONDS_PER_IMAGE if each is None else each)
    repeated = yardstick if request.validation == Validation.GROUND_TRUTH else 0
    times = max(1, request.consensus_replicas) + repeated / max(pictures, 1)
    return once * times / 60


def describe_minutes(minutes: float) -> str:
    """A time as people say it: ``a minute``, ``25 min``, ``2 h``."""
    if minutes < 1.5:
        return "a minute"
    if minutes < 10:
        return f"{minutes:.0f} min"
    if minutes < 57.5:
        return f"{5 * round(minutes / 5)} min"
    hours = minutes / 60
    return f"{round(2 * hours) / 2:g} h" if hours < 9.75 else f"{hours:,.0f} h"
