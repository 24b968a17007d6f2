"""Three-way comparison of one image: the baseline, CVAT now, FiftyOne now. Pure functions.

Identity comes first: which shape is which label. A label is found by the id that its shape carries
in the ``label_id`` attribute, then by the server's shape id, then by being drawn alike.
Of two shapes that carry one id, one is the label and the other a copy that an annotator pasted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ...labels import UNKNOWN
from .parts import join_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ...labels import Drawn
    from ..record.baseline import SentFrame, SentLabel
    from .pulled_shape import PulledShape


class ChangeKind(StrEnum):
    """What an annotator did to a label."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    RELABELLED = "relabelled"
    ATTRIBUTE = "attribute"


class Change(NamedTuple):
    """One label that is not in CVAT as it was sent.

    Args:
        label_id: its id in FiftyOne, or None for one that was drawn in CVAT
        shape_id: its id in CVAT, or None for one that was removed there
        before: how it was sent, or None if there was none or nobody knows
        after: how it is in CVAT now, or None
        conflict: whether it was changed in FiftyOne too, and differently, or may have been
    """

    label_id: str | None
    shape_id: int | None
    before: Drawn | None
    after: Drawn | None
    conflict: bool = False

    @property
    def id(self) -> str:
        """What tells it from every other change of its image, also at the next look."""
        return self.label_id or f"shape {self.shape_id}"

    @property
    def kinds(self) -> frozenset[ChangeKind]:
        """What was done; a label can be moved and relabelled at once."""
        if self.after is None:
            return frozenset({ChangeKind.REMOVED})
        if self.before is None:
            return frozenset({ChangeKind.ADDED})
        kinds = set()
        if not self.after.same_place(self.before):
            kinds.add(ChangeKind.MOVED)
        if self.after.label != self.before.label:
            kinds.add(ChangeKind.RELABELLED)
        before = (self.before.attributes, self.before.index)
        if (self.after.attributes, self.after.index) != before:
            kinds.add(ChangeKind.ATTRIBUTE)
        return frozenset(kinds)


@dataclass(frozen=True)
class FrameDiff:
    """What happened on one image.

    Args:
        frame: its baseline
        changes: the labels that CVAT has otherwise than they were sent
        shapes: label id -> its shape now, for every label of the baseline that is still there
        shared: the same for labels that both sides have and the baseline lacks
        surplus: how many more labels were drawn than the field can hold
    """

    frame: SentFrame
    changes: tuple[Change, ...]
    shapes: dict[str, PulledShape]
    shared: dict[str, PulledShape] = field(default_factory=dict)
    surplus: int = 0


def diff_frame(
    frame: SentFrame,
    shapes: Iterable[PulledShape],
    present: Mapping[str, Drawn],
    *,
    holds_one: bool = False,
) -> FrameDiff:
    """Compares one image.

    Args:
        frame: its baseline
        shapes: what CVAT has on it now
        present: what FiftyOne has on it now: label id -> how CVAT would draw it
        holds_one: whether the field holds one label of an image; what was drawn in place of it is
            an edit of it

    Returns:
        what CVAT changed since the baseline; an edit that FiftyOne has made as well is none, and
        neither is a label that FiftyOne has as well
    """
    joined = join_parts(shapes, {label.id: label.drawn for label in frame.labels})
    matched, added = match_shapes(frame.labels, joined)
    if holds_one and added and frame.labels and not matched:
        matched = {frame.labels[0].id: added.pop(0)}
    changes = []
    for sent in frame.labels:
        shape = matched.get(sent.id)
        after = shape.drawn if shape else None
        now = present.get(sent.id)
        if (_as_it_was(after, sent.drawn) and not sent.start) or _same(after, now):
            continue
        changes.append(
            Change(
                label_id=sent.id,
                shape_id=shape.shape_id if shape else None,
                before=None if sent.start or sent.drawn == UNKNOWN else sent.drawn,
                after=after,
                conflict=sent.guessed or not _same(now, sent.drawn_here),
            )
        )
    shared: dict[str, PulledShape] = {}
    surplus = 0
    if added:
        known = {label.id for label in frame.labels}
        here = {label_id: drawn for label_id, drawn in present.items() if label_id not in known}
        added = _take(shared, added, lambda shape: _drawn_nearly(here, shape))
        if holds_one and added:
            surplus = len(added) - (not frame.labels and not shared)
            added = added[: len(added) - surplus]
        both = next(iter(here), None) if holds_one else None  # then the field had none before
        changes += [Change(both, one.shape_id, None, one.drawn, bool(both)) for one in added]
    return FrameDiff(frame, tuple(changes), matched, shared, surplus)


