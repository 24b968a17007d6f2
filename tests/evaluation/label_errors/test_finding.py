from __future__ import annotations

import fiftyone as fo
import fiftyone.core.patches as fop
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.errors import EvaluationError
from relabel.evaluation.label_errors import finding
from relabel.evaluation.label_errors.finding import find_label_errors
from relabel.evaluation.label_errors.runs import (
    delete_label_errors,
    label_error_runs,
    load_label_errors,
)
from relabel.evaluation.label_errors.suspicion import ErrorType
from relabel.evaluation.matching.options import EvaluationOptions

FIELDS = ("predictions", "ground_truth")


def labels(dataset, field="ground_truth"):
    """What the labels of a field hold in the database."""
    found = dataset._sample_collection.find({}, {f"{field}.detections": 1})
    return {str(one["_id"]): one[field]["detections"] for one in found}


def test_find_label_errors__view_holds_whole_images_worst_first(world):
    queue = find_label_errors(world, *FIELDS)
    view = queue.view(world)
    assert not isinstance(view, fop.PatchesView)
    assert view.first().id == queue.errors[0].sample_id
    whole = world.select(view.values("id"))
    assert view.count("ground_truth.detections") == whole.count("ground_truth.detections")


def test_find_label_errors__the_view_is_saved_and_replaced(world):
    for most in (5, 3):
        queue = find_label_errors(world, *FIELDS, most=most)
        saved = world.load_saved_view("label_errors")
        assert saved.values("id") == list(queue.sample_ids)
    find_label_errors(world, *FIELDS, classes=["none"])
    assert world.list_saved_views() == [], "nothing was found"


@pytest.mark.parametrize("name", ["label_errors", "Label errors"])
def test_find_label_errors__leaves_the_views_of_others_alone(world, name):
    world.save_view(name, world.limit(1))
    with pytest.raises(EvaluationError, match="There is a saved view"):
        find_label_errors(world, *FIELDS)
    assert len(world.load_saved_view(name)) == 1


def test_find_label_errors__marks_the_suspects_and_nothing_else(world):
    before = labels(world)
    queue = find_label_errors(world, *FIELDS)
    marked = {
        (sample_id, str(label["_id"]))
        for field in FIELDS
        for sample_id, of_sample in labels(world, field).items()
        for label in of_sample
        if "label_error" in label
    }
    assert marked == {
        (error.sample_id, error.label_id or error.prediction_id) for error in queue.errors
    }
    names = ("label_error", "label_error_score", "label_error_instead")
    bare = {
        sample_id: [
            {name: value for name, value in label.items() if name not in names}
            for label in of_sample
        ]
        for sample_id, of_sample in labels(world).items()
    }
    assert bare == before


def test_find_label_errors__marks_can_be_filtered_in_the_app(world):
    queue = find_label_errors(world, *FIELDS)
    kinds = [str(error.type) for error in queue.errors if error.label_id]
    assert world.count_values("ground_truth.detections.label_error")["bad box"] == kinds.count(
        "bad box"
    )
    assert world.bounds("ground_truth.detections.label_error_score")[1] <= 1


def test_find_label_errors__again_replaces(world):
    find_label_errors(world, *FIELDS)
    queue = find_label_errors(world, *FIELDS, types=[ErrorType.DUPLICATE], most=2)
    assert len(queue.errors) == 2
    counts = world.count_values("ground_truth.detections.label_error")
    assert counts["duplicate"] == 2
    assert set(counts) == {"duplicate", None}
    assert label_error_runs(world) == ["label_errors"]
    assert load_label_errors(world) == queue


def test_load_label_errors__is_what_was_found(world):
    queue = find_label_errors(world, *FIELDS)
    assert load_label_errors(world) == queue
    copy = world.clone()
    copy._clear_cache() if hasattr(copy, "_clear_cache") else None
    assert load_label_errors(copy).errors == queue.errors
    copy.delete()


def test_delete_label_errors__leaves_no_trace(world):
    before, schema = (
        (labels(world), labels(world, "predictions")),
        world.get_field_schema(flat=True),
    )
    find_label_errors(world, *FIELDS)
    delete_label_errors(world)
    assert (labels(world), labels(world, "predictions")) == before
    assert set(world.get_field_schema(flat=True)) == set(schema)
    assert (world.list_runs(), world.list_saved_views()) == ([], [])
    with pytest.raises(EvaluationError, match="Find label errors first"):
        delete_label_errors(world)


