"""Only the images that changed are matched again, and nobody can tell the difference."""

from __future__ import annotations

import json
from dataclasses import replace

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.errors import EvaluationError
from relabel.evaluation.matching.outcome import same
from relabel.evaluation.storing import kept
from relabel.evaluation.storing.kept import begin_writing, load_kept, run_ids
from relabel.evaluation.storing.mark_writer import MarkWriter

FIELDS = ("predictions", "ground_truth")
eighth = st.integers(0, 7).map(lambda number: number / 8)
side = st.integers(1, 8).map(lambda number: number / 8)
name = st.sampled_from(["cat", "dog", "bird"])
boxes = st.tuples(eighth, eighth, side, side)
truth = st.tuples(boxes, name, st.booleans())
prediction = st.tuples(boxes, name, st.sampled_from([0.25, 0.5, 0.75]))
labels = st.tuples(st.lists(truth, min_size=1, max_size=4), st.lists(prediction, max_size=5))


@pytest.fixture(autouse=True, params=["this process goes on", "another process goes on"])
def who_goes_on(request, monkeypatch):
    """Another process knows only what is in the database."""
    if request.param == "another process goes on":
        monkeypatch.setattr(kept, "_FEW_LABELS", -1)


def _evaluate(view, key="eval", **kwargs):
    return evaluate_detections(view, *FIELDS, eval_key=key, **kwargs)


def _write(sample, drawn):
    truths, found = drawn
    sample["ground_truth"] = fo.Detections(
        detections=[
            fo.Detection(label=label, bounding_box=list(box), iscrowd=crowd)
            for box, label, crowd in truths
        ]
    )
    sample["predictions"] = fo.Detections(
        detections=[
            fo.Detection(label=label, bounding_box=list(box), confidence=sure)
            for box, label, sure in found
        ]
    )
    sample.save()


def _written(dataset, key):
    """All that an evaluation has written, but for times."""
    paths = [f"{field}.detections.{key}{end}" for field in FIELDS for end in ("", "_id", "_iou")]
    counts = [f"{key}_{kind}" for kind in ("tp", "fp", "fn")]
    results = dataset.load_evaluation_results(key, cache=False).serialize()
    return dataset.values([*counts, *paths]), {
        name: value for name, value in results.items() if name != "config"
    }


a_few_examples = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@a_few_examples
@given(
    before=st.lists(labels, min_size=6, max_size=6),
    after=st.dictionaries(st.integers(0, 5), labels, max_size=3),
    shown=st.sets(st.integers(0, 5), min_size=1),
)
def test_evaluate_detections__again_is_as_if_for_the_first_time(dataset, before, after, shown):
    for sample, drawn in zip(dataset, before, strict=True):
        _write(sample, drawn)
    ids = dataset.values("id")
    _evaluate(dataset)
    for index, drawn in after.items():
        _write(dataset[ids[index]], drawn)
    view = dataset.select([ids[index] for index in shown])
    again = _evaluate(view)
    first = _evaluate(view, "fresh")
    assert set(again.changed) <= {ids[index] for index in after}
    assert same(again.outcome, first.outcome)
    assert repr(_written(dataset, "eval")) == repr(_written(dataset, "fresh"))
    dataset.delete_evaluations()


@a_few_examples
@given(
    before=st.lists(labels, min_size=6, max_size=6),
    after=st.lists(st.dictionaries(st.integers(0, 5), labels, max_size=2), max_size=3),
)
def test_evaluate_detections__what_was_written_is_enough_to_know(dataset, before, after):
    for sample, drawn in zip(dataset, before, strict=True):
        _write(sample, drawn)
    ids = dataset.values("id")
    _evaluate(dataset)
    for turn in after:
        for index, drawn in turn.items():
            _write(dataset[ids[index]], drawn)
        again = _evaluate(dataset, written=())
        assert set(again.changed) <= {ids[index] for index in turn}
    first = _evaluate(dataset, "fresh")
    again = load_kept(run_ids(dataset)["eval"])
    assert same(again.outcome, first.outcome)
    assert repr(_written(dataset, "eval")) == repr(_written(dataset, "fresh"))
    dataset.delete_evaluations()


