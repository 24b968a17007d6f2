"""Tracks over job borders: cut when a task is saved, joined again when it is read."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .annotation_input import Item

_SAME_TRACK = 0.5


def cut(track: Item, start: int, stop: int) -> Item | None:
    """The part of a track in frames ``start`` to ``stop``, or None when it is not seen there.

    Keyframes are interpolated at the borders where the track goes on.
    """
    shapes = _cut_shapes(track["shapes"], start, stop)
    if not shapes:
        return None
    part = {**copy.deepcopy(track), "shapes": shapes, "frame": shapes[0]["frame"]}
    part["elements"] = []
    for element in track.get("elements", ()):
        inner = _cut_shapes(element["shapes"], start, stop)
        if inner:
            kept = {**copy.deepcopy(element), "shapes": inner, "frame": inner[0]["frame"]}
            part["elements"].append(kept)
    return part


def _cut_shapes(shapes: list[Item], start: int, stop: int) -> list[Item]:
    if all(start <= shape["frame"] <= stop for shape in shapes):
        return copy.deepcopy(shapes)
    full = _inherit_attributes(shapes)
    inside = [shape for shape in full if start <= shape["frame"] <= stop]
    first = _at(full, start)
    if first is not None and not first["outside"] and (not inside or inside[0]["frame"] > start):
        inside.insert(0, first)
    while inside and inside[0]["outside"]:
        inside.pop(0)
    goes_on = bool(inside) and full[-1]["frame"] > stop and not inside[-1]["outside"]
    if goes_on and inside[-1]["frame"] < stop:
        last = _at(full, stop)
        if last is not None:
            inside.append(last)
    return inside


def _inherit_attributes(shapes: list[Item]) -> list[Item]:
    """Copies in which a keyframe has the attributes of the one before, unless that is outside."""
    full = copy.deepcopy(shapes)
    for before, after in pairwise(full):
        if before["outside"]:
            continue
        sent = {value["spec_id"] for value in after["attributes"]}
        after["attributes"] += [v for v in before["attributes"] if v["spec_id"] not in sent]
    return full


def _at(shapes: list[Item], frame: int) -> Item | None:
    """The track at a frame: a keyframe, or a new shape between two."""
    before = [shape for shape in shapes if shape["frame"] <= frame]
    if not before:
        return None
    left = before[-1]
    shape: Item = copy.deepcopy(left)
    if left["frame"] == frame:
        return shape
    shape |= {"frame": frame, "id": None}
    after = [other for other in shapes if other["frame"] > frame]
    if after and not left["outside"] and len(after[0]["points"]) == len(left["points"]):
        right = after[0]
        share = (frame - left["frame"]) / (right["frame"] - left["frame"])
        shape["rotation"] = float(left["rotation"])
        shape["points"] = [
            a + (b - a) * share for a, b in zip(left["points"], right["points"], strict=True)
        ]
    return shape


def join(tracks: list[Item], more: list[Item], start: int, overlap: int) -> list[Item]:
    """Adds the tracks of the next job.

    Tracks that agree in the overlap become one. Those that do not go on are closed by a keyframe
    ``outside`` right after their job.

    Args:
        tracks: the tracks of the jobs so far
        more: the tracks of the next job
        start: its first frame
        overlap: frames it shares with the job before
    """
    end = start + overlap
    free = list(more)
    result = []
    for track in tracks:
        match = next(
            (other for other in free if overlap and _is_same(track, other, start, end)), None
        )
        if match is None:
            result.append(_closed(track, end))
        else:
            free.remove(match)
            result.append(_united(track, match, end))
    return result + free


def _is_same(one: Item, other: Item, start: int, end: int) -> bool:
    if one["label_id"] != other["label_id"]:
        return False
    scores = []
    for frame in range(start, end):
        boxes = [_visible_box(track["shapes"], frame) for track in (one, other)]
        if boxes[0] is None and boxes[1] is None:
            continue
        scores.append(0.0 if None in boxes else _overlap_share(*boxes))  # type: ignore[arg-type]
    return bool(scores) and sum(scores) / len(scores) >= _SAME_TRACK


def _visible_box(shapes: list[Item], frame: int) -> tuple[float, float, float, float] | None:
    shape = _at(shapes, frame)
    if shape is None or shape["outside"] or len(shape["points"]) < 4:
        return None
    xs, ys = shape["points"][::2], shape["points"][1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _overlap_share(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - shared
    return shared / union if union else 0.0


def _united(one: Item, other: Item, end: int) -> Item:
    frames = {shape["frame"]: shape for shape in (*other["shapes"], *one["shapes"])}
    shapes = [
        {**shape, "keyframe": True} if frame < end else shape
        for frame, shape in sorted(frames.items())
    ]
    return {**one, "shapes": shapes}


def _closed(track: Item, end: int) -> Item:
    for part in _parts(track):
        last = part["shapes"][-1]
        if not last["outside"] and last["frame"] < end:
            part["shapes"].append({**copy.deepcopy(last), "frame": end, "outside": True})
            part["shapes"][-1].pop("keyframe", None)
    return track


def _parts(track: Item) -> Iterator[Item]:
    yield track
    yield from track.get("elements", ())
