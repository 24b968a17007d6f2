from __future__ import annotations

import pytest

from relabel.evaluation.label_errors.finding import find_label_errors
from relabel.evaluation.label_errors.outcomes import Verdict
from relabel.evaluation.label_errors.runs import load_label_errors
from relabel.evaluation.label_errors.settling import (
    outcomes_by_round,
    settle_suspicions,
    settled_samples,
    unsettle_suspicions,
)
from relabel.evaluation.label_errors.suspicion import ErrorType

KEY = "label_errors"


@pytest.fixture
def queue(world):
    return find_label_errors(world, "predictions", "ground_truth")


def mend(dataset, error):
    sample = dataset[error.sample_id]
    for label in sample.ground_truth.detections:
        if label.id == error.label_id:
            label.label = error.instead
    sample.save()


def test_settle_suspicions__what_was_mended_and_what_was_left(world, queue):
    wrong = next(error for error in queue.errors if error.type is ErrorType.WRONG_CLASS)
    mend(world, wrong)
    seen = {wrong.sample_id, *queue.sample_ids[:5]}
    by_type = {one.type: one for one in settle_suspicions(world, seen, round_key="first")}
    assert by_type[ErrorType.WRONG_CLASS].fixed == 1
    assert by_type[None].model_wrong >= 4
    assert by_type[None].left == 0
    assert outcomes_by_round(world, KEY)["first"] == tuple(by_type.values())
    assert load_label_errors(world) == queue


def test_settle_suspicions__round_by_round(world, queue):
    first, second = queue.sample_ids[:2], queue.sample_ids[2:4]
    settle_suspicions(world, first, round_key="first")
    settle_suspicions(world, second, round_key="second")
    settle_suspicions(world, second, round_key="second")
    rounds = outcomes_by_round(world, KEY)
    assert set(rounds) == {"first", "second"}
    looked_at = [error for error in queue.errors if error.sample_id in second]
    assert rounds["second"][-1].model_wrong == len(looked_at)


def test_unsettle_suspicions__of_a_round_that_is_undone(world, queue):
    sample_id = queue.errors[0].sample_id
    settle_suspicions(world, [sample_id], round_key="first")
    settle_suspicions(world, [sample_id], round_key="second")
    unsettle_suspicions(world, "first")
    assert set(outcomes_by_round(world, KEY)) == {"second"}
    unsettle_suspicions(world, "unknown")


def test_settle_suspicions__no_queue(world):
    [all_types] = settle_suspicions(world, world.values("id"), round_key="first")
    assert (all_types.fixed, all_types.model_wrong, all_types.left) == (0, 0, 0)


def test_settle_suspicions__survives_a_clone(world, queue):
    settle_suspicions(world, [queue.errors[0].sample_id], round_key="first")
    copy = world.clone()
    assert outcomes_by_round(copy, KEY) == outcomes_by_round(world, KEY)
    copy.delete()


def test_settled_samples__by_what_became_of_them(world, queue):
    wrong = next(error for error in queue.errors if error.type is ErrorType.WRONG_CLASS)
    mend(world, wrong)
    settle_suspicions(world, {wrong.sample_id, *queue.sample_ids[:5]}, round_key="first")
    fixed = {Verdict.FIXED, Verdict.FIXED_OTHERWISE}
    assert settled_samples(world, "first", fixed, ErrorType.WRONG_CLASS) == [wrong.sample_id]
    assert settled_samples(world, "first", fixed, ErrorType.DUPLICATE) == []
    assert set(settled_samples(world, "first", set(Verdict))) >= {wrong.sample_id}
    assert settled_samples(world, "second", set(Verdict)) == []
