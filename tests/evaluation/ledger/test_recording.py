from __future__ import annotations

import io
from dataclasses import replace

import fiftyone as fo
import fiftyone.core.odm as foo
import numpy as np
import pytest
from gridfs import GridFS

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger import recording
from relabel.evaluation.ledger.debts import load_debts
from relabel.evaluation.ledger.entries import PULL, UNDO, Cost, load_entries
from relabel.evaluation.ledger.recording import (
    Occasion,
    Pulled,
    evaluate_again,
    evaluate_owed,
)
from relabel.evaluation.storing.kept import begin_writing, load_kept, run_ids


@pytest.fixture
def evaluated(predicted):
    """The cat of the first image, which the model has found, is called a dog."""
    _call_first_label(predicted, "dog")
    evaluate_detections(predicted, "predictions", "ground_truth", eval_key="eval")
    return predicted


def _call_first_label(dataset, name):
    sample = dataset.first()
    sample.ground_truth.detections[0].label = name
    sample.save()
    return sample


def _mend(dataset):
    return _call_first_label(dataset, "cat")


def _occasion(dataset, **kwargs):
    values = {
        "cause": PULL,
        "round_key": "fix-1",
        "fields": ["ground_truth"],
        "sample_ids": dataset.values("id"),
        "pulls": [Pulled("p", Cost(labels=2, minutes=3.5), ())],
    }
    return Occasion(**{**values, **kwargs})


def test_evaluate_again__says_what_mending_a_label_did(evaluated):
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated))
    # Of six cats that are found one counted as wrong; dogs are not found.
    assert entry.before.map == pytest.approx(entry.before.by_class["cat"] / 2)
    assert (entry.after.map, entry.after.by_class["cat"]) == pytest.approx((0.5, 1))
    assert entry.gain == entry.after.map - entry.before.map > 0
    assert 0 <= entry.difference.low <= entry.gain <= entry.difference.high
    assert (entry.sample_ids, entry.yardstick) == ((sample.id,), 1)
    assert entry.samples_at(entry.by_class["cat"].places) == [sample.id]
    assert entry.samples_at(entry.by_error["wrong class"].places) == [sample.id]
    assert (entry.before.errors["wrong class"], entry.after.errors["wrong class"]) == (1, 0)
    assert load_entries(evaluated) == [entry]
    assert evaluated.load_evaluation_results("eval").mAP() == pytest.approx(entry.after.map)


def test_evaluate_again__on_the_same_split_whatever_its_view_shows_now(evaluated):
    evaluate_detections(
        evaluated.match_tags("even"), "predictions", "ground_truth", eval_key="split"
    )
    sample = _mend(evaluated)
    sample.tags = ["odd"]
    sample.save()
    first, second = evaluate_again(evaluated, _occasion(evaluated))
    assert (first.samples, second.samples) == (6, 3)
    assert second.sample_ids == (sample.id,)


def test_evaluate_again__although_the_predictions_of_another_are_gone(evaluated, caplog):
    evaluated.clone_sample_field("predictions", "old")
    evaluate_detections(evaluated, "old", "ground_truth", eval_key="a_first")
    evaluated.rename_evaluation("eval", "then")
    evaluated.delete_sample_field("old")
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, sample_ids=[sample.id]))
    assert entry.eval_key == "then"
    assert "'a_first' could not be evaluated again" in caplog.text


def test_evaluate_again__of_one_that_another_process_has_renamed(evaluated):
    ours = evaluated._doc
    evaluated.reload()
    evaluated.rename_evaluation("eval", "renamed")
    evaluated._doc = ours
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, sample_ids=[sample.id]))
    assert entry.eval_key == "renamed"


@pytest.mark.parametrize("kwargs", [{"fields": ["others"]}, {"sample_ids": []}])
def test_evaluate_again__nothing_that_is_evaluated_was_touched(evaluated, kwargs):
    _mend(evaluated)
    assert evaluate_again(evaluated, _occasion(evaluated, **kwargs)) == []


def test_evaluate_again__nothing_has_changed(evaluated):
    assert evaluate_again(evaluated, _occasion(evaluated)) == []
    assert load_entries(evaluated) == []


