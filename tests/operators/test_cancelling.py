"""Work that runs at once: the App sees how far it is, and can end it."""

from __future__ import annotations

import json

import pytest
from fiftyone.operators.executor import ExecutionError

from relabel.curation.similarity import read_index

from .app import context, execute, module_of_plugin, operator

NAME = "compute_similarity"
FROM_THE_APP = {"sample_selection_style": {}}


class Batches:
    """Counts the batches that the built-in descriptor is given; does something at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.at, self.act = 0, lambda: None

    def another(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.act()


@pytest.fixture
def batches(monkeypatch):
    descriptor = module_of_plugin("relabel.curation.embedding.descriptors").ImageDescriptor
    embed_all, seen = descriptor.embed_all, Batches()

    def counted(model, images):
        seen.another()
        return embed_all(model, images)

    monkeypatch.setattr(descriptor, "embed_all", counted)
    return seen


def run_in_the_app(name, dataset, params=None):
    """What an operator asks of the App, one thing after the other."""
    running = operator(name).execute(context(name, dataset, params, **FROM_THE_APP))
    for message in running:
        asked = message.to_json()["body"]
        yield asked["operator_uri"].rsplit("/", 1)[-1], asked["params"]


def press_cancel(shown, dataset):
    button = shown["outputs"]["type"]["properties"]["cancel"]["view"]
    assert button["operator"] == "@relabel/cvat/cancel_run"
    return execute("cancel_run", dataset, button["params"]).result["cancelled"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("compute_similarity", {}),
        ("compute_uniqueness", {}),
        ("compute_visualization", {"method": "pca"}),
        ("select_unique", {"count": 2}),
        ("find_duplicates", {"by": "vectors", "distance": 0.0}),
        ("find_duplicates", {"by": "files"}),
    ],
)
def test_run_at_once__shows_progress_then_the_output(dataset, name, params):
    asked = list(run_in_the_app(name, dataset, params))
    (first, begins), (last, ends) = asked[0], asked[-1]
    assert (first, last) == ("show_output", "show_output")
    assert begins["results"] == {"progress": 0}
    assert "cancel" in begins["outputs"]["type"]["properties"]
    assert "cancel" not in ends["outputs"]["type"]["properties"]
    assert "progress" not in ends["results"] != {}


@pytest.mark.parametrize("name", [NAME, "compute_uniqueness", "select_unique", "find_duplicates"])
def test_cancel__before_anything_was_done_changes_nothing(dataset, name):
    fields, tags = list(dataset.get_field_schema()), dataset.count_sample_tags()
    running = run_in_the_app(name, dataset, {"by": "vectors", "count": 2})
    assert press_cancel(next(running)[1], dataset)
    *_, (shown, result) = running
    assert shown == "show_output"
    assert "It was cancelled." in json.dumps(result["outputs"])
    dataset.reload()
    assert dataset.list_brain_runs() == dataset.list_runs() == dataset.list_saved_views() == []
    assert (list(dataset.get_field_schema()), dataset.count_sample_tags()) == (fields, tags)


def test_cancel__embeddings_go_on_where_they_were(dataset, batches):
    running = run_in_the_app(NAME, dataset, {"batch_size": 1})
    _, begins = next(running)
    batches.at, batches.act = 3, lambda: press_cancel(begins, dataset)
    *_, (_, result) = running
    assert "It was cancelled." in json.dumps(result["outputs"])
    dataset.reload()
    assert (batches.count, dataset.list_brain_runs()) == (3, [])

    execute(NAME, dataset, {"batch_size": 1})
    assert batches.count == 6
    execute(NAME, dataset, {"batch_size": 1, "brain_key": "undisturbed"})
    assert batches.count == 12  # what was kept is forgotten once it is in an index
    dataset.reload()
    resumed, whole = (read_index(dataset, key) for key in ("image_similarity", "undisturbed"))
    assert resumed.sample_ids == whole.sample_ids
    assert (resumed.vectors == whole.vectors).all()


def test_cancel__a_failing_run_is_gone_on_with_too(dataset, batches):
    def fail():
        raise ValueError("the driver crashed")

    batches.at, batches.act = 4, fail
    with pytest.raises(ExecutionError, match="the driver crashed"):
        execute("compute_uniqueness", dataset, {"batch_size": 1})
    assert not dataset.has_field("uniqueness")
    execute("select_unique", dataset, {"batch_size": 1, "count": 2})
    assert batches.count == 4 + 3  # of the same vectors, whatever they are for


def test_cancel__work_that_has_ended(dataset):
    asked = list(run_in_the_app("compute_uniqueness", dataset))
    assert not press_cancel(asked[0][1], dataset)