@pytest.mark.parametrize("count", [128, 129, 130])
def test_evaluate_detections__many_labels_in_an_image(dataset, count):
    """Places of matches are kept in as few bytes as they need."""
    first, *others = dataset
    side = 1 / count
    drawn = [(place * side, 0, side, 1) for place in range(count)]
    _write(first, ([(box, "cat", False) for box in drawn], [(box, "cat", 0.5) for box in drawn]))
    for sample in others:
        _write(sample, ([], []))
    _evaluate(dataset)
    assert _evaluate(dataset).changed == ()
    assert _evaluate(dataset).score == replace(
        _evaluate(dataset, "fresh").score, eval_key="eval", matched=0
    )
    assert repr(_written(dataset, "eval")) == repr(_written(dataset, "fresh"))
    dataset.delete_evaluations()


def _move_past_fiftyone(dataset, sample_id):
    dataset._sample_collection.update_one(
        {"_id": ObjectId(sample_id)},
        {"$set": {"ground_truth.detections.0.bounding_box": [0.5, 0.5, 0.1, 0.1]}},
    )


def test_evaluate_detections__all_labels_are_read_unless_it_is_known_what_was_written(predicted):
    _evaluate(predicted)
    sample_id = predicted.first().id
    _move_past_fiftyone(predicted, sample_id)
    assert _evaluate(predicted, written=()).changed == ()
    assert _evaluate(predicted, written=[sample_id]).changed == (sample_id,)
    _move_past_fiftyone(predicted, predicted.last().id)
    assert _evaluate(predicted).changed == (predicted.last().id,)


def test_evaluate_detections__another_view_shows_other_labels(crowded):
    sure = [
        crowded.filter_labels("predictions", fo.ViewField("confidence") > limit)
        for limit in (0.25, 0.75)
    ]
    _evaluate(sure[0])
    again = _evaluate(sure[1], written=())
    assert same(again.outcome, _evaluate(sure[1], "fresh").outcome)


def test_evaluate_detections__a_label_that_is_mended_is_no_longer_named(predicted):
    sample = predicted.first()
    sample.ground_truth.detections[0].bounding_box = [0.1, 0.1, -0.1, 0.1]
    sample.save()
    assert len(_evaluate(predicted).score.invalid) == 1
    sample.ground_truth.detections[0].bounding_box = [0.1, 0.1, 0.1, 0.1]
    sample.save()
    assert _evaluate(predicted).score.invalid == ()


class _Raced(MarkWriter):
    """Somebody edits a label after it was read, and before its mark is written."""

    def _write(self, updates, now):
        if updates and not _Raced.done:
            _Raced.done = True
            sample = self._dataset[str(updates[0].sample_id)]
            sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.1, 0.1]
            sample.save()
        return super()._write(updates, now)


def test_evaluate_detections__an_edit_at_the_same_time_is_seen_the_next_time(
    predicted, monkeypatch
):
    _Raced.done = False
    monkeypatch.setattr("relabel.evaluation.detections.MarkWriter", _Raced)
    _evaluate(predicted)
    monkeypatch.undo()
    assert _evaluate(predicted, written=()).changed == (predicted.first().id,)
    assert _evaluate(predicted, written=()).changed == ()


def test_evaluate_detections__a_sample_of_which_nobody_knows_when_it_was_written(predicted):
    _evaluate(predicted)
    sample_id = predicted.last().id
    stamp = {"$unset": {"last_modified_at": ""}}
    predicted._sample_collection.update_one({"_id": ObjectId(sample_id)}, stamp)
    _move_past_fiftyone(predicted, sample_id)
    assert _evaluate(predicted, written=()).changed == (sample_id,)


def test_make_results__is_what_fiftyone_itself_would_write(crowded):
    _evaluate(crowded)
    results = crowded.load_evaluation_results("eval", cache=False)
    run = crowded._doc.evaluations["eval"]
    run.results.seek(0)
    assert json.loads(run.results.read()) == json.loads(json.dumps(results.serialize()))


def test_evaluate_detections__what_does_not_count_matches_nothing_again(predicted):
    _evaluate(predicted)
    sample = predicted.first()
    sample.tags.append("looked at")
    sample.ground_truth.detections[0]["remark"] = "well drawn"
    sample.save()
    assert _evaluate(predicted).changed == ()


