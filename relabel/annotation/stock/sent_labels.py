"""What the labels that stock FiftyOne sent were like in CVAT and here. Pure functions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...labels import UNKNOWN, MalformedLabel
from ...labels.stock_drawing import draw_as_stock
from ...labels.tracks import with_indices
from ..dataset.storage import by_id
from ..record.baseline import SentLabel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...labels import Drawn, LabelSchema
    from ..dataset.storage import Labels


def sent_ids(
    named: Iterable[str], labels: Labels, size: tuple[int, int], schema: LabelSchema
) -> list[str]:
    """The ids of the labels of a field that stock sent of an image or a frame.

    Args:
        named: those that stock noted
        labels: its labels now
        size: width and height in pixels
        schema: what was sent
    """
    named = list(named)
    if not (schema.label_kind.put_together and named):
        return named
    # Of a value that is taken apart: not the background, nor classes without a name.
    drawn = {
        label_id: schema.label_kind.to_drawn(document, size, schema)
        for label_id, document in by_id(labels).items()
    }
    return [label_id for label_id, one in drawn.items() if one and one.label in schema.classes]


def drawn_by_stock(
    label_ids: Iterable[str], labels: Labels, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Drawn]:
    """How stock draws labels as they are now; those of which that is not known are missing."""
    known = by_id(labels)
    found = {}
    for label_id in label_ids:
        with suppress(MalformedLabel):  # a pull will say so of this image, and leave it out
            drawn = draw_as_stock(known[label_id], size, schema) if label_id in known else None
            if drawn is not None:
                found[label_id] = drawn
    return found


def drawn_here(
    label_ids: Iterable[str], labels: Labels, size: tuple[int, int], schema: LabelSchema
) -> dict[str, Drawn]:
    """How CVAT would draw labels exactly as they are now; see :func:`drawn_by_stock`."""
    known = by_id(labels)
    found = {}
    for label_id in label_ids:
        with suppress(MalformedLabel):
            document = known.get(label_id)
            drawn = schema.label_kind.to_drawn(document, size, schema) if document else None
            if drawn is not None:
                found[label_id] = drawn
    return with_indices(found, known.values()) if schema.tracks else found


def sent_labels(
    label_ids: Iterable[str],
    drawn: Mapping[str, Drawn],
    here: Mapping[str, Drawn],
    shape_ids: Mapping[str, int],
    *,
    guessed: bool,
) -> tuple[SentLabel, ...]:
    """The labels of the baseline.

    Args:
        label_ids: the labels that were sent
        drawn: label id -> how CVAT shows it
        here: label id -> how it is now
        shape_ids: label id -> the server's id of its shape, where it is known
        guessed: whether they were edited perhaps, after they were sent
    """
    found = []
    for label_id in label_ids:
        shape_id = shape_ids.get(label_id, 0)
        shown, now = drawn.get(label_id), here.get(label_id)
        if shown is None or now is None:
            found.append(SentLabel(label_id, shape_id, shown or now or UNKNOWN, guessed=True))
        else:
            otherwise = now if now != shown else None
            found.append(SentLabel(label_id, shape_id, shown, otherwise, guessed))
    return tuple(found)


def has_index(document: Mapping[str, Any] | None) -> bool:
    """Whether stock sends a label of a video as part of a track."""
    return document is not None and isinstance(document.get("index"), int)
