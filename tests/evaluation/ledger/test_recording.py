from __future__ import annotations

import io

import fiftyone.core.odm as foo
import numpy as np
import pytest
from gridfs import GridFS

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.entries import PULL, UNDO, Cost, load_entries
from relabel.evaluation.ledger.recording import Occasion, Pulled, evaluate_again
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