def _as_it_was(now: Drawn | None, before: Drawn) -> bool:
    """Whether nobody has drawn a label anew; CVAT may round anew what it draws itself."""
    return now == before or (now is not None and now.keyframe is False and now.is_nearly(before))


def _same(one: Drawn | None, other: Drawn | None) -> bool:
    return one is other or (one is not None and other is not None and one.is_nearly(other))


def match_shapes(
    labels: Sequence[SentLabel], shapes: Iterable[PulledShape]
) -> tuple[dict[str, PulledShape], list[PulledShape]]:
    """Finds which shape is which label.

    The server's id goes first: a shape that was pasted carries the label id of its source.

    Args:
        labels: the labels of one image that were sent
        shapes: the shapes on it now

    Returns:
        the labels that are still there with their shapes, and the shapes that are new
    """
    matched: dict[str, PulledShape] = {}
    by_shape_id = {label.shape_id: label.id for label in labels}
    unknown = _take(matched, shapes, lambda shape: by_shape_id.get(shape.shape_id))
    if not unknown:
        return matched, []

    sent = {label.id: label for label in labels if label.id not in matched}
    claims: dict[str, list[PulledShape]] = defaultdict(list)
    rest: list[PulledShape] = []
    for shape in unknown:
        (claims[shape.carried_id] if shape.carried_id in sent else rest).append(shape)
    for label_id, claimants in claims.items():
        original = _original(sent[label_id], claimants)
        matched[label_id] = original
        rest += [shape for shape in claimants if shape is not original]

    alike = [label for label in labels if label.id not in matched]
    return matched, _take(matched, rest, lambda shape: _drawn_alike(alike, shape))


def _take(
    matched: dict[str, PulledShape],
    shapes: Iterable[PulledShape],
    find: Callable[[PulledShape], str | None],
) -> list[PulledShape]:
    """Matches the shapes for which ``find`` names a label; returns the others."""
    others = []
    for shape in shapes:
        label_id = find(shape)
        if label_id is None:
            others.append(shape)
        else:
            matched[label_id] = shape
    return others


def _drawn_alike(labels: list[SentLabel], shape: PulledShape) -> str | None:
    """Takes the first label out of ``labels`` that is drawn as a shape, there or here."""
    for label in labels:
        if any(drawn and drawn.is_nearly(shape.drawn) for drawn in (label.drawn, label.here)):
            labels.remove(label)
            return label.id
    return None


def _drawn_nearly(labels: dict[str, Drawn], shape: PulledShape) -> str | None:
    """Takes the first label out of ``labels`` that is drawn nearly as a shape."""
    for label_id, drawn in labels.items():
        if drawn.is_nearly(shape.drawn):
            del labels[label_id]
            return label_id
    return None


def _original(label: SentLabel, claimants: Sequence[PulledShape]) -> PulledShape:
    """Which of the shapes with one label id is the label; the others were pasted from it."""
    if len(claimants) == 1:
        return claimants[0]

    def rank(shape: PulledShape) -> tuple[bool, float, int]:
        distance = sum(
            abs(a - b) for a, b in zip(shape.drawn.points, label.drawn.points, strict=False)
        )
        return shape.drawn != label.drawn, distance, shape.shape_id

    return min(claimants, key=rank)
