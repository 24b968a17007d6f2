from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

from relabel.evaluation.ledger.bootstrap import Interval
from relabel.evaluation.ledger.entries import PULL, Change, Cost, Entry, Found
from relabel.evaluation.ledger.table import COLUMNS, as_csv

ENTRY = Entry(
    eval_key="eval",
    at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    cause=PULL,
    round_key="fix, then look",
    split="s",
    predictions="p",
    samples=6,
    before=Found(0.5, 0.6, {"cat": 1.0, "dog": 0.0}, {"missed": 6}),
    after=Found(0.75, 0.8, {"cat": 1.0, "dog": 0.5, "fish": None}, {"missed": 4}),
    difference=Interval(0.125, 0.375),
    cost=Cost(labels=3, minutes=2.5),
    sample_ids=("a", "b"),
    mended=(1,),
    by_class={"dog": Change(Interval(0.25, 0.75), (0, 1)), "fish": Change(None, (1,))},
    by_error={"missed": Change(Interval(-4, 0), (0,))},
)


def _rows(*entries):
    return list(csv.DictReader(io.StringIO(as_csv(entries))))


def test_as_csv__a_line_for_all_for_each_class_and_for_each_type_of_error():
    rows = _rows(ENTRY)
    assert [(row["measure"], row["name"]) for row in rows] == [
        ("mAP", ""),
        ("AP", "cat"),
        ("AP", "dog"),
        ("AP", "fish"),
        ("errors", "missed"),
    ]
    whole, cat, dog, fish, missed = rows
    assert tuple(whole) == COLUMNS
    assert (whole["round"], whole["at"]) == ("fix, then look", "2026-11-24T12:00:00+00:00")
    figures = [whole[name] for name in ("before", "after", "difference", "low", "high")]
    assert figures == ["0.5", "0.75", "0.25", "0.125", "0.375"]
    cost = [whole[name] for name in ("samples", "samples_changed", "labels_changed", "minutes")]
    assert (cost, whole["yardstick_samples"]) == (["6", "2", "3", "2.5"], "1")
    assert whole["caught_up_rounds"] == ""
    assert (cat["difference"], cat["low"], cat["samples_changed"]) == ("0.0", "", "0")
    assert (dog["low"], dog["samples_changed"]) == ("0.25", "2")
    assert (fish["before"], fish["after"], fish["difference"]) == ("", "", "")
    assert (missed["before"], missed["after"], missed["difference"]) == ("6", "4", "-2")


def test_as_csv__several_rounds_in_one_entry():
    for row in _rows(replace(ENTRY, caught_up=("first", "second"))):
        assert row["caught_up_rounds"] == "first second"


def test_as_csv__what_became_of_suspicions():
    figures = {"fixed": 3, "model_wrong": 1, "left": 0, "precision": 0.75}
    kinds = ({"type": "missing", **figures}, {"type": None, **figures})
    rows = _rows(replace(ENTRY, suspicions=kinds))[-8:]
    told = [(row["measure"], row["name"], row["after"]) for row in rows]
    assert told[:4] == [
        ("label mended", "missing", "3"),
        ("model wrong", "missing", "1"),
        ("left", "missing", "0"),
        ("precision", "missing", "0.75"),
    ]
    assert [one[1] for one in told[4:]] == [""] * 4
    assert {(row["round"], row["before"], row["difference"]) for row in rows} == {
        ("fix, then look", "", "")
    }


def test_as_csv__round_after_round():
    later = replace(ENTRY, round_key="second", difference=None)
    rows = [row for row in _rows(ENTRY, later) if row["measure"] == "mAP"]
    assert [(row["round"], row["low"]) for row in rows] == [
        ("fix, then look", "0.125"),
        ("second", ""),
    ]
