"""What a pull would change, sample by sample, as the React half draws it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from ..relabel.annotation import change_reference
from ..relabel.labels.drawn import ShapeType

if TYPE_CHECKING:
    import fiftyone as fo

    from ..relabel.annotation import Change, Review, ReviewedFrame
    from ..relabel.labels import Drawn

_MOST_SAMPLES = 200
_MOST_CHANGES = 200  # of one image
_MASK_BOX = 4  # the last numbers of a mask are its box, both ends included


def changes_json(dataset: fo.Dataset, review: Review) -> dict[str, Any]:
    """The changed images of a review, and how many more there are."""
    images: dict[tuple[str, int | None], list[ReviewedFrame]] = {}
    for frame in review.frames:
        if frame.diff.changes:
            images.setdefault((frame.sample_id, frame.place.frame_number), []).append(frame)
    shown = list(islice(images.values(), _MOST_SAMPLES))
    view = dataset.select([places[0].sample_id for places in shown])
    paths = dict(zip(*view.values(["id", "filepath"]), strict=True))
    return {
        "samples": [_image_json(places, paths[places[0].sample_id]) for places in shown],
        "more_samples": len(images) - len(shown),
    }


def _image_json(places: list[ReviewedFrame], filepath: str) -> dict[str, Any]:
    """One image: its changes are in one label field or in several."""
    first = places[0]
    width, height = first.diff.frame.size
    changes = [(frame, change) for frame in places for change in frame.diff.changes]
    return {
        "id": first.sample_id,
        "frame_number": first.place.frame_number,
        "filepath": filepath,
        "width": width,
        "height": height,
        "job": first.job.id,
        "assignee": first.job.assignee,
        "changes": [_change_json(*found) for found in changes[:_MOST_CHANGES]],
        "more_changes": max(0, len(changes) - _MOST_CHANGES),
    }


def _change_json(frame: ReviewedFrame, change: Change) -> dict[str, Any]:
    here = frame.present.get(change.label_id or "")
    return {
        "reference": change_reference(frame.sample_id, change),
        "field": frame.place.field,
        "kinds": sorted(kind.value for kind in change.kinds),
        "conflict": change.conflict,
        "before": _drawn_json(here if change.conflict else change.before),
        "after": _drawn_json(change.after),
    }


def _drawn_json(drawn: Drawn | None) -> dict[str, Any] | None:
    if drawn is None:
        return None
    is_closed = drawn.type != ShapeType.POLYLINE
    return {
        "label": drawn.label,
        "parts": [] if drawn.type == ShapeType.TAG else [_corners(drawn, p) for p in drawn.parts],
        "rotation": drawn.rotation,
        "closed": is_closed,
        "attributes": drawn.attributes,
    }


def _corners(drawn: Drawn, points: tuple[float, ...]) -> list[float]:
    """An outline as x, y, x, y, ...; of a mask its box."""
    if drawn.type in {ShapeType.RECTANGLE, ShapeType.MASK}:
        left, top, right, bottom = points[-_MASK_BOX:]
        return [left, top, right, top, right, bottom, left, bottom]
    return list(points)
