"""What a pull changes is evaluated again, without being asked; and so is what its undoing does."""

from __future__ import annotations

import pytest

from relabel import loop
from relabel.annotation import (
    EVERYTHING,
    FINISHED,
    Choice,
    ConflictPolicy,
    PullReport,
    pull,
    undo_pull,
)
from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.label_errors.queue import LabelError, LabelErrors
from relabel.evaluation.label_errors.runs import load_outcomes, store_label_errors
from relabel.evaluation.label_errors.settling import outcomes_by_round
from relabel.evaluation.label_errors.suspicion import ErrorType
from relabel.evaluation.ledger import recording
from relabel.evaluation.ledger.entries import draft_entry, load_entries
from relabel.loop import (
    after_pull,
    after_undo,
    describe,
    describe_suspicions,
    unmeasured,
)
from tests.annotator import Annotator
from tests.loop.conftest import WRONG_BY


def suspect(dataset):
    """A queue of two labels: that of the first image, which is wrong, and that of the last."""
    errors = []
    for sample in (dataset.first(), dataset.last()):
        label = sample.ground_truth.detections[0]
        box = tuple(label.bounding_box)
        errors.append(
            LabelError(ErrorType.BAD_BOX, 0.9, sample.id, label.id, None, label.label, box)
        )
    queue = LabelErrors("label_errors", "ground_truth", "predictions", tuple(errors))
    store_label_errors(dataset, queue)


def test_after_pull__the_score_rises_and_falls_again_when_it_is_undone(evaluated, client, jobs):
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    first = evaluated.first().id
    assert (entry.cause, entry.round_key, entry.sample_ids) == ("pull", "r", (first,))
    assert entry.before.map < entry.after.map == pytest.approx(1)
    assert entry.yardstick == 1
    text = f"eval: mAP {entry.before.map:.3f} -> 1.000"
    assert describe([entry]) == text
    (back,) = after_undo(evaluated, undo_pull(evaluated, "r"))
    assert (back.cause, back.after.map) == ("undo", entry.before.map)
    assert (back.cost.labels, back.cost.minutes) == (0, None)
    assert load_entries(evaluated) == [entry, back]


def test_after_pull__costs_its_share_of_the_round(evaluated, client, jobs, cvat):
    (first,) = after_pull(evaluated, pull(evaluated, "r", client))
    annotator = Annotator(cvat, "lead")
    for job_id in jobs[1:]:
        annotator.move_first_box(job_id, WRONG_BY)
        annotator.set_state(job_id, "completed")
    (second,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (first.cost.labels, second.cost.labels) == (1, 2)
    # 6 images and 12 labels to check, at 5 s and 3 s each; a third of them came back at first.
    assert first.cost.minutes == pytest.approx(66 / 60 / 3)
    assert second.cost.minutes == pytest.approx(66 / 60 * 2 / 3)


def test_after_pull__of_jobs_that_are_not_done_it_is_not_known_what_they_cost(
    evaluated, client, jobs, cvat
):
    Annotator(cvat, "lead").set_state(jobs[0], "in progress")
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client, EVERYTHING))
    assert (entry.cost.labels, entry.cost.minutes) == (1, None)


def test_after_pull__nothing_was_changed_is_listed_with_its_cost_and_once(
    evaluated, client, jobs, cvat
):
    Annotator(cvat, "lead").move_first_box(jobs[0], WRONG_BY)
    suspect(evaluated)
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (entry.cause, entry.sample_ids, entry.yardstick, entry.gain) == ("pull", (), 0, 0)
    assert (entry.difference.low, entry.difference.high) == (0, 0)
    assert (entry.cost.labels, entry.cost.minutes) == (0, pytest.approx(66 / 60 / 3))
    assert [one["model_wrong"] for one in entry.suspicions] == [1, 1]
    for choice in (FINISHED, EVERYTHING, FINISHED):
        assert after_pull(evaluated, pull(evaluated, "r", client, choice)) == []
    assert load_entries(evaluated) == [entry]


def test_after_pull__of_a_job_that_stays_open_for_a_conflict_is_listed_once(
    evaluated, client, jobs, cvat
):
    sample = evaluated.first()
    sample.ground_truth.detections[0].bounding_box[1] += WRONG_BY / 64
    sample.save()
    evaluate_detections(evaluated, "predictions", "ground_truth", eval_key="eval")
    of_one_image = pytest.approx(66 / 60 / 6)
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (entry.gain, entry.cost.minutes) == (0, of_one_image)
    assert after_pull(evaluated, pull(evaluated, "r", client)) == []
    decided = pull(evaluated, "r", client, policy=ConflictPolicy.CVAT_WINS)
    (last,) = after_pull(evaluated, decided)
    assert (last.sample_ids, last.cost.minutes) == ((sample.id,), of_one_image)


