"""The ledger's panel, its methods as the React half calls them. None may ever raise."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict

import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext, Executor

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.label_errors.finding import find_label_errors
from relabel.evaluation.label_errors.settling import settle_suspicions
from relabel.evaluation.label_errors.suspicion import ErrorType
from relabel.evaluation.ledger.entries import PULL, UNDO, Cost, load_entries
from relabel.evaluation.ledger.recording import Occasion, Pulled, evaluate_again

PANEL = "@relabel/cvat/improvement"


def call(dataset, method, **params):
    """Calls a method; returns its answer and the samples of the view that it shows, if any."""
    request = {"panel_id": "p", "__method__": method, "panel_state": {}, **params}
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": request},
        executor=Executor(),
        operator_uri=PANEL,
    )
    answer = foo.get_operator(PANEL).execute(ctx)
    shown = [
        stage["kwargs"][0][1]
        for sent in ctx.executor._requests
        if sent.operator_uri.rpartition("/")[-1] == "set_view"
        for stage in sent.params["view"]
    ]
    return json.loads(json.dumps(answer)), shown


@pytest.fixture
def evaluated(dataset):
    """A model that finds all there is; in two images a cat is called a dog."""
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    for index in (0, 2):
        relabel(dataset, index, "dog")
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    return dataset


def relabel(dataset, index, name):
    sample = dataset.skip(index).first()
    sample.ground_truth.detections[0].label = name
    sample.save()
    return sample.id


def again(dataset, key, *sample_ids, cause=PULL, cost=None, finished=(), **kwargs):
    pulls = [Pulled(key, cost, finished)] if cost else []
    occasion = Occasion(cause, key, ["ground_truth"], sample_ids, pulls, **kwargs)
    (entry,) = evaluate_again(dataset, occasion)
    return entry


@pytest.fixture
def mended(evaluated):
    """Two rounds, of which each puts one label right."""
    again(evaluated, "first", relabel(evaluated, 0, "cat"), cost=Cost(3, 2.5))
    again(evaluated, "second", relabel(evaluated, 2, "cat"), cost=Cost(1))
    return evaluated


def test_render__hands_over_every_method(dataset):
    ctx = ExecutionContext(
        request_params={"dataset_name": dataset.name, "params": {}}, operator_uri=PANEL
    )
    view = foo.get_operator(PANEL).render(ctx).to_json()["view"]
    assert view["component"] == "RelabelImprovement"
    for method in ("refresh", "details", "show_samples", "export", "try_again"):
        assert view[method] == f"{PANEL}#{method}"


def test_refresh__nothing_was_evaluated(dataset):
    answer, _ = call(dataset, "refresh")
    assert (answer["evaluations"], answer["others"]) == ([], [])


def test_refresh__evaluations_of_stock_are_named(evaluated):
    evaluated.evaluate_detections("predictions", "ground_truth", eval_key="stock")
    answer, _ = call(evaluated, "refresh")
    assert ([one["key"] for one in answer["evaluations"]], answer["others"]) == (
        ["eval"],
        ["stock"],
    )


def test_refresh__the_score_around_each_round(mended):
    first, second = load_entries(mended)
    (evaluation,) = call(mended, "refresh")[0]["evaluations"]
    assert (evaluation["key"], evaluation["samples"], evaluation["map"]) == ("eval", 6, 1.0)
    told = evaluation["entries"]
    assert [one["round"] for one in told] == ["first", "second"]
    assert [one["caught_up"] for one in told] == [[], []]
    assert [one["before"] for one in told] == [first.before.map, first.after.map]
    assert [one["after"] for one in told] == [second.before.map, 1.0]
    assert [one["follows"] for one in told] == [False, True]
    assert (told[0]["low"], told[0]["high"]) == (first.difference.low, first.difference.high)
    assert [(one["labels"], one["minutes"]) for one in told] == [(3, 2.5), (1, None)]
    assert [(one["changed"], one["mended"]) for one in told] == [(1, 1), (1, 1)]


def test_refresh__other_predictions_begin_anew(mended):
    sample = mended.last()
    sample.predictions.detections[0].label = "fish"
    sample.save()
    evaluate_detections(mended, "predictions", "ground_truth", eval_key="eval")
    again(mended, "third", relabel(mended, 1, "dog"))
    told = call(mended, "refresh")[0]["evaluations"][0]["entries"]
    assert [one["follows"] for one in told] == [False, True, False]


def test_refresh__the_evaluation_that_was_touched_last_comes_first(mended):
    others = mended.skip(3)
    evaluate_detections(others, "predictions", "ground_truth", eval_key="others")
    answer, _ = call(mended, "refresh")
    assert [one["key"] for one in answer["evaluations"]] == ["eval", "others"]
    mended.rename_evaluation(
        "eval", "z"
    )  # what is made first comes first, if nothing else decides
    evaluate_again(mended, Occasion(PULL, "third", ["ground_truth"], [relabel(mended, 3, "dog")]))
    answer, _ = call(mended, "refresh")
    assert [one["key"] for one in answer["evaluations"]] == ["z", "others"]


def test_refresh__says_little_when_nothing_is_new(mended):
    version = call(mended, "refresh")[0]["version"]
    assert call(mended, "refresh", known=version)[0] == {"version": version, "evaluations": None}
    again(mended, "second", relabel(mended, 2, "dog"), cause=UNDO)
    answer, _ = call(mended, "refresh", known=version)
    assert answer["version"] != version
    assert len(answer["evaluations"][0]["entries"]) == 3


def test_refresh__says_what_could_not_be_evaluated_again_and_try_again_does_it(mended):
    version = call(mended, "refresh")[0]["version"]
    mended.rename_sample_field("predictions", "old")
    occasion = Occasion(PULL, "third", ["ground_truth"], [relabel(mended, 2, "dog")])
    assert evaluate_again(mended, occasion) == []
    answer, _ = call(mended, "refresh", known=version)
    (missing,) = answer["unmeasured"]
    assert (missing["rounds"], missing["eval_key"]) == (["third"], "eval")
    assert missing["message"].endswith("'predictions' is no field of the dataset.")
    assert call(mended, "try_again")[0] == {"entries": 0}
    mended.rename_sample_field("old", "predictions")
    assert call(mended, "try_again")[0] == {"entries": 1}
    answer, _ = call(mended, "refresh", known=answer["version"])
    assert answer["unmeasured"] == []
    assert [one["round"] for one in answer["evaluations"][0]["entries"]][-1] == "third"


def test_details__by_class_and_by_type_of_error(mended):
    answer, _ = call(mended, "details", eval_key="eval", number=0)
    (entry, _) = load_entries(mended)
    by_name = {one["name"]: one for one in answer["classes"]}
    cat = by_name["cat"]
    assert (cat["before"], cat["after"]) == (
        entry.before.by_class["cat"],
        entry.after.by_class["cat"],
    )
    assert cat["low"] <= cat["after"] - cat["before"] <= cat["high"]
    assert cat["changed"] == 1
    errors = {one["name"]: (one["before"], one["after"]) for one in answer["errors"]}
    assert errors["wrong class"] == (2, 1)
    assert answer["errors"][0]["name"] == "wrong class", "what changed most comes first"


def test_show_samples__behind_each_figure(mended):
    first = mended.first().id
    behind = {"eval_key": "eval", "number": 0}
    for figure in ({}, {"kind": "mended"}, {"kind": "class", "name": "cat"}):
        answer, shown = call(mended, "show_samples", **behind, **figure)
        assert (answer, shown) == ({"shown": 1, "gone": 0}, [[first]])
    _, shown = call(mended, "show_samples", **behind, kind="error", name="wrong class")
    assert shown == [[first]]


def test_show_samples__behind_all_entries(mended):
    ids = mended.values("id")
    again(mended, "third", relabel(mended, 2, "dog"))
    _, shown = call(mended, "show_samples", eval_key="eval", kind="mended")
    assert shown == [[ids[0], ids[2]]]


def test_show_samples__of_suspicions_and_what_became_of_them(world):
    evaluate_detections(world, "predictions", "ground_truth", eval_key="eval")
    queue = find_label_errors(world, "predictions", "ground_truth")
    wrong = next(error for error in queue.errors if error.type is ErrorType.WRONG_CLASS)
    sample = world[wrong.sample_id]
    for label in sample.ground_truth.detections:
        if label.id == wrong.label_id:
            label.label = wrong.instead
    sample.save()
    settled = settle_suspicions(world, queue.sample_ids, round_key="r")
    suspicions = [{**asdict(one), "precision": one.precision} for one in settled]
    again(world, "r", sample.id, suspicions=suspicions)
    behind = {"eval_key": "eval", "number": 0, "kind": "suspicion"}

    told, _ = call(world, "details", eval_key="eval", number=0)
    by_type = {one["type"]: one for one in told["suspicions"]}
    assert by_type["wrong class"]["fixed"] == 1
    _, shown = call(world, "show_samples", **behind, name="wrong class", verdict="fixed")
    assert shown == [[sample.id]]
    answer, _ = call(world, "show_samples", **behind, name="", verdict="model_wrong")
    assert answer["shown"] > 1
    answer, shown = call(world, "show_samples", **behind, name="wrong class", verdict="left")
    assert ("any more" in answer["error"]["message"], shown) == (True, [])


def test_show_samples__that_were_deleted(mended):
    mended.delete_samples([mended.first().id])
    answer, shown = call(mended, "show_samples", eval_key="eval", number=0)
    assert "any more" in answer["error"]["message"]
    assert shown == []


def test_show_samples__of_a_round_that_changed_nothing(evaluated):
    sample_id = evaluated.first().id
    again(evaluated, "r", finished=[sample_id], cost=Cost(0, 2.5))
    (told,) = call(evaluated, "refresh")[0]["evaluations"][0]["entries"]
    assert (told["before"], told["labels"], told["minutes"]) == (told["after"], 0, 2.5)
    answer, _ = call(evaluated, "show_samples", eval_key="eval", number=0)
    assert answer["error"]["message"] == "No sample is behind this figure."


@pytest.mark.parametrize("method", ["details", "show_samples"])
def test_methods__of_an_entry_that_is_gone(evaluated, method):
    answer, _ = call(evaluated, method, eval_key="eval", number=0)
    assert "no entry 0 any more" in answer["error"]["message"]


def test_export__as_csv(mended):
    answer, _ = call(mended, "export", eval_key="eval")
    assert answer["name"] == f"{mended.name}-eval.csv"
    rows = csv.DictReader(io.StringIO(answer["text"]))
    assert [row["round"] for row in rows if row["measure"] == "mAP"] == ["first", "second"]
