from __future__ import annotations

from contextlib import contextmanager

import pytest
from bson import json_util

from relabel.evaluation.label_errors.finding import find_label_errors
from relabel.evaluation.label_errors.outcomes import Verdict
from relabel.evaluation.label_errors.runs import (
    label_error_runs,
    load_label_errors,
    load_outcomes,
    store_label_errors,
    store_outcomes,
)
from relabel.evaluation.label_errors.settling import (
    open_suspicions,
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


@contextmanager
def another_process(dataset):
    """What is done within, this process has not heard of afterwards."""
    ours, read = dataset._doc, dict(dataset._run_cache)
    dataset.reload()
    dataset._run_cache.clear()
    yield
    dataset._doc = ours
    dataset._run_cache.clear()
    dataset._run_cache.update(read)


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


def test_settle_suspicions__of_another_field_than_people_have_gone_through(world, queue):
    [all_types] = settle_suspicions(
        world, queue.sample_ids, round_key="first", fields=["others"], sent=queue.sample_ids
    )
    assert (all_types.model_wrong, all_types.left) == (0, 0)
    assert outcomes_by_round(world, KEY) == {}


def test_settle_suspicions__a_label_that_another_round_has_mended(world, queue):
    wrong = next(error for error in queue.errors if error.type is ErrorType.WRONG_CLASS)
    mend(world, wrong)
    settle_suspicions(world, [wrong.sample_id], round_key="first")
    [*_, all_types] = settle_suspicions(world, [wrong.sample_id], round_key="second")
    assert all_types.fixed == 0
    [*_, all_types] = settle_suspicions(world, [wrong.sample_id], round_key="first")
    assert all_types.fixed == 1
    store_label_errors(world, queue)  # as if it were suspected anew
    [*_, all_types] = settle_suspicions(world, [wrong.sample_id], round_key="second")
    assert all_types.fixed == 1


def test_settled_samples__by_what_became_of_them(world, queue):
    wrong = next(error for error in queue.errors if error.type is ErrorType.WRONG_CLASS)
    mend(world, wrong)
    settle_suspicions(world, {wrong.sample_id, *queue.sample_ids[:5]}, round_key="first")
    fixed = {Verdict.FIXED, Verdict.FIXED_OTHERWISE}
    assert settled_samples(world, "first", fixed, ErrorType.WRONG_CLASS) == [wrong.sample_id]
    assert settled_samples(world, "first", fixed, ErrorType.DUPLICATE) == []
    assert set(settled_samples(world, "first", set(Verdict))) >= {wrong.sample_id}
    assert settled_samples(world, "second", set(Verdict)) == []


def test_settled_samples__stay_known_when_the_queue_is_found_again(world, queue):
    """As in the next round, whose queue has the same name."""
    looked_at = set(queue.sample_ids[:5])
    settle_suspicions(world, looked_at, round_key="first")
    before = outcomes_by_round(world, KEY)
    again = find_label_errors(world.limit(20), "predictions", "ground_truth")
    assert again.errors != queue.errors
    assert set(settled_samples(world, "first", set(Verdict))) == looked_at
    assert outcomes_by_round(world, KEY) == before
    settle_suspicions(world, again.sample_ids[:1], round_key="second")
    assert set(outcomes_by_round(world, KEY)) == {"first", "second"}


def test_outcomes_by_round__settled_by_another_process_before_the_queue_is_found_again(
    world, queue
):
    with another_process(world):
        settle_suspicions(world, queue.sample_ids[:5], round_key="first")
        settled = outcomes_by_round(world, KEY)
    find_label_errors(world, "predictions", "ground_truth")
    assert outcomes_by_round(world, KEY) == settled


def test_settle_suspicions__of_a_queue_that_another_process_has_found_again(world, queue):
    with another_process(world):
        again = find_label_errors(world.limit(20), "predictions", "ground_truth")
    settle_suspicions(world, again.sample_ids[:1], round_key="first")
    assert load_label_errors(world) == again
    assert set(outcomes_by_round(world, KEY)) == {"first"}


def test_outcomes_by_round__stay_if_a_queue_that_is_found_again_cannot_be_kept(
    world, queue, monkeypatch
):
    def fail(*args, **kwargs):
        raise MemoryError

    settle_suspicions(world, queue.sample_ids[:5], round_key="first")
    settled = outcomes_by_round(world, KEY)
    monkeypatch.setattr(json_util, "dumps", fail)
    with pytest.raises(MemoryError):
        find_label_errors(world, "predictions", "ground_truth")
    assert load_label_errors(world) == queue
    assert outcomes_by_round(world, KEY) == settled


def test_settle_suspicions__of_a_run_that_has_no_results_yet(world):
    config = {
        "method": "label_errors",
        "ground_truth": "ground_truth",
        "predictions": "predictions",
    }
    world.register_run(KEY, world.init_run(**config))
    [all_types] = settle_suspicions(world, world.values("id"), round_key="first")
    assert all_types.model_wrong == 0
    queue = find_label_errors(world, "predictions", "ground_truth")
    assert load_label_errors(world) == queue


def test_outcomes_by_round__of_before_they_had_types(world, queue):
    settle_suspicions(world, queue.sample_ids[:5], round_key="first")
    expected = outcomes_by_round(world, KEY)
    rows = load_outcomes(world, KEY)
    store_outcomes(world, KEY, [{k: v for k, v in row.items() if k != "type"} for row in rows])
    assert outcomes_by_round(world, KEY) == expected


@pytest.mark.parametrize("box", [None, [], [0.1, 0.1, 0.2], [float("nan")] * 4])
def test_settle_suspicions__a_label_that_has_no_box_any_more(world, queue, box):
    error = next(one for one in queue.errors if one.type is ErrorType.BAD_BOX)
    sample = world[error.sample_id]
    for label in sample.ground_truth.detections:
        if label.id == error.label_id:
            label.bounding_box = box
    sample.save()
    settle_suspicions(world, {error.sample_id}, round_key="first")
    [row] = [row for row in load_outcomes(world, KEY) if row["label_id"] == error.label_id]
    assert row["verdict"] == Verdict.FIXED


def test_open_suspicions__of_which_no_round_made_anything(world, queue):
    seen, left = queue.sample_ids[0], queue.sample_ids[1]
    settle_suspicions(world, [seen], round_key="first", sent=[seen, left])
    expected = [error for error in queue.errors if error.sample_id != seen]
    assert open_suspicions(world, KEY) == expected
    unsettle_suspicions(world, "first")
    assert open_suspicions(world, KEY) == list(queue.errors)


def test_open_suspicions__of_a_queue_that_was_found_again(world, queue):
    settle_suspicions(world, queue.sample_ids, round_key="first")
    assert open_suspicions(world, KEY) == []
    again = find_label_errors(world, "predictions", "ground_truth")
    assert open_suspicions(world, KEY) == list(again.errors)


def test_label_error_runs__the_one_made_last_at_the_end(world, queue):
    find_label_errors(world, "predictions", "ground_truth", key="another")
    assert label_error_runs(world) == [KEY, "another"]
    find_label_errors(world, "predictions", "ground_truth")
    assert label_error_runs(world) == ["another", KEY]