@pytest.mark.parametrize("attribute", ["label", "bounding_box", "iscrowd"])
def test_evaluate_detections__what_counts_does(predicted, attribute):
    _evaluate(predicted)
    sample = predicted.first()
    values = {"label": "dog", "bounding_box": [0.1, 0.2, 0.3, 0.4], "iscrowd": True}
    sample.ground_truth.detections[0][attribute] = values[attribute]
    sample.save()
    again = _evaluate(predicted)
    assert again.changed == (sample.id,)


def test_evaluate_detections__a_changed_prediction_counts(predicted):
    _evaluate(predicted)
    sample = predicted.last()
    sample.predictions.detections[0].confidence = 0.1
    sample.save()
    assert _evaluate(predicted).changed == (sample.id,)


def test_load_kept__survives_a_rename_and_goes_with_the_run(predicted):
    _evaluate(predicted)
    predicted.rename_evaluation("eval", "other")
    assert _evaluate(predicted, "other").changed == ()
    run_id = run_ids(predicted)["other"]
    assert load_kept(run_id) is not None
    predicted.delete_evaluation("other")
    _evaluate(predicted, "next")
    assert load_kept(run_id) is None
    database = foo.get_db_conn()
    assert database["fs.files"].count_documents({"filename": f"relabel_evaluation_{run_id}"}) == 0


def test_evaluate_detections__a_stock_run_is_replaced(predicted):
    predicted.evaluate_detections(
        "predictions", gt_field="ground_truth", eval_key="eval", progress=False
    )
    view = predicted.match_tags("even")
    again = _evaluate(view)
    assert len(again.changed) == 3
    others = predicted.match_tags("odd")
    assert others.count("predictions.detections.eval") == 0
    assert others.count("eval_tp") == 0
    assert len(predicted.load_evaluation_view("eval")) == 3


def _files():
    return foo.get_db_conn()["fs.files"].distinct("_id")


class _Full(Exception):
    """The disk is full."""


class _FailsLater(MarkWriter):
    """Writes everything, then fails."""

    def write(self, *args):
        super().write(*args)
        raise _Full


def _fail(*_):
    raise _Full


@pytest.fixture(params=[("MarkWriter", _FailsLater), ("draft_kept", _fail), ("save_run", _fail)])
def fails_late(request):
    """Evaluations fail after they have written some or nearly all; returns what ends that."""

    def begin():
        patched = pytest.MonkeyPatch()
        request.addfinalizer(patched.undo)
        name, failing = request.param
        patched.setattr(f"relabel.evaluation.detections.{name}", failing)
        return patched.undo

    return begin


def test_evaluate_detections__a_failure_leaves_the_old_run_whole(predicted, fails_late):
    _evaluate(predicted)
    before = _written(predicted, "eval")
    sample = predicted.first()
    sample.predictions.detections.pop()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.1, 0.1]
    sample.save()
    marked = _written(predicted, "eval")[0]
    files = _files()
    mend = fails_late()
    with pytest.raises(_Full):
        _evaluate(predicted)
    predicted.reload()
    assert _written(predicted, "eval") == (marked, before[1])
    assert _files() == files
    mend()
    assert _evaluate(predicted).changed == (sample.id,)


def test_evaluate_detections__a_failure_does_not_hide_that_a_process_was_killed_before(
    predicted, fails_late
):
    _evaluate(predicted)
    marks = _written(predicted, "eval")[0]
    begin_writing(run_ids(predicted)["eval"])
    predicted.set_field("predictions.detections.eval", "nonsense").save()
    mend = fails_late()
    with pytest.raises(_Full):
        _evaluate(predicted)
    mend()
    _evaluate(predicted)
    assert _written(predicted, "eval")[0] == marks


def test_evaluate_detections__a_failure_leaves_no_first_run(predicted, fails_late):
    files = _files()
    fails_late()
    with pytest.raises(_Full):
        _evaluate(predicted)
    assert predicted.list_evaluations() == []
    assert predicted.get_field("predictions.detections.eval") is None
    assert _files() == files


def test_evaluate_detections__cancelling_changes_nothing(predicted):
    def cancel(done, total):
        raise _Full

    with pytest.raises(_Full):
        _evaluate(predicted, progress=cancel)
    assert predicted.list_evaluations() == []


def test_evaluate_detections__the_fields_of_a_run_stay(predicted):
    _evaluate(predicted)
    predicted.clone_sample_field("predictions", "others")
    with pytest.raises(EvaluationError, match="compares predictions with ground_truth"):
        evaluate_detections(predicted, "others", "ground_truth", eval_key="eval")
