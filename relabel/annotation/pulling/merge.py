"""What a merge makes of the labels of one image. Pure functions on MongoDB documents."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import fiftyone as fo
from bson import ObjectId

from ...labels import UnreadableValue
from ..comparing.drawing import draw_labels
from ..record.baseline import SentFrame, SentLabel

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from ...labels import Drawn, LabelSchema
    from ..comparing.diff import Change, FrameDiff
    from ..record.places import Place


class ConflictPolicy(StrEnum):
    """What becomes of a label that was changed both in CVAT and in FiftyOne."""

    SKIP = "skip"
    """FiftyOne stays as it is, and the conflict is shown again at the next pull."""

    CVAT_WINS = "cvat_wins"
    FIFTYONE_WINS = "fiftyone_wins"


@dataclass(frozen=True)
class MergedFrame:
    """The outcome of a merge for one field of an image.

    Args:
        place: where its labels are
        before: the label documents as they were read, or None for an empty field
        after: the label documents to write; those that nobody changed are the same objects
        sent: what both sides agreed on before
        baseline: what both sides agree on afterwards
        applied: the changes that were taken over
        overruled: the conflicts that were decided for FiftyOne
        left: the changes that were left open, and will be shown again
        problems: why, where it was not the policy
    """

    place: Place
    before: Sequence[Mapping[str, Any]] | None
    after: list[Mapping[str, Any]]
    sent: SentFrame
    baseline: SentFrame
    applied: tuple[Change, ...]
    overruled: tuple[Change, ...]
    left: tuple[Change, ...]
    problems: tuple[str, ...]

    @property
    def is_settled(self) -> bool:
        """Whether a change was taken over or decided for FiftyOne, which can be undone."""
        return bool(self.applied or self.overruled)

    @property
    def has_other_labels(self) -> bool:
        """Whether other labels than before are agreed upon, and not only drawn otherwise."""
        before = {label.id for label in self.sent.labels}
        return before != {label.id for label in self.baseline.labels}


def merge_frame(
    documents: Sequence[Mapping[str, Any]] | None,
    diff: FrameDiff,
    present: Mapping[str, Drawn],
    schema: LabelSchema,
    policy: ConflictPolicy,
    *,
    leave_out: Container[str] = (),
) -> MergedFrame:
    """Takes the changes of one image over into its labels.

    Args:
        documents: its labels as MongoDB holds them, or None for an empty field
        diff: what CVAT changed
        present: label id -> how CVAT would draw the label as FiftyOne has it now
        schema: the attributes that travel
        policy: what becomes of conflicts
        leave_out: the ids of changes that stay open
    """
    after = {str(document["_id"]): document for document in documents or ()}
    agreed = _agreed(diff, present)
    applied: dict[str, Change] = {}
    overruled, left, problems = [], [], []
    for change in diff.changes:
        if change.id in leave_out or (change.conflict and policy is ConflictPolicy.SKIP):
            left.append(change)
            continue
        if change.conflict and policy is ConflictPolicy.FIFTYONE_WINS and change.label_id:
            overruled.append(change)
            _agree(agreed, change.label_id, change, change.after)
            continue
        try:
            label_id = _apply(after, change, diff.frame, present, schema)
        except UnreadableValue as error:
            left.append(change)
            problems.append(str(error))
            continue
        applied[label_id] = change
    drawn = draw_labels((after[i] for i in applied if i in after), diff.frame.size, schema)
    for label_id, change in applied.items():
        _agree(agreed, label_id, change, drawn.get(label_id))
    labels = list(after.values())
    if schema.label_kind.holds_one and applied:
        labels = [after[label_id] for label_id in applied if label_id in after]
    if applied and schema.label_kind.put_together:
        decided = {change.label_id for change in applied.values()}
        apart = {
            sent.id
            for sent in diff.frame.labels
            if sent.id not in decided and present.get(sent.id) != sent.drawn_here
        }
        labels = _settle(labels, agreed, diff.frame, schema, apart)
    return MergedFrame(
        place=diff.frame.place,
        before=documents,
        after=labels,
        sent=diff.frame,
        baseline=replace(diff.frame, labels=tuple(agreed.values())),
        applied=tuple(applied.values()),
        overruled=tuple(overruled),
        left=tuple(left),
        problems=tuple(problems),
    )


def _apply(
    documents: dict[str, Mapping[str, Any]],
    change: Change,
    frame: SentFrame,
    present: Mapping[str, Drawn],
    schema: LabelSchema,
) -> str:
    """Makes one change; returns the label's id."""
    if change.after is None:
        assert change.label_id is not None  # noqa: S101 - only a label that was sent can be gone
        documents.pop(change.label_id, None)
        return change.label_id
    label_id = change.label_id or str(ObjectId())
    document = documents.get(label_id)
    kind = schema.label_kind
    if document is not None:
        before = present.get(label_id) if change.conflict else change.before
        fields = kind.changed_fields(change.after, before, frame.size, schema)
        documents[label_id] = {**document, **fields}
        return label_id
    started = next((label for label in frame.labels if label.id == label_id and label.start), None)
    if started and started.start:
        fields = kind.changed_fields(change.after, started.drawn, frame.size, schema)
        documents[label_id] = {**started.start.document, **fields}
    else:
        fields = kind.changed_fields(change.after, None, frame.size, schema)
        empty = {} if kind.put_together else getattr(fo, kind.label_class)().to_dict()
        documents[label_id] = {**empty, **fields, "_id": ObjectId(label_id)}
    return label_id