def test_find_label_errors__stock_deletes_the_run_and_the_next_one_the_marks(world):
    find_label_errors(world, *FIELDS)
    world.delete_run("label_errors")
    find_label_errors(world, *FIELDS, most=1)
    marked = [
        label
        for field in FIELDS
        for of_sample in labels(world, field).values()
        for label in of_sample
        if "label_error" in label
    ]
    assert len(marked) == 1


def test_find_label_errors__oracle_says_what_fixing_could_give(world):
    queue = find_label_errors(world, *FIELDS)
    by_type = {one.type: one for one in queue.summaries}
    assert sum(one.count for one in queue.summaries) == len(queue.errors)
    assert by_type[ErrorType.WRONG_CLASS].map_fixed > queue.map_now
    for one in queue.summaries:
        assert one.expected <= one.count


@pytest.mark.parametrize("kind", list(ErrorType))
def test_find_label_errors__oracle_is_the_score_once_all_of_a_type_are_fixed(world, kind):
    queue = find_label_errors(world, *FIELDS, least=0.02)
    errors = [error for error in queue.errors if error.type is kind]
    assert errors
    for error in errors:
        _fix(world, error)
    score = evaluate_detections(world, *FIELDS, eval_key="fixed").score
    [said] = [one.map_fixed for one in queue.summaries if one.type is kind]
    assert said == pytest.approx(score.map, abs=1e-9)


def _fix(dataset, error):
    """As the suspicion says."""
    sample = dataset[error.sample_id]
    labels = sample.ground_truth.detections
    own = next((label for label in labels if label.id == error.label_id), None)
    found = sample.predictions.detections
    seen = next((label for label in found if label.id == error.prediction_id), None)
    if error.type is ErrorType.MISSING:
        labels.append(fo.Detection(label=seen.label, bounding_box=seen.bounding_box))
    elif error.type in (ErrorType.DUPLICATE, ErrorType.SPURIOUS):
        labels.remove(own)
    elif error.type is ErrorType.WRONG_CLASS:
        own.label = error.instead
    elif error.type is ErrorType.BAD_BOX:
        own.bounding_box = seen.bounding_box
    else:
        own[error.attribute] = error.instead
    sample.save()


def test_find_label_errors__of_some_classes(world):
    queue = find_label_errors(world, *FIELDS, classes=["cat"])
    assert queue.errors
    assert all("cat" in (error.label, error.instead) for error in queue.errors)


def test_find_label_errors__impossible_labels_are_reported_and_the_rest_is_judged(world):
    whole = find_label_errors(world, *FIELDS)
    samples = [world.first(), world.skip(1).first(), world.skip(2).first()]
    samples[0].ground_truth.detections[0].bounding_box = [0.5, 0.5, -0.1, 0.1]
    samples[1].ground_truth.detections[0].bounding_box = [float("nan")] * 4
    samples[2].predictions.detections[0].confidence = None
    for sample in samples:
        sample.save()
    queue = find_label_errors(world, *FIELDS)
    assert {bad.sample_id for bad in queue.invalid} == {sample.id for sample in samples}
    assert len(queue.errors) > 0.8 * len(whole.errors)


def test_find_label_errors__predictions_of_a_part(world):
    """What the model has not looked at is left out and named; the rest is judged as if alone."""
    world.skip(40).set_field("predictions", None).save()
    alone = find_label_errors(world.exists("predictions"), *FIELDS)
    queue = find_label_errors(world, *FIELDS)
    assert queue.unpredicted == tuple(world.skip(40).values("id"))
    assert (queue.errors, queue.map_now) == (alone.errors, alone.map_now)
    assert alone.unpredicted == ()


def test_find_label_errors__nothing_is_predicted(world):
    world.set_field("predictions", None).save()
    with pytest.raises(EvaluationError, match="Apply a model"):
        find_label_errors(world, *FIELDS)


@pytest.mark.parametrize("fields", [("predictions", "filepath"), ("none", "ground_truth")])
def test_find_label_errors__a_field_of_another_type(world, fields):
    with pytest.raises(EvaluationError, match="Choose from: ground_truth, predictions"):
        find_label_errors(world, *fields)


