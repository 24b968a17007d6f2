from __future__ import annotations

import shutil
from pathlib import Path

import fiftyone as fo
import fiftyone.operators.delegated as food
import numpy as np
import pytest
from bson import ObjectId
from fiftyone.operators.executor import ExecutionError

from relabel.annotation import Request, RoundField, field_facts, make_plan, push
from relabel.cvat import CvatClient

from .app import context, execute, form, module_of_plugin, operator, problems, requests_of, texts

VECTORS = {"embeddings": "field", "vector_field": "vectors"}


@pytest.fixture
def circle(dataset):
    """Two near each other at 0, 90 and 180 degrees."""
    angles = np.deg2rad([0, 1, 90, 91, 180, 181])
    dataset.set_values("vectors", list(np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    dataset.set_values("uncertainty", [0.1, 0.1, 0.1, 0.1, 0.1, 1.0])
    dataset.set_values("weather", ["dry", "dry", "dry", "dry", "dry", "wet"])
    dataset.set_values("checked", [fo.Classification(label="yes"), *[None] * 5])
    return dataset


def chosen(dataset, params):
    done = execute("select_unique", dataset, {**VECTORS, **params})
    return [dataset.values("id").index(key) for key in done.result["sample_ids"]], done.result


def test_select_unique__beside_what_is_labelled(circle):
    found, result = chosen(circle, {"count": 2, "labelled_field": "checked"})
    assert sorted(place // 2 for place in found) == [1, 2]
    assert result["counted_as_chosen"] == 1
    assert result["radius_before"] == pytest.approx(2, abs=1e-3)
    assert result["radius_after"] < 0.02


def test_select_unique__beside_what_is_tagged_outside_the_view(circle):
    view = circle.match_tags("odd")
    circle.select(circle.values("id")[4]).tag_samples("done")
    params = {**VECTORS, "count": 2, "labelled_tag": "done", "view_target": "CURRENT_VIEW"}
    done = execute("select_unique", circle, params, view=view)
    places = [circle.values("id").index(key) for key in done.result["sample_ids"]]
    assert sorted(places) == [1, 3]
    assert done.result["samples"] == 4


def test_select_unique__beside_what_is_out_in_a_round(circle, cvat_config):
    schema = field_facts(circle, "ground_truth").to_schema()
    request = Request("round_1", (RoundField("ground_truth", schema),))
    with CvatClient(cvat_config) as client:
        record = push(circle, make_plan(circle.limit(2), request), client)
        found, result = chosen(circle, {"count": 2})
        assert sorted(place // 2 for place in found) == [1, 2]
        assert result["counted_as_chosen"] == 2
        _, result = chosen(circle, {"count": 2, "count_out": False})
        assert result["counted_as_chosen"] == 0
        for task in record.tasks:
            client.delete_task(task.id)


def test_select_unique__prefers_balances_limits(circle):
    found, _ = chosen(circle, {"count": 1, "weight_field": "uncertainty"})
    assert found == [5]
    found, _ = chosen(circle, {"count": 2, "balance_field": "weather"})
    assert 5 in found
    found, _ = chosen(circle, {"count": 6, "limit_field": "weather", "most": 2})
    assert len(found) == 3
    found, _ = chosen(circle, {"count": 6, "apart": 0.5})
    assert sorted(place // 2 for place in found) == [0, 1, 2]
    found, _ = chosen(circle, {"count": 6, "apart": 0.5, "more": False})
    assert len(found) == 6


def test_select_unique__coverage_within_a_distance_of_choice(circle):
    """That of near-duplicates, unless another is asked for."""
    _, result = chosen(circle, {"count": 1, "apart": 0.5})
    assert (result["alike"], result["share_after"]) == (0.5, pytest.approx(1 / 3))
    _, result = chosen(circle, {"count": 1, "apart": 0.5, "alike": 2})
    assert (result["alike"], result["share_after"]) == (2, 1)
    _, result = chosen(circle, {"count": 1, "alike": 2, "more": False})
    assert result["alike"] < 2


def test_select_unique__all_wishes_at_once(circle):
    """Near-duplicates left out, preferred, balanced, limited, beside what is labelled and out."""
    circle.set_values("vectors", list(np.concatenate([np.eye(5), np.eye(5)[:1]])))
    circle.select(circle.values("id")[1]).tag_samples("done")
    params = {
        "apart": 0.5,
        "weight_field": "uncertainty",
        "balance_field": "weather",
        "limit_field": "tags",
        "most": 2,
        "labelled_field": "checked",
        "labelled_tag": "done",
    }
    found, result = chosen(circle, {**params, "count": 4})
    # 0 and 1 count as chosen, 5 is the same as 0; 2 and 4 are even, 3 is odd.
    assert sorted(found) == [2, 3, 4]
    assert (result["counted_as_chosen"], result["radius_after"]) == (2, 0)
    for count in (1, 2):
        assert chosen(circle, {**params, "count": count})[0] == found[:count]


def test_select_unique__nothing_is_marked_if_nothing_is_left(circle):
    circle.select(circle.values("id")[2]).tag_samples("done")
    chosen(circle, {"count": 2, "name": "mine"})
    params = {"count": 2, "labelled_tag": "done", "apart": 2, "name": "mine", "replace": True}
    done = execute("select_unique", circle, {**VECTORS, **params})
    assert (done.result["selected"], done.result["saved_view"]) == (0, None)
    assert requests_of(done)[-1] == "reload_dataset"
    ctx = context("select_unique", circle)
    ctx.request_params["results"] = done.result
    assert "Nothing was left" in str(operator("select_unique").resolve_output(ctx).to_json())
    circle.reload()
    assert circle.load_saved_view("mine").count() == 2
    assert circle.list_runs() == circle.list_saved_views() == ["mine"]


@pytest.mark.parametrize("field", ["weight_field", "balance_field", "limit_field"])
def test_select_unique__by_a_field_that_is_empty(circle, field):
    circle.add_sample_field("empty", fo.FloatField if field == "weight_field" else fo.StringField)
    with pytest.raises(ExecutionError, match="'empty' holds no"):
        chosen(circle, {"count": 2, field: "empty"})
    assert circle.list_runs() == []


def test_select_unique__saved_under_a_free_name(circle):
    _, first = chosen(circle, {"count": 2, "number_field": "place"})
    _, second = chosen(circle, {"count": 3, "tag": ""})
    assert (first["name"], second["name"]) == ("unique", "unique_2")
    circle.reload()
    assert circle.load_saved_view("unique").values("place") == [1, 2]
    assert circle.load_saved_view("unique_2").values("id") == second["sample_ids"]
    assert circle.get_run_info("unique").config.compared_by == "vectors"


def test_select_unique__replaces_only_if_told(circle):
    chosen(circle, {"count": 2, "name": "mine"})
    fields = form("select_unique", circle, {**VECTORS, "name": "mine", "count": 2})
    assert any("There is a selection" in text for text in problems(fields))
    fields = form(
        "select_unique", circle, {**VECTORS, "name": "mine", "count": 2, "replace": True}
    )
    assert problems(fields) == []
    chosen(circle, {"count": 3, "name": "mine", "replace": True})
    assert circle.load_saved_view("mine").count() == 3
    assert circle.count_sample_tags()["unique"] == 3


def test_select_unique__output_says_what_fewer_would_cover(circle, monkeypatch):
    _, result = chosen(circle, {"count": 3})
    ctx = context("select_unique", circle)
    ctx.request_params["results"] = result
    shown = operator("select_unique").resolve_output(ctx).to_json()
    text = str(shown)
    assert "**3 selected**" in text
    assert "| 3 | 0.02 |" in text

    monkeypatch.setenv("FIFTYONE_CVAT_URL", "http://cvat.test")
    monkeypatch.setenv("FIFTYONE_CVAT_TOKEN", "token")
    button = shown["type"]["properties"]["send"]["view"]
    assert (button["label"], button["prompt"]) == ("Send 3 to CVAT", True)
    assert problems(form("send_to_cvat", circle, button["params"])) == []
    sent = form("send_to_cvat", circle, button["params"])
    assert sent["what"]["default"] == "saved_view"
    assert "3 images" in texts(sent)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"apart": 3, "more": True}, "no distance"),
        ({"alike": 3, "more": True}, "no distance"),
        ({"most": 0, "limit_field": "weather", "more": True}, "leaves none"),
        ({"name": "a b"}, "cannot name"),
        ({"number_field": "filepath", "marks": True}, "There is a field"),
    ],
)
def test_select_unique__bad_input_is_shown_and_refused(circle, params, problem):
    params = {**VECTORS, "count": 2, **params}
    assert any(problem in text for text in problems(form("select_unique", circle, params)))
    with pytest.raises(ExecutionError):
        execute("select_unique", circle, params)
    assert circle.list_saved_views() == circle.list_runs() == []


def test_select_unique__nothing_is_left_of_a_cancelled_one(circle):
    """A run that somebody marks as failed ends at its next report."""
    queued = execute("select_unique", circle, {**VECTORS, "count": 3}, request_delegation=True)
    service = food.DelegatedOperationService()
    run = service.get(ObjectId(queued.result["id"]))
    ctx = context("select_unique", circle, {**VECTORS, "count": 3}, run_doc=str(run.id))
    ctx.request_params["delegated"] = True
    service.set_failed(run.id)
    assert ctx.delegated
    with pytest.raises(Exception, match="cancelled"):
        operator("select_unique").execute(ctx)
    circle.reload()
    assert circle.list_saved_views() == circle.list_runs() == []


def test_find_duplicates__files(dataset):
    paths, ids = dataset.values("filepath"), dataset.values("id")
    shutil.copy(paths[0], paths[3])
    done = execute("find_duplicates", dataset, {"number_field": "group"})
    assert done.result["sample_ids"] == [[ids[0], ids[3]]]
    assert dataset.match_tags("duplicate").values("id") == [ids[3]]
    dataset.reload()
    assert dataset.values("group") == [1, None, None, 1, None, None]
    assert dataset.load_saved_view("duplicates").values("id") == [ids[0], ids[3]]
    assert requests_of(done)[-1] == "set_view"


def test_find_duplicates__names_the_files_that_it_could_not_read(dataset):
    ids, paths = dataset.values(["id", "filepath"])
    Path(paths[1]).unlink()
    result = execute("find_duplicates", dataset).result
    assert (result["groups"], result["unreadable_count"]) == (0, 1)
    assert result["unreadable"] == [f"{ids[1]} {paths[1]}"]
    ctx = context("find_duplicates", dataset)
    ctx.request_params["results"] = result
    shown = operator("find_duplicates").resolve_output(ctx).to_json()["type"]["properties"]
    assert list(shown) == ["unreadable_count", "unreadable"]


def test_find_duplicates__vectors_across_splits(circle):
    params = {**VECTORS, "by": "vectors", "distance": 0.1}
    done = execute("find_duplicates", circle, params)
    assert (done.result["groups"], done.result["redundant"]) == (3, 3)
    part = {**params, "view_target": "CURRENT_VIEW", "name": "part"}
    done = execute("find_duplicates", circle, part, view=circle[:3])
    assert (done.result["samples"], done.result["unreadable"]) == (2, [])
    across = {**params, "split_field": "weather", "name": "leaks"}
    done = execute("find_duplicates", circle, across)
    assert done.result["sample_ids"] == [circle.values("id")[4:]]
    by_tag = {**params, "split_field": "tags", "splits": ["even", "odd"], "name": "tags"}
    assert execute("find_duplicates", circle, by_tag).result["groups"] == 3


def test_find_duplicates__the_splits_that_count_are_seen(circle):
    """The App keeps an answer that was given for another field: so it stays on the form."""
    params = {**VECTORS, "by": "vectors", "split_field": "weather", "splits": ["train"]}
    assert "splits" in form("find_duplicates", circle, params)
    assert execute("find_duplicates", circle, params).result["groups"] == 0
    done = execute("find_duplicates", circle, {**params, "splits": ["wet", "dry"]})
    assert done.result["groups"] == 1


def test_find_duplicates__of_more_than_a_view_can_name(circle, monkeypatch):
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 2)
    done = execute("find_duplicates", circle, {**VECTORS, "by": "vectors"})
    assert (done.result["groups"], done.result["redundant"]) == (3, 3)
    assert done.result["sample_ids"] == done.result["redundant_ids"] == []
    assert requests_of(done)[-1] == "set_view"
    circle.reload()
    found = circle.load_saved_view("duplicates").values("id")
    places = [circle.values("id").index(key) // 2 for key in found]
    assert places == sorted(places)
    assert len(places) == 6
    assert circle.count_sample_tags()["duplicate"] == 3


@pytest.mark.parametrize(("tag", "shown"), [("duplicate", 3), ("", 6)])
def test_find_duplicates__shows_the_others_of_more_than_a_view_can_name(
    circle, monkeypatch, tag, shown
):
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 2)
    params = {**VECTORS, "by": "vectors", "show": "others", "tag": tag}
    done = execute("find_duplicates", circle, params)
    assert ("notify" in requests_of(done)) == (tag == "")
    view = done.executor._requests[-1].params["view"]
    assert len(fo.DatasetView._build(circle, view)) == shown