def _settle(
    labels: list[Mapping[str, Any]],
    agreed: dict[str, SentLabel],
    frame: SentFrame,
    schema: LabelSchema,
    apart: Container[str],
) -> list[Mapping[str, Any]]:
    """The labels as they will be read: in one array, a class takes pixels of another.

    Args:
        labels: the labels of an image, edited
        agreed: what both sides agree on, which is brought up to date
        frame: the image's baseline
        schema: the attributes that travel
        apart: the labels that were edited in FiftyOne alone, on which both sides do not agree yet
    """
    kind = schema.label_kind
    assert kind.put_together  # noqa: S101 - the caller has looked
    in_cvat = []
    for sent in agreed.values():
        with contextlib.suppress(UnreadableValue):  # nothing here stands for it
            if not sent.start:
                in_cvat.append(kind.changed_fields(sent.drawn, None, frame.size, schema))
    value = kind.put_together(labels, in_cvat)
    settled = list(kind.labels_of(value, str(frame.place)) or ())
    here = draw_labels(settled, frame.size, schema)
    alike = {drawn.label: label_id for label_id, drawn in here.items()}
    for label_id, sent in list(agreed.items()):
        if label_id in apart:
            continue
        read_as = alike.get(sent.drawn.label, label_id)
        drawn = here.get(read_as)
        agreed.pop(label_id)
        agreed[read_as] = sent._replace(id=read_as, here=drawn if drawn != sent.drawn else None)
    return settled


def _agreed(diff: FrameDiff, present: Mapping[str, Drawn]) -> dict[str, SentLabel]:
    """The baseline before any change is made, with the ids that the shapes have now.

    A label that both sides removed, or edited alike, is agreed upon already.
    """
    changed = {change.label_id for change in diff.changes}
    agreed = {}
    for sent in diff.frame.labels:
        shape = diff.shapes.get(sent.id)
        if shape is None:
            if sent.id in changed or sent.start:  # an annotator may yet bring it back
                agreed[sent.id] = sent
            continue
        is_changed = sent.id in changed
        is_as_sent = is_changed or (shape.drawn == sent.drawn and not (sent.here or sent.start))
        if is_as_sent and shape.shape_id == sent.shape_id and not sent.guessed:
            agreed[sent.id] = sent  # as of most labels, there is nothing new to say of it
            continue
        now = present.get(sent.id)
        if not is_changed and now is not None and now.is_nearly(shape.drawn):
            agreed[sent.id] = _both_have(sent.id, shape.shape_id, shape.drawn, now)
        else:
            guessed = sent.guessed and shape.drawn != sent.drawn
            agreed[sent.id] = sent._replace(shape_id=shape.shape_id, guessed=guessed)
    for label_id, shape in diff.shared.items():
        agreed[label_id] = _both_have(label_id, shape.shape_id, shape.drawn, present[label_id])
    return agreed


def _agree(
    agreed: dict[str, SentLabel], label_id: str, change: Change, here: Drawn | None
) -> None:
    """Moves the baseline of one label to what CVAT has, and to how FiftyOne draws that."""
    if change.after is None or change.shape_id is None:
        agreed.pop(label_id, None)
    else:
        agreed[label_id] = _both_have(label_id, change.shape_id, change.after, here)


def _both_have(label_id: str, shape_id: int, drawn: Drawn, here: Drawn | None) -> SentLabel:
    """A label on which both sides agree, though FiftyOne may hold it otherwise."""
    otherwise = here is not None and not here.is_nearly(drawn)
    return SentLabel(label_id, shape_id, drawn, here if otherwise else None)
