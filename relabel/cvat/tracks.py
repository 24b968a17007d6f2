"""Labels over time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .interpolation import interpolate
from .models import Shape, by_id

if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_THE_TRACK = ("label_id", "group", "source", "elements")


@dataclass(frozen=True)
class Track:
    """One label on many frames of a video: its shape on the keyframes.

    Between two keyframes CVAT interpolates; after one that is ``outside`` the label is not to be
    seen until the next keyframe.

    Args:
        label_id: the server's id of its class
        shapes: its keyframes, in the order of their frames; each has the class of the track
        attributes: those that are the same on all frames: the server's id -> value as text
        id: the server's id, or None before it has one
        group: the number of the group it belongs to, 0 for none
        source: who made it
        elements: the nodes of a skeleton, each a track of its own
    """

    label_id: int
    shapes: tuple[Shape, ...]
    attributes: dict[int, str] = field(default_factory=dict)
    id: int | None = None
    group: int = 0
    source: str = "manual"
    elements: tuple[Track, ...] = ()

    @property
    def frame(self) -> int:
        """Its first frame."""
        return self.shapes[0].frame

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Track:
        """Reads the server's JSON."""
        label_id, source = data["label_id"], data.get("source", "manual")
        of_track = {"label_id": label_id, "source": source, "group": data.get("group")}
        keyframes = sorted(data["shapes"], key=lambda item: int(item["frame"]))
        return cls(
            label_id=label_id,
            shapes=tuple(Shape.from_json({**item, **of_track}) for item in keyframes),
            attributes={item["spec_id"]: item["value"] for item in data["attributes"]},
            id=data.get("id"),
            group=data.get("group") or 0,
            source=source,
            elements=tuple(map(cls.from_json, data.get("elements") or ())),
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON that creates it."""
        body: dict[str, Any] = {
            "frame": self.frame,
            "label_id": self.label_id,
            "group": self.group,
            "source": self.source,
            "attributes": [
                {"spec_id": spec_id, "value": value} for spec_id, value in self.attributes.items()
            ],
            "shapes": [_keyframe(shape) for shape in self.shapes],
        }
        if self.elements:
            body["elements"] = [element.to_json() for element in self.elements]
        return body


def _keyframe(shape: Shape) -> dict[str, Any]:
    body = {key: value for key, value in shape.to_json().items() if key not in _OF_THE_TRACK}
    return {"points": [], **body}


def expand(track: Track, first: int, last: int) -> list[Shape]:
    """The shapes of a track on the frames where it is to be seen.

    Args:
        track: the track
        first: the first frame that is wanted
        last: the last one

    Returns:
        a shape for each frame, in order; those of a skeleton with its nodes. Each has the id of
        the track, negated: CVAT counts tracks and shapes apart
    """
    drawn = _by_frame(track, first, last)
    nodes = [_by_frame(node, first, last) for node in track.elements]
    return [
        replace(
            shape,
            source=track.source,
            id=None if track.id is None else -track.id,
            attributes={**track.attributes, **shape.attributes},
            elements=tuple(node[frame] for node in nodes if frame in node),
        )
        for frame, shape in drawn.items()
        if not shape.outside
    ]


def _by_frame(track: Track, first: int, last: int) -> dict[int, Shape]:
    """A track on every frame from its first keyframe on, outside or not."""
    shapes: dict[int, Shape] = {}
    keyframes = {shape.frame: shape for shape in track.shapes}
    ordered = [keyframes[frame] for frame in sorted(keyframes)]
    ends = [*(shape.frame for shape in ordered[1:]), last + 1]
    following = [*ordered[1:], None]
    for shape, after, end in zip(ordered, following, ends, strict=True):
        for frame in range(max(shape.frame, first), min(end, last + 1)):
            shapes[frame] = interpolate(shape, after, frame)
    return shapes


@dataclass(frozen=True)
class Annotations:
    """Everything that is drawn in a task or a job.

    Args:
        shapes: the labels of single frames, and the tags after them; as the server has them, each
            in the order in which they were made
        tracks: the labels over time
    """

    shapes: tuple[Shape, ...]
    tracks: tuple[Track, ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Annotations:
        """Reads the server's JSON, whose lists are in no order that it promises."""
        shapes, tags, tracks = (by_id(data.get(name)) for name in ("shapes", "tags", "tracks"))
        return cls(
            shapes=tuple(map(Shape.from_json, (*shapes, *tags))),
            tracks=tuple(map(Track.from_json, tracks)),
        )

    def on_frames(self, spans: Sequence[tuple[int, int]]) -> list[Shape]:
        """What is to be seen on some frames, tracks drawn on each of them.

        Args:
            spans: the first and the last frame of each stretch of frames
        """
        frames = {frame for first, last in spans for frame in range(first, last + 1)}
        shapes = [shape for shape in self.shapes if shape.frame in frames]
        for track in self.tracks:
            for first, last in spans:
                shapes += expand(track, first, last)
        return shapes

    def to_json(self) -> dict[str, Any]:
        """The JSON that stores it."""
        return {
            "version": 0,
            "tags": [shape.to_json() for shape in self.shapes if shape.is_tag],
            "shapes": [shape.to_json() for shape in self.shapes if not shape.is_tag],
            "tracks": [track.to_json() for track in self.tracks],
        }