def test_find_duplicates__replaced_by_none(circle):
    """Nothing is marked any more that is no duplicate any more."""
    params = {**VECTORS, "by": "vectors", "name": "found"}
    execute("find_duplicates", circle, params)
    circle.set_values("vectors", list(np.eye(6)))
    with pytest.raises(ExecutionError, match="There is a selection 'found'"):
        execute("find_duplicates", circle, params)
    assert circle.count_sample_tags()["duplicate"] == 3
    done = execute("find_duplicates", circle, {**params, "replace": True})
    assert done.result["groups"] == 0
    assert requests_of(done)[-1] == "reload_dataset"
    circle.reload()
    assert "duplicate" not in circle.count_sample_tags()
    assert circle.list_runs() == circle.list_saved_views() == []


def test_find_duplicates__none(dataset):
    for number, path in enumerate(dataset.values("filepath")):
        Path(path).write_bytes(bytes(number + 1))
    done = execute("find_duplicates", dataset)
    assert (done.result["groups"], done.result["saved_view"]) == (0, None)
    assert dataset.list_runs() == []


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"by": "vectors", "distance": 3}, "no distance"),
        ({"split_field": "tags"}, "Which tags are splits"),
        ({"name": ""}, None),
        ({"name": "1"}, "cannot name"),
    ],
)
def test_find_duplicates__bad_input(dataset, params, problem):
    found = problems(form("find_duplicates", dataset, params))
    assert any(problem in text for text in found) if problem else not found


