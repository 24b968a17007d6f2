from __future__ import annotations

import pytest
from fiftyone.operators.executor import ExecutionError

from .app import button, context, delegate, execute, form, operator, problems, requests_of

NAME = "tag_for_annotation"
TAG = "requires_annotation"


def _tagged(dataset, tag=TAG):
    return dataset.match_tags(tag).values("id")


def test_execute__one_click_tags_the_selected(dataset):
    ids = dataset.values("id")[1:3]
    done = execute(NAME, dataset, selected=ids)
    assert done.result == {"tag": TAG, "action": "add", "samples": 2, "changed": 2}
    assert _tagged(dataset) == ids
    assert "reload_dataset" in requests_of(done)


def test_execute__removes_the_tag(dataset):
    dataset.tag_samples(TAG)
    ids = dataset.values("id")
    done = execute(NAME, dataset, {"action": "remove"}, selected=ids[:2])
    assert done.result["changed"] == 2
    assert _tagged(dataset) == ids[2:]


def test_execute__says_how_many_had_it_already(dataset):
    dataset.limit(1).tag_samples(TAG)
    done = execute(NAME, dataset, {"view_target": "DATASET"})
    assert (done.result["samples"], done.result["changed"]) == (6, 5)


def test_execute__current_view_and_own_tag(dataset):
    view = dataset.match_tags("even")
    done = execute(NAME, dataset, {"view_target": "CURRENT_VIEW", "tag": "mine"}, view=view)
    assert done.result["samples"] == 3
    assert _tagged(dataset, "mine") == view.values("id")


def test_execute__selected_patches_tag_their_samples(predicted):
    patches = predicted.to_patches("ground_truth")
    first = patches.first()
    execute(NAME, predicted, view=patches, selected=[first.id])
    assert _tagged(predicted) == [first.sample_id]


def test_execute__nothing_selected_tags_nothing(dataset):
    with pytest.raises(ExecutionError, match="No samples are selected"):
        execute(NAME, dataset)
    assert _tagged(dataset) == []


@pytest.mark.parametrize("params", [{"tag": " "}, {"tag": 3}, {"action": "explode"}])
def test_execute__bad_input_changes_nothing(dataset, params):
    before = dataset.values("tags")
    with pytest.raises(ExecutionError):
        execute(NAME, dataset, {"view_target": "DATASET", **params})
    assert dataset.values("tags") == before


def test_execute__delegated(dataset):
    run = delegate(NAME, dataset, selected=dataset.values("id")[:1])
    assert run.run_state == "completed"
    assert run.result.result["changed"] == 1
    shown = execute("show_result", dataset, {"operation": str(run.id)})
    assert requests_of(shown) == ["reload_dataset", "show_output"]
    assert shown.result["changed"] == 1


def test_resolve_input__says_how_many_before_the_click(dataset):
    assert button(NAME, dataset) == "Tag 6 samples"
    assert button(NAME, dataset, selected=dataset.values("id")[:1]) == "Tag 1 sample"
    remove = {"action": "remove", "view_target": "DATASET"}
    assert button(NAME, dataset, remove) == "Untag 6 samples"
    assert problems(form(NAME, dataset)) == []


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"tag": ""}, "The tag is empty"),
        ({"view_target": "SELECTED_SAMPLES"}, "No samples are selected"),
    ],
)
def test_resolve_input__problems(dataset, params, problem):
    [found] = problems(form(NAME, dataset, params))
    assert problem in found


def test_resolve_placement__asks_only_without_a_selection(dataset):
    for selected, prompt in (([], True), (dataset.values("id")[:1], False)):
        ctx = context(NAME, dataset, selected=selected)
        placement = operator(NAME).resolve_placement(ctx).to_json()
        assert placement["view"]["prompt"] is prompt
        assert placement["view"]["icon"]
