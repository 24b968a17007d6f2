"""What the labels of an image are without a pull. Pure functions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..dataset import storage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..dataset.storage import Labels
    from ..record.baseline import SentFrame

    Label = Mapping[str, Any]


def restored(
    present: Labels,
    before: Labels,
    after: Labels,
    order: Sequence[str],
    marks: Collection[str] = (),
) -> tuple[Labels, frozenset[str]]:
    """Works out what the labels of an image are without a pull.

    What an evaluation or another run has written onto a label since is no edit of it, and stays.

    Args:
        present: its labels now
        before: those that the pull changed, before it; None if the field was empty
        after: the same after it
        order: the ids of all its labels before the pull
        marks: the names of the attributes that runs leave on labels

    Returns:
        its labels without the pull; and the labels that the pull had changed and that were
        edited since, which are in there as they are now
    """
    if storage.has_doubles(present):
        return present, frozenset(storage.changed_ids(before, after))
    now, old, new = storage.by_id(present), storage.by_id(before), storage.by_id(after)
    target, left = dict(now), set()
    for label_id in storage.changed_ids(before, after):
        is_now, was, became = now.get(label_id), old.get(label_id), new.get(label_id)
        if _alike(is_now, was, marks):
            continue
        if not _alike(is_now, became, marks):
            left.add(label_id)
        elif was is not None:
            target[label_id] = _marked(was, became, is_now, marks)
        else:
            target.pop(label_id, None)
    if not target and before is None:
        return None, frozenset(left)
    places = {label_id: place for place, label_id in enumerate(dict.fromkeys((*order, *now)))}
    ordered = sorted(target, key=lambda label_id: places[label_id])
    return [target[label_id] for label_id in ordered], frozenset(left)


def restored_baseline(sent: SentFrame, current: SentFrame, left: frozenset[str]) -> SentFrame:
    """The baseline of an image without a pull.

    Args:
        sent: what it was before the pull
        current: what it is now
        left: the labels that stay as the pull made them
    """
    back = [label for label in sent.labels if label.id not in left]
    kept = [label for label in current.labels if label.id in left]
    return replace(sent, labels=(*back, *kept))


def _alike(one: Label | None, other: Label | None, marks: Collection[str]) -> bool:
    """Whether labels are the same but for what runs leave on them."""
    if one is None or other is None:
        return one is other
    plain = ({k: v for k, v in label.items() if k not in marks} for label in (one, other))
    return storage.same(*plain)


def _marked(
    was: Label, became: Label | None, is_now: Label | None, marks: Collection[str]
) -> Label:
    """A label as it was before a pull, with what runs have written onto it since the pull."""
    label, pulled, marked = dict(was), became or {}, is_now or {}
    for name in (*marked, *was):
        if name not in marks or marked.get(name) == pulled.get(name):
            continue
        if name in marked:
            label[name] = marked[name]
        else:
            label.pop(name, None)
    return label
