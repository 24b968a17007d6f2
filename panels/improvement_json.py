"""What the React half of the ledger's panel is told; js/src/improvement/types.ts says the same."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..relabel.evaluation.ledger.bootstrap import Interval
    from ..relabel.evaluation.ledger.entries import Change, Entry
    from ..relabel.evaluation.storing.kept import KeptScore

_MOST_ENTRIES = 200
_MOST_FIGURES = 2000  # classes of one entry


def evaluations_json(
    scores: Sequence[KeptScore], entries: Sequence[Entry]
) -> list[dict[str, Any]]:
    """The evaluations with their entries, those first whose labels came back last.

    Args:
        scores: the evaluations
        entries: the entries of all, oldest first
    """
    by_key: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_key[entry.eval_key].append(entry)
    ranked = sorted(scores, key=lambda score: _last(by_key[score.eval_key]), reverse=True)
    return [_evaluation_json(score, by_key[score.eval_key]) for score in ranked]


def details_json(entry: Entry) -> dict[str, Any]:
    """How the figures of an entry have changed: class by class, and type of error by type."""
    before, after = entry.before, entry.after
    return {
        "classes": _figures_json(before.by_class, after.by_class, entry.by_class),
        "errors": _figures_json(before.errors, after.errors, entry.by_error),
        "suspicions": [dict(one) for one in entry.suspicions],
    }


def _last(entries: Sequence[Entry]) -> float:
    return entries[-1].at.timestamp() if entries else 0.0


def _evaluation_json(score: KeptScore, entries: Sequence[Entry]) -> dict[str, Any]:
    follows = [False, *(_follows(*pair) for pair in pairwise(entries))]
    told = [_entry_json(*one) for one in zip(range(len(entries)), entries, follows, strict=False)]
    return {
        "key": score.eval_key,
        "predictions": score.predictions,
        "ground_truth": score.ground_truth,
        "samples": score.samples,
        "map": score.map,
        "entries": told[-_MOST_ENTRIES:],
        "more_entries": max(0, len(told) - _MOST_ENTRIES),
    }


def _follows(earlier: Entry, later: Entry) -> bool:
    """Whether the score stayed as it was in between: same samples, same predictions."""
    same = (earlier.split, earlier.predictions) == (later.split, later.predictions)
    return same and earlier.after.map == later.before.map


def _entry_json(number: int, entry: Entry, follows: bool) -> dict[str, Any]:
    return {
        "number": number,
        "at": entry.at.isoformat(),
        "cause": entry.cause,
        "round": entry.round_key,
        "caught_up": list(entry.caught_up),
        "pull": entry.pull,
        "before": entry.before.map,
        "after": entry.after.map,
        **_ends_json(entry.difference),
        "follows": follows,
        "labels": entry.cost.labels,
        "minutes": entry.cost.minutes,
        "samples": entry.samples,
        "changed": len(entry.sample_ids),
        "mended": entry.yardstick,
    }


def _figures_json(
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
    changes: Mapping[str, Change],
) -> list[dict[str, Any]]:
    """Those first that have changed most."""
    figures = []
    for name in sorted({*before, *after}):
        old, new, change = before.get(name), after.get(name), changes.get(name)
        figures.append(
            {
                "name": name,
                "before": old,
                "after": new,
                **_ends_json(change.difference if change else None),
                "changed": len(change.places) if change else 0,
            }
        )
    figures.sort(key=lambda one: -abs((one["after"] or 0) - (one["before"] or 0)))
    return figures[:_MOST_FIGURES]


def _ends_json(interval: Interval | None) -> dict[str, float | None]:
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {"low": low, "high": high}
