from __future__ import annotations

from dataclasses import replace

from bson import ObjectId

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import (
    PULL,
    Change,
    count_entries,
    counted_pulls,
    draft_entry,
    is_standing,
    ledger_version,
    load_entries,
    settle_drafts,
)
from relabel.evaluation.ledger.recording import Occasion, evaluate_again
from relabel.evaluation.storing.kept import run_ids

MANY = 200_000


def _add_entry(dataset):
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    sample = dataset.first()
    sample.ground_truth.detections[1].label = "cat"
    sample.save()
    (entry,) = evaluate_again(dataset, Occasion(PULL, "r", ["ground_truth"], [sample.id]))
    return entry


def _write(dataset, entry):
    run_id = run_ids(dataset)["eval"]
    draft_entry(run_id, entry, "before")
    settle_drafts(run_id, "now")


def test_draft_entry__of_a_round_of_many_images(predicted):
    entry = _add_entry(predicted)
    places = tuple(range(MANY))
    large = replace(
        entry,
        sample_ids=tuple(str(ObjectId()) for _ in places),
        mended=places,
        by_class={name: Change(None, places) for name in ("cat", "dog")},
        by_error={"missed": Change(None, places[::-1])},
    )
    _write(predicted, large)
    assert load_entries(predicted) == [entry, large]


def test_count_entries__of_all_and_of_one_evaluation(predicted):
    assert count_entries(predicted) == 0
    _add_entry(predicted)
    assert (count_entries(predicted), count_entries(predicted, "other")) == (1, 0)


def test_ledger_version__differs_when_there_is_a_new_entry(predicted):
    assert ledger_version(predicted) == ""
    entry = _add_entry(predicted)
    version = ledger_version(predicted)
    assert ledger_version(predicted) == version
    _write(predicted, entry)
    assert ledger_version(predicted) != version


def test_settle_drafts__only_those_whose_evaluation_was_kept(predicted):
    entry = _add_entry(predicted)
    run_id, version = run_ids(predicted)["eval"], ledger_version(predicted)
    draft_entry(run_id, replace(entry, pull=7, counted=("p",)), "before")
    assert (load_entries(predicted), count_entries(predicted)) == ([entry], 1)
    assert (counted_pulls(run_id), is_standing(run_id, "r", 7)) == (set(), False)
    assert ledger_version(predicted) == version
    settle_drafts(run_id, "before")
    settle_drafts(run_id, "now")
    assert load_entries(predicted) == [entry]