def test_evaluate_again__nothing_has_changed_of_samples_that_annotators_are_done_with(evaluated):
    for tag in ("even", "odd"):
        view = evaluated.match_tags(tag)
        evaluate_detections(view, "predictions", "ground_truth", eval_key=tag)
    finished = evaluated.match_tags("odd").values("id")
    pulled = _occasion(evaluated, sample_ids=[], pulls=[Pulled("p", Cost(), finished)])
    entries = evaluate_again(evaluated, pulled)
    assert [entry.eval_key for entry in entries] == ["eval", "odd"]
    assert {(entry.gain, entry.sample_ids) for entry in entries} == {(0, ())}
    assert evaluate_again(evaluated, pulled) == [], "they have counted it"
    undone = _occasion(evaluated, sample_ids=[], pulls=[], cause=UNDO)
    assert [one.eval_key for one in evaluate_again(evaluated, undone)] == ["eval", "odd"]
    assert evaluate_again(evaluated, undone) == [], "they were taken back"


def test_load_entries__follow_the_run(evaluated):
    _mend(evaluated)
    evaluate_again(evaluated, _occasion(evaluated))
    evaluated.rename_evaluation("eval", "other")
    (entry,) = load_entries(evaluated)
    assert entry.eval_key == "other"
    evaluated.delete_evaluation("other")
    assert load_entries(evaluated) == []


def test_load_entries__class_names_with_dots(evaluated):
    sample = _mend(evaluated)
    sample.ground_truth.detections[1].label = "u.s. dog"
    sample.save()
    (entry,) = evaluate_again(evaluated, _occasion(evaluated))
    assert "u.s. dog" in entry.by_class
    assert load_entries(evaluated) == [entry]


def test_evaluate_again__after_an_evaluation_that_was_killed_while_it_wrote(evaluated):
    """The killed one counts for nothing: what is compared is the last that came to its end."""
    evaluated.set_field("predictions.detections.eval", "nonsense").save()
    begin_writing(run_ids(evaluated)["eval"])
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, sample_ids=[sample.id]))
    assert (entry.sample_ids, entry.mended) == ((sample.id,), (0,))
    assert entry.before.map < entry.after.map == pytest.approx(0.5)
    assert set(evaluated.count_values("predictions.detections.eval")) == {"tp", "fp"}


def test_evaluate_again__whose_process_dies_before_its_entry_is_seen(evaluated, monkeypatch):
    def die(run_id):
        raise KeyboardInterrupt

    _mend(evaluated)
    with monkeypatch.context() as patch:
        patch.setattr(recording, "kept_version", die)
        with pytest.raises(KeyboardInterrupt):
            evaluate_again(evaluated, _occasion(evaluated))
    assert load_entries(evaluated) == []
    assert evaluate_again(evaluated, _occasion(evaluated)) == [], "nothing has changed since"
    (entry,) = load_entries(evaluated)
    assert entry.before.map < entry.after.map == pytest.approx(0.5)
    assert entry.cost == Cost(2, 3.5)


def test_evaluate_again__one_that_fails_does_not_hinder_the_others(evaluated, monkeypatch, caplog):
    """It owes its entry, with all that the pull cost, until somebody tries again."""

    def fail_for_the_first(*args, **kwargs):
        if kwargs["eval_key"] == "eval":
            raise ConnectionError("password")
        return evaluate_detections(*args, **kwargs)

    evaluate_detections(evaluated, "predictions", "ground_truth", eval_key="second")
    sample = _mend(evaluated)
    occasion = _occasion(evaluated, sample_ids=[sample.id])
    with monkeypatch.context() as patch:
        patch.setattr(recording, "evaluate_detections", fail_for_the_first)
        (entry,) = evaluate_again(evaluated, occasion)
    assert entry.eval_key == "second"
    assert "'eval' could not be evaluated again" in caplog.text
    (debt,) = load_debts(evaluated).values()
    assert (debt.eval_key, debt.rounds) == ("eval", ("fix-1",))
    assert debt.message == "Something unforeseen went wrong (ConnectionError)."
    assert evaluate_owed(evaluated, "other") == []
    (owed,) = evaluate_owed(evaluated, "fix-1")
    assert replace(owed, eval_key="second") == entry
    assert (evaluate_owed(evaluated), load_debts(evaluated)) == ([], {})


def _rename(dataset):
    dataset.rename_sample_field("predictions", "gone")


def test_evaluate_again__later_counts_what_was_owed(evaluated):
    _mend(evaluated)
    _rename(evaluated)
    assert evaluate_again(evaluated, _occasion(evaluated)) == []
    (debt,) = load_debts(evaluated).values()
    assert debt.message == "'predictions' is no field of the dataset."
    evaluated.rename_sample_field("gone", "predictions")
    later = [Pulled("p", Cost(2, 3.5), ()), Pulled("q", Cost(1), ())]
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, round_key="fix-2", pulls=later))
    assert (entry.round_key, entry.cost) == ("fix-2", Cost(3, 3.5))
    assert load_entries(evaluated)[-1].caught_up == ("fix-1",)
    assert entry.before.map < entry.after.map == pytest.approx(0.5)
    assert load_debts(evaluated) == {}


