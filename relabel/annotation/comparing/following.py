"""Which object of a video a track of CVAT is. Pure functions.

A track is known by the label ids that its keyframes carry: CVAT may have cut it at the border of
two jobs, or an annotator may have, and a keyframe that an annotator makes carries the id of the
one before. Else it is known by its own id, then by being drawn exactly alike where it begins. What
lies between the keyframes is known by the object and the frame. Of two tracks that claim one
label, the one with the smaller id is the object and the other was pasted; it gets an index of its
own, as a track does that was drawn in CVAT. But where two jobs share frames, each has a track of
the same object, which CVAT joins only if it finds them alike: there the first of them counts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from ...labels import Drawn
    from ..record.baseline import SentFrame
    from .drawing import PulledShapes
    from .pulled_shape import PulledShape

    Object = tuple[int, str, str]  # index, class and type: no two of a frame share all three
    Seen = list[tuple[int, PulledShape]]


def follow(
    pulled: PulledShapes,
    frames: Iterable[SentFrame],
    largest: Mapping[str, int],
    shared: Container[int] = (),
) -> PulledShapes:
    """Finds out which label of its frame each shape of a track is.

    Args:
        pulled: what is drawn in a task
        frames: the baseline of these frames
        largest: field -> the largest index that its labels have in FiftyOne
        shared: the frames of which both jobs that share them are looked at

    Returns:
        the same; shapes of tracks carry the id of their label, and have its index
    """
    by_field: dict[str, list[SentFrame]] = defaultdict(list)
    for frame in frames:
        by_field[frame.place.field].append(frame)
    found = dict(pulled.by_frame)
    for field, sent in by_field.items():
        shapes = {frame.frame: pulled.at(frame) for frame in sent}
        for number, named in _Objects(sent, shared).name(shapes, largest.get(field, -1)).items():
            found[number, field] = named
    return replace(pulled, by_frame=found)


class _Objects:
    """The objects of one field of a video.

    Args:
        frames: the baseline
        shared: the frames that two jobs share
    """

    def __init__(self, frames: Sequence[SentFrame], shared: Container[int]) -> None:
        self._shared = shared
        self._by_id: dict[str, Object] = {}
        self._by_track: dict[int, Object] = {}
        self._on_frame: dict[tuple[Object, int], str] = {}
        self._drawn: dict[tuple[int, Object], Drawn] = {}
        self._index_of: dict[tuple[int, str], int | None] = {}
        self._largest = -1
        for frame in frames:
            for label in frame.labels:
                index = label.drawn.index
                self._index_of[frame.frame, label.id] = index
                if index is None:
                    continue
                shown = (index, label.drawn.label, label.drawn.type)
                self._by_id[label.id] = shown
                self._by_track.setdefault(label.shape_id, shown)
                self._on_frame[shown, frame.frame] = label.id
                self._drawn[frame.frame, shown] = label.drawn
                self._largest = max(self._largest, index)

    def name(
        self, shapes: Mapping[int, Sequence[PulledShape]], largest: int
    ) -> dict[int, list[PulledShape]]:
        """Gives the shapes of each frame the ids and the indices of their labels."""
        tracks: dict[int, Seen] = defaultdict(list)
        named: dict[int, list[PulledShape]] = {}
        for number in sorted(shapes):
            named[number] = [
                self._single(number, shape) for shape in shapes[number] if shape.shape_id > 0
            ]
            for shape in shapes[number]:
                if shape.shape_id < 0:
                    tracks[shape.shape_id].append((number, shape))
        free = max(largest, self._largest) + 1
        claimed: set[tuple[Object, int]] = set()
        for shape_id in sorted(tracks, reverse=True):
            shown = self._objects_of(shape_id, tracks[shape_id])
            claims = {
                (item, number)
                for item, (number, _) in zip(shown, tracks[shape_id], strict=True)
                if item is not None
            }
            taken = claims & claimed
            is_new = not any(shown) or any(number not in self._shared for _, number in taken)
            claimed |= set() if is_new else claims
            for item, (number, shape) in zip(shown, tracks[shape_id], strict=True):
                if is_new or (item, number) not in taken:
                    its = None if is_new else item
                    named[number].append(self._of_track(number, shape, its, free))
            free += is_new
        return named

    def _single(self, number: int, shape: PulledShape) -> PulledShape:
        """A shape of one frame keeps the index of its label, which CVAT does not show."""
        index = self._index_of.get((number, shape.carried_id))
        return shape._replace(drawn=replace(shape.drawn, index=index))

    def _objects_of(self, shape_id: int, seen: Seen) -> list[Object | None]:
        """Which object a track shows on each of its frames."""
        shown: list[Object | None] = []
        current = self._by_track.get(shape_id) or self._drawn_alike(*seen[0])
        for _, shape in seen:
            current = self._by_id.get(shape.carried_id, current)
            shown.append(current)
        first = next((item for item in shown if item is not None), None)
        return [item or first for item in shown]

    def _drawn_alike(self, number: int, shape: PulledShape) -> Object | None:
        for (frame, shown), drawn in self._drawn.items():
            if frame == number and drawn == replace(shape.drawn, index=shown[0]):
                return shown
        return None

    def _of_track(
        self, number: int, shape: PulledShape, shown: Object | None, free: int
    ) -> PulledShape:
        # A label that was deleted here before anybody noted how it was drawn is of no object.
        is_unknown = self._index_of.get((number, shape.carried_id), -1) is None
        own = shape.carried_id if is_unknown else ""
        if shown is None:
            return shape._replace(carried_id=own, drawn=replace(shape.drawn, index=free))
        label_id = self._on_frame.get((shown, number), own)
        return shape._replace(carried_id=label_id, drawn=replace(shape.drawn, index=shown[0]))
