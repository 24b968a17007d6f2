"""Joins the shapes of one label: a polyline of several parts is drawn as several shapes.

Shapes of one image belong together if they carry the same label id, the same class, and each
another part number. Of two with the same number, the one with the smaller server id is the
original and the other was pasted; what was pasted together makes one new label. A part whose class
was changed, or whose label id was emptied, is a label of its own.

Stock FiftyOne numbers no parts. Those of a label that it drew as several shapes get the numbers of
the parts that they are drawn as, and the others the numbers that are left, in the order of their
server ids; what goes beyond them was pasted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from ...labels.polylines import common_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...labels import Drawn, LabelKind
    from ..record.baseline import SentLabel
    from .pulled_shape import PulledShape

_shape_id = attrgetter("shape_id")


def join_parts(shapes: Iterable[PulledShape], sent: Mapping[str, Drawn]) -> list[PulledShape]:
    """Joins the shapes of one image.

    Args:
        shapes: the shapes as they are in CVAT
        sent: label id -> the label when both sides last agreed

    Returns:
        one shape for each label
    """
    shapes = sorted(shapes, key=_shape_id)
    if any(drawn.more for drawn in sent.values()):
        shapes = _numbered(shapes, sent)
    if not any(shape.part for shape in shapes):
        return shapes
    whole: list[PulledShape] = []
    parts: dict[tuple[str, str], dict[str, list[PulledShape]]] = defaultdict(dict)
    for shape in shapes:
        if shape.part and shape.carried_id:
            label = (shape.carried_id, shape.drawn.label)
            parts[label].setdefault(shape.part, []).append(shape)
        else:
            whole.append(shape)
    for (label_id, _), by_number in parts.items():
        ordered = [by_number[number] for number in sorted(by_number, key=_order)]
        for copy in range(max(map(len, ordered))):
            together = [shapes[copy] for shapes in ordered if copy < len(shapes)]
            whole.append(_join(together, sent.get(label_id)))
    return whole


def _numbered(shapes: Iterable[PulledShape], sent: Mapping[str, Drawn]) -> list[PulledShape]:
    """Gives the shapes of stock FiftyOne's labels of several parts their numbers."""
    numbered: list[PulledShape] = []
    unnumbered: dict[str, list[PulledShape]] = defaultdict(list)
    for shape in shapes:
        several = shape.carried_id in sent and sent[shape.carried_id].more
        (unnumbered[shape.carried_id] if several and not shape.part else numbered).append(shape)
    for label_id, found in unnumbered.items():
        free = dict(enumerate(sent[label_id].parts, start=1))
        moved = []
        for shape in found:
            number = next((n for n, points in free.items() if points == shape.drawn.points), None)
            if number is None:
                moved.append(shape)
            else:
                del free[number]
                numbered.append(shape._replace(part=str(number)))
        left = list(free)
        numbered += [shape._replace(part=str(n)) for shape, n in zip(moved, left, strict=False)]
        numbered += moved[len(left) :]
    return sorted(numbered, key=_shape_id)


def join_classes(
    shapes: Iterable[PulledShape], sent: Iterable[SentLabel], kind: LabelKind
) -> list[PulledShape]:
    """Joins the shapes of one image, where a field has one label for each class, or one value.

    Args:
        shapes: the shapes as they are in CVAT
        sent: its labels when both sides last agreed; a class keeps the one that it had
        kind: the kind of the labels, which can unite shapes
    """
    assert kind.unite  # noqa: S101 - the caller has looked

    def group_of(drawn: Drawn) -> str:
        return drawn.label if kind.of_classes else ""

    owner = {group_of(label.drawn): label.id for label in sent}
    groups: dict[str, list[PulledShape]] = defaultdict(list)
    for shape in sorted(shapes, key=_shape_id):
        groups[group_of(shape.drawn)].append(shape)
    joined = []
    for name, alike in groups.items():
        drawn = alike[0].drawn if len(alike) == 1 else kind.unite([one.drawn for one in alike])
        first = next((one for one in alike if one.carried_id == owner.get(name)), alike[0])
        carried_id = owner.get(name, first.carried_id)  # of a class drawn anew, or by stock
        joined.append(first._replace(drawn=drawn, carried_id=carried_id))
    return joined


def _order(number: str) -> tuple[int, str]:
    return (int(number) if number.isdecimal() else 0, number)


def _join(shapes: Sequence[PulledShape], sent: Drawn | None) -> PulledShape:
    first = shapes[0]
    drawn = replace(
        first.drawn,
        type=common_type(shape.drawn.type for shape in shapes),
        more=tuple(shape.drawn.points for shape in shapes[1:]),
        attributes={
            name: _text([shape.drawn.attributes[name] for shape in shapes], sent, name)
            for name in first.drawn.attributes
        },
    )
    return first._replace(drawn=drawn)


def _text(texts: Sequence[str], sent: Drawn | None, name: str) -> str:
    """The value of an attribute that each part has: an annotator's edit of any part counts."""
    before = sent.attributes.get(name) if sent else None
    return next((text for text in texts if text != before), texts[0])