def test_find_label_errors__a_confidence_without_end(world):
    """Only the order of confidences counts."""
    before = find_label_errors(world, *FIELDS).errors
    sample = world.first()
    surest = max(world.max("predictions.detections.confidence"), 0.99)
    sample.predictions.detections[0].confidence = surest + 1
    sample.save()
    finite = find_label_errors(world, *FIELDS).errors
    sample.predictions.detections[0].confidence = float("inf")
    sample.save()
    assert find_label_errors(world, *FIELDS).errors == finite
    assert len(finite) > 0.8 * len(before)


def test_find_label_errors__cancelled_writes_nothing(world):
    class Stopped(Exception):
        pass

    def stop(done, total):
        if done == total - 1:
            raise Stopped

    before = labels(world)
    with pytest.raises(Stopped):
        find_label_errors(world, *FIELDS, progress=stop)
    assert labels(world) == before
    assert world.list_runs() == []


def test_find_label_errors__attributes_that_the_model_predicts(world):
    for sample in world:
        for label in (*sample.ground_truth.detections, *sample.predictions.detections):
            label["occluded"] = False
        sample.save()
    world.add_dynamic_sample_fields()
    wrong = world.last()
    wrong.ground_truth.detections[0]["occluded"] = True
    wrong.predictions.detections[0].confidence = 0.999
    wrong.predictions.detections[0].bounding_box = wrong.ground_truth.detections[0].bounding_box
    wrong.predictions.detections[0].label = wrong.ground_truth.detections[0].label
    wrong.save()
    queue = find_label_errors(world, *FIELDS, least=0.001)
    found = [error for error in queue.errors if error.attribute == "occluded"]
    assert [error.label_id for error in found] == [wrong.ground_truth.detections[0].id]
    assert found[0].instead is False


@pytest.mark.parametrize("said", ["by the evaluation", "by the caller"])
def test_find_label_errors__crowds_are_marked_by_another_attribute(world, said):
    expected = find_label_errors(world, *FIELDS)
    for field in FIELDS:
        path = f"{field}.detections"
        world.set_values(f"{path}.heap", world.values(f"{path}.iscrowd"), dynamic=True)
        world.set_values(f"{path}.iscrowd", [[None] * len(n) for n in world.values(path)])
    given = {"iscrowd": "heap"}
    if said == "by the evaluation":
        evaluate_detections(world, *FIELDS, eval_key="of_before")  # its name is the last, not it
        evaluate_detections(world, *FIELDS, eval_key="now", options=EvaluationOptions(**given))
        given = {}
    queue = find_label_errors(world, *FIELDS, **given)
    heaps = [error for error in queue.errors if error.attribute == "heap"]
    assert heaps
    assert len(queue.errors) == len(expected.errors)
    assert queue.map_now == expected.map_now
    of_attribute = {one.type: one.map_fixed for one in queue.summaries}[ErrorType.ATTRIBUTE]
    assert of_attribute == expected.summaries[-1].map_fixed != queue.map_now


@pytest.mark.parametrize("key", ["", "not a key", None])
def test_find_label_errors__bad_key(world, key):
    with pytest.raises(EvaluationError, match="cannot name a queue"):
        find_label_errors(world, *FIELDS, key=key)


def test_find_label_errors__key_of_another_run(world):
    world.register_run("other", world.init_run(method="something"))
    with pytest.raises(EvaluationError, match="another kind"):
        find_label_errors(world, *FIELDS, key="other")


def test_find_label_errors__that_cannot_be_kept_leaves_the_marks_of_before(world, monkeypatch):
    def full(view, queue):
        raise MemoryError

    find_label_errors(world, *FIELDS)
    before = labels(world)
    monkeypatch.setattr(finding, "store_label_errors", full)
    with pytest.raises(MemoryError):
        find_label_errors(world.limit(20), *FIELDS)
    assert labels(world) == before


def test_find_label_errors__names_the_other_of_two_labels_and_the_value_that_is_doubted(world):
    queue = find_label_errors(world, *FIELDS)
    double = next(one for one in queue.errors if one.type is ErrorType.DUPLICATE)
    labels = {label.id: label for label in world[double.sample_id].ground_truth.detections}
    twin, own = labels[double.twin_id], labels[double.label_id]
    assert twin is not own
    assert twin.label == own.label
    assert twin.bounding_box == pytest.approx(own.bounding_box, abs=0.1)
    crowd = next(one for one in queue.errors if one.attribute == "iscrowd")
    assert crowd.value is not crowd.instead
    assert load_label_errors(world) == queue
