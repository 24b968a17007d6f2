"""Makes tracks of the labels of single frames. Pure functions.

Labels of one class and one index, drawn alike, are one track. A label is sent as a keyframe,
unless it says of itself that it is none and CVAT, interpolating between the keyframes around it,
draws it exactly as it is. The first and the last frame of each job are keyframes: then CVAT need
not interpolate where it cuts a track. Where labels are missing in between, it is ``outside``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..cvat import RIGID, Track, interpolate
from .drawn import ShapeType

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from ..cvat import Shape
    from .drawn import Drawn

TRACKED = frozenset(
    (
        ShapeType.RECTANGLE,
        ShapeType.POLYGON,
        ShapeType.POLYLINE,
        ShapeType.POINTS,
        ShapeType.SKELETON,
    )
)
"""What a track can hold; masks and tags are not among it."""


@dataclass(frozen=True)
class FrameShape:
    """A label of one frame that belongs to a track.

    Args:
        index: which of the objects of its class it is
        shape: how it is drawn
        keyframe: whether it says of itself that it is a keyframe
    """

    index: int
    shape: Shape
    keyframe: bool = True


def with_indices(
    drawn: Mapping[str, Drawn], documents: Iterable[Mapping[str, Any]]
) -> dict[str, Drawn]:
    """Says of the labels of a frame which of them are drawn as parts of tracks.

    Those are not that have no index, that are drawn as several shapes or as something that a track
    cannot hold, or that have the index, the class and the type of one before.

    Args:
        drawn: label id -> how it is drawn
        documents: the labels as MongoDB holds them
    """
    found = dict(drawn)
    taken = set()
    for document in documents:
        label, index = drawn.get(str(document["_id"])), document.get("index")
        if label is None or label.type not in TRACKED or label.more or not isinstance(index, int):
            continue
        if (index, label.label, label.type) not in taken:
            taken.add((index, label.label, label.type))
            keyframe = document.get("keyframe")
            found[str(document["_id"])] = replace(label, index=index, keyframe=keyframe)
    return found


def build_tracks(
    labels: Iterable[FrameShape],
    borders: Container[int],
    last: int,
    carriers: Container[int] = (),
) -> list[Track]:
    """Makes tracks.

    Args:
        labels: the labels, of which no two of one frame have the same index, class and type
        borders: the first and the last frame of each job
        last: the last frame of the task
        carriers: the server's ids of the attributes that carry label ids, which differ from frame
            to frame
    """
    groups: dict[tuple[int, int, str], list[FrameShape]] = defaultdict(list)
    for label in labels:
        groups[label.index, label.shape.label_id, label.shape.type].append(label)
    return [
        _track(sorted(group, key=lambda label: label.shape.frame), borders, last, carriers)
        for group in groups.values()
    ]


def _track(
    labels: Sequence[FrameShape], borders: Container[int], last: int, carriers: Container[int]
) -> Track:
    shapes: list[Shape] = []
    for run in _runs(labels):
        shapes += _keyframes(run, borders, carriers)
        end = run[-1].shape
        if end.frame < last:
            shapes.append(_hidden(replace(end, frame=end.frame + 1)))
    nodes = [
        Track(
            node.label_id,
            tuple(replace(shape.elements[number], frame=shape.frame) for shape in shapes),
        )
        for number, node in enumerate(shapes[0].elements)
    ]
    bare = tuple(replace(shape, elements=()) for shape in shapes)
    return Track(shapes[0].label_id, bare, elements=tuple(nodes))


def _runs(labels: Sequence[FrameShape]) -> Iterator[list[FrameShape]]:
    """The stretches of frames that follow one another."""
    run = [labels[0]]
    for before, label in pairwise(labels):
        if label.shape.frame > before.shape.frame + 1:
            yield run
            run = []
        run.append(label)
    yield run


def _keyframes(
    run: Sequence[FrameShape], borders: Container[int], carriers: Container[int]
) -> list[Shape]:
    """The labels of a run that are sent.

    Between two that are keyframes anyhow, either all are what CVAT interpolates, or all are sent.
    """
    fixed = [
        number
        for number, label in enumerate(run)
        if label.keyframe or label.shape.frame in borders or number in {0, len(run) - 1}
    ]
    shapes = [run[0].shape]
    for left, right in pairwise(fixed):
        between = [label.shape for label in run[left + 1 : right]]
        ends = run[left].shape, run[right].shape
        if not all(_is_between(shape, *ends, carriers) for shape in between):
            shapes += between
        shapes.append(run[right].shape)
    return shapes


def _is_between(shape: Shape, left: Shape, right: Shape, carriers: Container[int]) -> bool:
    """Whether CVAT would draw a shape exactly so without a keyframe."""
    texts = [
        {spec_id: text for spec_id, text in item.attributes.items() if spec_id not in carriers}
        for item in (shape, left)
    ]
    same = texts[0] == texts[1] and left.type in RIGID
    drawn = interpolate(left, right, shape.frame)
    return same and (drawn.points, drawn.rotation) == (shape.points, shape.rotation)


def _hidden(shape: Shape) -> Shape:
    elements = tuple(replace(node, outside=True) for node in shape.elements)
    return replace(shape, outside=True, elements=elements)