def test_after_pull__of_some_samples_of_a_job_counts_each_once(evaluated, client, jobs):
    first, second, *_ = evaluated.values("id")
    of_one_image = pytest.approx(66 / 60 / 6)
    for sample_id in (second, first):
        (entry,) = after_pull(evaluated, pull(evaluated, "r", client, Choice(samples={sample_id})))
        assert entry.cost.minutes == of_one_image
        again = Choice(samples={second})
        assert after_pull(evaluated, pull(evaluated, "r", client, again)) == []


def test_after_undo__of_a_pull_that_changed_nothing_but_tags(evaluated, client, jobs, cvat):
    Annotator(cvat, "lead").move_first_box(jobs[0], WRONG_BY)
    evaluated.tag_samples("in_annotation")
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    (back,) = after_undo(evaluated, undo_pull(evaluated, "r"))
    assert (entry.pull, back.pull, back.cause, back.gain) == (1, 1, "undo", 0)
    (again,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert load_entries(evaluated) == [entry, back, again]


def test_after_pull__of_an_earlier_one_whose_process_died_before_this(evaluated, client, jobs):
    first = pull(evaluated, "r", client)
    again = pull(evaluated, "r", client)
    assert (len(first.sample_ids), again.sample_ids, again.finished) == (1, (), ())
    (entry,) = after_pull(evaluated, again)
    assert (entry.cause, entry.pull) == ("pull", first.number)
    assert entry.sample_ids == first.sample_ids
    assert entry.before.map < entry.after.map == pytest.approx(1)
    assert (entry.cost.labels, entry.cost.minutes) == (1, pytest.approx(66 / 60 / 3))
    assert after_pull(evaluated, pull(evaluated, "r", client)) == [], "it is owed once"


def test_after_pull__of_an_earlier_one_that_changed_nothing_and_whose_process_died(
    evaluated, client, jobs, cvat
):
    Annotator(cvat, "lead").move_first_box(jobs[0], WRONG_BY)
    suspect(evaluated)
    assert pull(evaluated, "r", client).sample_ids == ()
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (entry.cause, entry.sample_ids, entry.gain) == ("pull", (), 0)
    assert (entry.cost.labels, entry.cost.minutes) == (0, pytest.approx(66 / 60 / 3))
    assert [one["model_wrong"] for one in entry.suspicions] == [1, 1]
    assert after_pull(evaluated, pull(evaluated, "r", client)) == [], "it is owed once"


def test_after_pull__between_two_evaluations_the_process_dies(
    evaluated, client, jobs, cvat, monkeypatch
):
    """What a pull cost is counted by each evaluation, and by each once."""

    def die_at_the_second(run_id, entry, version):
        if load_entries(evaluated):
            raise KeyboardInterrupt
        draft_entry(run_id, entry, version)

    evaluate_detections(evaluated, "predictions", "ground_truth", eval_key="second")
    report = pull(evaluated, "r", client)
    with monkeypatch.context() as patch:
        patch.setattr(recording, "draft_entry", die_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            after_pull(evaluated, report)
    annotator = Annotator(cvat, "lead")
    for job_id in jobs[1:]:
        annotator.move_first_box(job_id, WRONG_BY)
        annotator.set_state(job_id, "completed")
    after_pull(evaluated, pull(evaluated, "r", client))
    costs = {
        key: [(one.cost.labels, one.cost.minutes) for one in load_entries(evaluated, key)]
        for key in ("eval", "second")
    }
    assert costs["eval"] == [(1, pytest.approx(66 / 60 / 3)), (2, pytest.approx(66 / 60 * 2 / 3))]
    assert costs["second"] == [(3, pytest.approx(66 / 60))]


def test_after_pull__of_one_that_an_undoing_has_caught_up_with(evaluated, client, jobs, cvat):
    pull(evaluated, "r", client)
    annotator = Annotator(cvat, "lead")
    annotator.move_first_box(jobs[1], WRONG_BY)
    annotator.set_state(jobs[1], "completed")
    pull(evaluated, "r", client)
    (back,) = after_undo(evaluated, undo_pull(evaluated, "r"))
    assert (back.cost.labels, back.sample_ids) == (0, (evaluated.first().id,))
    (again,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert (again.cost.labels, again.cost.minutes) == (2, pytest.approx(66 / 60 * 2 / 3))


def test_after_pull__whose_evaluation_fails_stays_owed(
    evaluated, client, jobs, monkeypatch, caplog
):
    def fail(*args):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(loop, "evaluate_again", fail)
        assert after_pull(evaluated, pull(evaluated, "r", client)) == []
    assert "could not be evaluated again" in caplog.text
    (missing,) = unmeasured(evaluated)
    assert missing.message.endswith(": Something unforeseen went wrong (ConnectionError).")
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert entry.after.map == pytest.approx(1)
    assert unmeasured(evaluated) == []


def test_after_pull__during_which_there_is_another_leaves_that_one_owed(
    evaluated, client, jobs, cvat, monkeypatch
):
    def pull_meanwhile(dataset, occasion):
        annotator.move_first_box(jobs[1], WRONG_BY)
        annotator.set_state(jobs[1], "completed")
        pull(dataset, "r", client)
        return []

    annotator = Annotator(cvat, "lead")
    with monkeypatch.context() as patch:
        patch.setattr(loop, "evaluate_again", pull_meanwhile)
        after_pull(evaluated, pull(evaluated, "r", client))
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert len(entry.sample_ids) == 2
    assert (entry.cost.labels, entry.cost.minutes) == (1, pytest.approx(66 / 60 / 3))


def test_after_pull__whose_round_cannot_be_read(evaluated, client, jobs, monkeypatch):
    def fail(*args):
        raise ConnectionError

    report = pull(evaluated, "r", client)
    monkeypatch.setattr(loop, "list_rounds", fail)
    assert after_pull(evaluated, report) == []


def test_after_pull__of_an_earlier_one_settles_its_suspicions(evaluated, client, jobs, cvat):
    suspect(evaluated)
    pull(evaluated, "r", client)
    annotator = Annotator(cvat, "lead")
    annotator.set_state(jobs[1], "completed")
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    (entry_type,) = [one for one in entry.suspicions if one["type"] == ErrorType.BAD_BOX]
    assert (entry_type["fixed"], entry_type["left"]) == (1, 1)
    outcomes = load_outcomes(evaluated, "label_errors")
    assert [(one["sample_id"], one["verdict"]) for one in outcomes] == [
        (evaluated.first().id, "fixed"),
        (evaluated.last().id, "left"),
    ], "the last image is still out"
    assert (entry.cost.labels, entry.cost.minutes) == (1, pytest.approx(66 / 60 * 2 / 3))


def test_after_pull__what_did_not_come_back_yet_is_left(evaluated, client, jobs, cvat):
    suspect(evaluated)
    annotator = Annotator(cvat, "lead")
    (first,) = after_pull(evaluated, pull(evaluated, "r", client))
    told = [(one["fixed"], one["model_wrong"], one["left"]) for one in first.suspicions]
    assert told == [(1, 0, 1), (1, 0, 1)]
    said = describe_suspicions(evaluated, "r")
    assert said == "1 label mended, the model wrong 0 times, 1 left, precision 100%"
    for job_id in jobs[1:]:
        annotator.set_state(job_id, "completed")
    (second,) = after_pull(evaluated, pull(evaluated, "r", client))
    told = [(one["fixed"], one["model_wrong"], one["left"]) for one in second.suspicions]
    assert told == [(0, 1, 0), (0, 1, 0)]
    (all_types,) = {one[-1] for one in outcomes_by_round(evaluated, "label_errors").values()}
    assert (all_types.fixed, all_types.model_wrong, all_types.left) == (1, 1, 0)
    assert describe_suspicions(evaluated, "unknown") == ""


def test_after_undo__what_earlier_pulls_told_of_suspicions_stays(evaluated, client, jobs, cvat):
    suspect(evaluated)
    after_pull(evaluated, pull(evaluated, "r", client))
    annotator = Annotator(cvat, "lead")
    annotator.move_first_box(jobs[2], WRONG_BY)
    for job_id in jobs[1:]:
        annotator.set_state(job_id, "completed")
    after_pull(evaluated, pull(evaluated, "r", client))
    assert len(load_outcomes(evaluated, "label_errors")) == 2
    after_undo(evaluated, undo_pull(evaluated, "r"))
    (outcome,) = load_outcomes(evaluated, "label_errors")
    assert (outcome["sample_id"], outcome["verdict"]) == (evaluated.first().id, "fixed")
    after_undo(evaluated, undo_pull(evaluated, "r"))
    assert load_outcomes(evaluated, "label_errors") == []


def test_after_pull__of_an_undoing_whose_process_died_before_its_own(evaluated, client, jobs):
    suspect(evaluated)
    (entry,) = after_pull(evaluated, pull(evaluated, "r", client))
    assert entry.suspicions
    undo_pull(evaluated, "r")
    left = pull(evaluated, "r", client, leave_out=[evaluated.first().id])
    assert left.sample_ids == ()
    (back,) = after_pull(evaluated, left)
    assert back.after.map == entry.before.map
    assert {one["verdict"] for one in load_outcomes(evaluated, "label_errors")} == {"left"}


def test_after_pull__of_a_round_that_is_gone(evaluated, caplog):
    assert (
        after_pull(evaluated, PullReport("gone", {"moved": 1}, (evaluated.first().id,), 1)) == []
    )
    assert load_entries(evaluated) == []
    assert caplog.text == ""