def test_discard_selection__as_it_was(circle):
    before = circle.count_sample_tags()
    chosen(circle, {"count": 3, "number_field": "place"})
    done = execute("discard_selection", circle, {"name": "unique"})
    assert done.result["untagged"] == 3
    circle.reload()
    assert circle.count_sample_tags() == before
    assert not circle.has_field("place")
    assert problems(form("discard_selection", circle)) != []


def test_discard_selection__which_must_be_said(circle):
    chosen(circle, {"count": 3})
    with pytest.raises(ExecutionError):
        execute("discard_selection", circle)
    assert circle.list_runs() == ["unique"]


def test_select_unique__more_seeds_than_a_view_can_name(circle, monkeypatch):
    params = {**VECTORS, "count": 2, "labelled_tag": "even", "view_target": "CURRENT_VIEW"}
    circle.set_values("vectors", {circle.last().id: None, circle.first().id: None}, key_field="id")

    def select(**marks):
        view = circle.match_tags("odd")
        return execute("select_unique", circle, {**params, **marks}, view=view).result

    expected = select()
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 1)
    found = select(name="again")
    circle.reload()
    assert circle.load_saved_view("again").values("id") == expected["sample_ids"]
    assert found["counted_as_chosen"] == expected["counted_as_chosen"] == 2
    assert (expected["number_field"], found["number_field"]) == (None, "again_number")