def test_evaluate_again__after_the_undoing_of_what_was_owed(evaluated):
    _mend(evaluated)
    _rename(evaluated)
    pulls = [Pulled("p", Cost(2, 3.5), (), number=1)]
    evaluate_again(evaluated, _occasion(evaluated, pulls=pulls, pull=1))
    evaluated.rename_sample_field("gone", "predictions")
    _call_first_label(evaluated, "dog")
    undone = _occasion(evaluated, cause=UNDO, pulls=[], pull=1)
    assert evaluate_again(evaluated, undone) == [], "nothing is as it was not before"
    assert (load_debts(evaluated), load_entries(evaluated)) == ({}, [])


def test_evaluate_again__of_others_of_the_round_tries_again_and_counts_what_was_owed(evaluated):
    view = evaluated.match_tags("even")
    evaluate_detections(view, "predictions", "ground_truth", eval_key="even")
    evaluated.delete_evaluation("eval")
    _mend(evaluated)
    _rename(evaluated)
    evaluate_again(evaluated, _occasion(evaluated))
    evaluated.rename_sample_field("gone", "predictions")
    odd = evaluated.match_tags("odd").values("id")
    pulls = [Pulled("q", Cost(5, 1), odd)]
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, sample_ids=odd, pulls=pulls))
    assert (entry.eval_key, entry.cost, entry.counted) == ("even", Cost(2, 3.5), ("p",))


def test_evaluate_again__owes_nothing_once_it_was_evaluated_anew(evaluated):
    _mend(evaluated)
    _rename(evaluated)
    evaluate_again(evaluated, _occasion(evaluated))
    evaluated.rename_sample_field("gone", "predictions")
    evaluate_detections(evaluated, "predictions", "ground_truth", eval_key="eval")
    assert (load_debts(evaluated), evaluate_owed(evaluated)) == ({}, [])
    _call_first_label(evaluated, "dog")
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, pulls=[]))
    assert entry.cost == Cost()


def test_evaluate_again__owes_nothing_once_it_is_deleted(evaluated):
    _mend(evaluated)
    _rename(evaluated)
    evaluate_again(evaluated, _occasion(evaluated))
    evaluated.delete_evaluation("eval")
    assert load_debts(evaluated) == {}
    evaluate_again(evaluated, _occasion(evaluated))
    assert foo.get_db_conn()["relabel_debts"].count_documents({}) == 0


def test_evaluate_again__of_ground_truth_that_was_renamed(evaluated):
    sample = evaluated.first()
    label = fo.Detection(label="cat", bounding_box=[0.1, 0.1, 0.2, 0.2])
    sample["others"] = fo.Detections(detections=[label])
    sample.save()
    evaluate_detections(evaluated, "predictions", "others", eval_key="unconcerned")
    evaluated.delete_sample_field("others")
    evaluated.rename_sample_field("ground_truth", "gt")
    assert evaluate_again(evaluated, _occasion(evaluated, fields=["gt"])) == []
    (debt,) = load_debts(evaluated).values()
    assert (debt.eval_key, debt.message) == (
        "eval",
        "'ground_truth' is no field of the dataset.",
    )


def test_evaluate_again__of_what_was_kept_before_there_were_stamps(evaluated):
    database, run_id = foo.get_db_conn(), run_ids(evaluated)["eval"]
    files, documents = GridFS(database), database["relabel_evaluations"]
    document = documents.find_one({"_id": run_id})
    with np.load(io.BytesIO(files.get(document["file"]).read())) as kept, io.BytesIO() as file:
        np.savez(file, **{name: kept[name] for name in kept.files if name != "stamps"})
        old = {**document, "file": files.put(file.getvalue())}
    documents.replace_one({"_id": run_id}, {k: v for k, v in old.items() if k not in _NEW})
    assert load_kept(run_id).seen is None
    sample = _mend(evaluated)
    (entry,) = evaluate_again(evaluated, _occasion(evaluated, sample_ids=[sample.id]))
    assert entry.sample_ids == (sample.id,)
    assert load_kept(run_id).seen is not None


_NEW = ("stages", "changes")
