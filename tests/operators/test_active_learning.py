from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import delegate, execute, form, problems, requests_of, texts

NAME = "select_for_active_learning"


@pytest.fixture
def unsure(dataset):
    """Six samples, far apart; the model is sure of all but the third and the fifth."""
    dataset.set_values("vectors", list(np.eye(6)))
    confidences = [0.99, 0.98, 0.5, 0.99, 0.6, 0.97]
    dataset.set_values(
        "predictions", [fo.Classification(label="a", confidence=number) for number in confidences]
    )
    return dataset


def test_select_for_active_learning__the_least_sure(unsure):
    done = execute(NAME, unsure, {"count": 2})
    ids = unsure.values("id")
    assert set(done.result["sample_ids"]) == {ids[2], ids[4]}
    assert done.result["measured_from"] == "confidence alone, as of two classes"
    assert unsure.count_sample_tags()["uncertain"] == 2
    assert unsure.load_saved_view("uncertain").values("id") == done.result["sample_ids"]
    assert requests_of(done)[-1] == "set_view"


def test_select_for_active_learning__not_two_alike(unsure):
    vectors = np.eye(6)
    vectors[4] = vectors[2]
    unsure.set_values("vectors", list(vectors))
    chosen = set(execute(NAME, unsure, {"count": 2}).result["sample_ids"])
    ids = unsure.values("id")
    assert len(chosen & {ids[2], ids[4]}) == 1


def test_select_for_active_learning__disagreement(dataset):
    dataset.set_values("vectors", list(np.eye(6)))
    dataset.clone_sample_field("ground_truth", "predictions")
    odd = dataset.skip(3).first()
    odd.predictions = fo.Detections()
    odd.save()
    params = {"count": 1, "measure": "disagreement", "other_predictions": "ground_truth"}
    assert problems(form(NAME, dataset, params)) == []
    done = execute(NAME, dataset, params)
    assert done.result["sample_ids"] == [odd.id]
    assert done.result["measured_from"] == "predictions and ground_truth"


def test_select_for_active_learning__with_all_other_wishes(unsure):
    """The measure, a field that is preferred, what is labelled, and a limit, all at once."""
    ids = unsure.values("id")
    unsure.set_values("worth", [1.0, 1.0, 1.0, 9.0, 9.0, None])
    unsure.set_values("scene", ["a", "a", "b", "b", "c", "c"])
    unsure.select(ids[2]).tag_samples("done")
    params = {"weight_field": "worth", "limit_field": "scene", "most": 1, "labelled_tag": "done"}
    done = execute(NAME, unsure, {**params, "count": 5})
    # Confidence .6 times 9 comes before .98 times 1; of each scene one.
    assert [ids.index(key) for key in done.result["sample_ids"]] == [4, 3, 1]
    for count in (1, 2):
        first = execute(NAME, unsure, {**params, "count": count}).result["sample_ids"]
        assert first == done.result["sample_ids"][:count]


def test_select_for_active_learning__a_preferred_field_that_is_empty(unsure):
    unsure.add_sample_field("worth", fo.FloatField)
    with pytest.raises(ExecutionError, match="'worth' holds no number"):
        execute(NAME, unsure, {"count": 2, "weight_field": "worth"})
    assert unsure.list_runs() == []


def test_select_for_active_learning__strength(unsure):
    """At 0 the measure does not count: the same are chosen as without it."""
    none = execute(NAME, unsure, {"count": 4, "strength": 0}).result["sample_ids"]
    assert none == execute("select_unique", unsure, {"count": 4}).result["sample_ids"]


def test_select_for_active_learning__nothing_to_compare_with(dataset):
    fields = form(NAME, dataset, {"measure": "disagreement"})
    assert any("No other field is of the type of 'ground_truth'" in p for p in problems(fields))
    dataset.delete_sample_field("ground_truth")
    fields = form(NAME, dataset, {"measure": "disagreement"})
    assert any("Apply a model first" in p for p in problems(fields))


def test_select_for_active_learning__delegated(unsure):
    run = delegate(NAME, unsure, {"count": 3, "measure": "margin"})
    assert run.run_state == "completed", run.result.error
    assert run.result.result["selected"] == 3


def test_resolve_input__says_what_is_measured(unsure):
    assert "as of two classes" in texts(form(NAME, unsure))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"predictions": "nonsense"}, "no field of classifications"),
        ({"measure": "disagreement", "other_predictions": "ground_truth"}, "No other field"),
        ({"count": 7}, "7 samples cannot be selected out of 6"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(unsure, params, problem):
    assert any(problem in text for text in problems(form(NAME, unsure, params)))
    with pytest.raises(ExecutionError):
        execute(NAME, unsure, params)
    assert unsure.list_saved_views() == []
    assert set(unsure.count_sample_tags()) == {"even", "odd"}
