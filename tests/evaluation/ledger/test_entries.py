from __future__ import annotations

from dataclasses import replace

from bson import ObjectId

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import (
    PULL,
    Change,
    add_entry,
    count_entries,
    ledger_version,
    load_entries,
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


def test_add_entry__of_a_round_of_many_images(predicted):
    entry = _add_entry(predicted)
    places = tuple(range(MANY))
    large = replace(
        entry,
        sample_ids=tuple(str(ObjectId()) for _ in places),
        mended=places,
        by_class={name: Change(None, places) for name in ("cat", "dog")},
        by_error={"missed": Change(None, places[::-1])},
    )
    add_entry(run_ids(predicted)["eval"], large)
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
    add_entry(run_ids(predicted)["eval"], entry)
    assert ledger_version(predicted) != version
