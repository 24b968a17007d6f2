"""What CVAT shows of the objects that stock FiftyOne sent as tracks. Pure functions.

Stock sends each label of a track as a keyframe; where one label of the field says of itself that
it is one, it sends these only, and the first of each stretch of frames. CVAT interpolates the
others. A stretch of one frame that is the last is lost on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from ...cvat import Shape, interpolate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...labels import Drawn


@dataclass(frozen=True)
class TrackedLabel:
    """A label of one frame that stock sent as part of a track.

    Args:
        frame: the number of the frame in its task
        id: the label's id
        drawn: how stock draws it; its class and its index say which track it belongs to
        keyframe: whether it says of itself that it is a keyframe
    """

    frame: int
    id: str
    drawn: Drawn
    keyframe: bool


def shown_labels(
    labels: Iterable[TrackedLabel], last: int, *, only_keyframes: bool
) -> dict[tuple[int, str], Drawn]:
    """How CVAT shows labels, each on its frame.

    Args:
        labels: the labels of a field of a video
        last: the last frame of the task
        only_keyframes: whether stock sent keyframes only

    Returns:
        frame and label id -> how CVAT shows it; what CVAT never got, and does not make up, is
        not among it
    """
    if not only_keyframes:
        return {(label.frame, label.id): label.drawn for label in labels}

    def track(label: TrackedLabel) -> tuple[str, int]:
        return label.drawn.label, label.drawn.index or 0

    found: dict[tuple[int, str], Drawn] = {}
    for _, group in groupby(sorted(labels, key=lambda label: (*track(label), label.frame)), track):
        runs = _runs(list(group))
        for run in runs:
            found |= _shown(run, last, is_last=run is runs[-1])
    return found


def _runs(labels: Sequence[TrackedLabel]) -> list[list[TrackedLabel]]:
    """The stretches of frames that follow one another."""
    runs = [[labels[0]]]
    for before, label in pairwise(labels):
        if label.frame > before.frame + 1:
            runs.append([])
        runs[-1].append(label)
    return runs


def _shown(
    run: Sequence[TrackedLabel], last: int, *, is_last: bool
) -> dict[tuple[int, str], Drawn]:
    """What CVAT shows of one stretch of frames, after which stock hides the object."""
    is_lost = is_last and len(run) == 1
    sent = [label for label in run if label.keyframe or (label is run[0] and not is_lost)]
    hidden = None if run[-1].frame == last else replace(run[-1], frame=run[-1].frame + 1)
    found = {}
    for left, right in zip(sent, [*sent[1:], hidden], strict=False):
        for label in run:
            if left.frame <= label.frame and (right is None or label.frame < right.frame):
                found[label.frame, label.id] = _between(left, right, label)
    return found


def _between(left: TrackedLabel, right: TrackedLabel | None, label: TrackedLabel) -> Drawn:
    """A label as CVAT draws it between two keyframes, with the attributes of the first."""
    shape = interpolate(_shape(left), _shape(right) if right else None, label.frame)
    return replace(
        left.drawn,
        points=shape.points,
        rotation=shape.rotation,
        keyframe=label.drawn.keyframe,
    )


def _shape(label: TrackedLabel) -> Shape:
    drawn = label.drawn
    return Shape(drawn.type, label.frame, 0, drawn.points, rotation=drawn.rotation)
