"""What a form of curation costs at each keystroke: no sample is read, nobody elsewhere asked."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future
from functools import partial

import fiftyone as fo
import fiftyone.core.odm as foo
import numpy as np
import pytest

from .app import execute, form, module_of_plugin, problems, texts

COUNT = 300
FORMS = [
    ("compute_similarity", {}),
    ("compute_similarity", {"patches_field": "boxes"}),
    ("compute_similarity", {"embeddings": "application"}),
    ("compute_similarity", {"embeddings": "zoo", "zoo_model": "clip-vit-base32-torch"}),
    ("compute_similarity", {"new_only": True}),
    ("compute_similarity", {"backend": "lancedb"}),
    ("compute_uniqueness", {}),
    ("compute_uniqueness", {"embeddings": "field"}),
    ("compute_visualization", {}),
    ("compute_visualization", {"brain_key": "plot", "new_only": True}),
    ("find_duplicates", {}),
    ("find_duplicates", {"by": "vectors", "split_field": "tags", "splits": ["train", "test"]}),
    ("select_unique", {"count": 5, "more": True, "marks": True, "labelled_field": "boxes"}),
    ("select_unique", {"count": 5, "labelled_tag": "done", "weight_field": "worth"}),
    ("select_for_active_learning", {"count": 5, "predictions": "boxes"}),
    ("select_for_active_learning", {"measure": "disagreement", "other_predictions": "others"}),
    ("discard_selection", {}),
]


@pytest.fixture(scope="module")
def large():
    dataset = fo.Dataset()
    dataset.add_samples(_samples())
    execute("compute_similarity", dataset, {"embeddings": "field"})
    execute("compute_visualization", dataset, {"brain_key": "plot", "method": "pca"})
    execute("select_unique", dataset, {"count": 3})
    dataset.reload()
    yield dataset
    dataset.delete()


def _samples():
    """Samples that nobody holds once they are added: FiftyOne would read them with the dataset."""
    box = fo.Detection(label="cat", bounding_box=[0.1, 0.1, 0.2, 0.2], confidence=0.5)
    samples = []
    for number in range(COUNT):
        vector = np.array([1.0, number])
        sample = fo.Sample(filepath=f"/none/{number}.png", vectors=vector, worth=0.5)
        sample["boxes"] = fo.Detections(detections=[box.copy()])
        sample["others"] = fo.Detections(detections=[box.copy()])
        samples.append(sample)
    return samples


@pytest.fixture
def alone(monkeypatch):
    """Nobody can be reached but the database on this machine."""
    connect = socket.socket.connect

    def refuse(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"The form asks {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)


def samples_read_by(dataset, call):
    """How many samples the database looks at meanwhile."""
    database, of = foo.get_db_conn(), dataset._sample_collection_name
    database.drop_collection("system.profile")
    database.command("profile", 2)
    try:
        call()
    finally:
        database.command("profile", 0)
    found = database["system.profile"].find({"ns": f"{database.name}.{of}"})
    return sum(one.get("docsExamined", 0) for one in found)


@pytest.fixture
def nobody_finds(finding, monkeypatch):
    """Whatever a form asks the threads is never answered."""

    class Idle:
        def submit(self, *_):
            return Future()

    monkeypatch.setattr(finding, "WAITED_SECONDS", 0)
    monkeypatch.setattr(finding, "_finders", Idle())
    monkeypatch.setattr(finding, "_found", {})
    monkeypatch.setattr(finding, "_under_way", {})


@pytest.mark.parametrize(("name", "params"), FORMS)
def test_form__reads_no_samples_and_asks_nobody(large, alone, nobody_finds, name, params):
    assert samples_read_by(large, lambda: form(name, large, params)) == 0


def test_form__reads_would_be_seen(large):
    assert samples_read_by(large, lambda: large.exists("worth").count()) == COUNT


@pytest.mark.parametrize(("name", "params"), FORMS)
def test_form__counts_a_filtered_view_once(large, alone, name, params):
    view = large.match(fo.ViewField("worth") > 0.25)._serialize()
    form(name, large, params, view=view)
    # That one which was written last tells whether to count again.
    assert samples_read_by(large, lambda: form(name, large, params, view=view)) < 5


@pytest.mark.parametrize("source", ["field", "index"])
def test_form__counts_those_without_a_vector_once(large, alone, source):
    params = {"embeddings": source, "field": f"by_{source}"}
    dataset = large.clone()  # which no other test has counted
    try:
        dataset.delete_brain_runs()
        execute("compute_similarity", dataset, {"embeddings": "field"})
        read = samples_read_by(dataset, lambda: form("compute_uniqueness", dataset, params))
        assert read <= COUNT + 5
        assert samples_read_by(dataset, lambda: form("compute_uniqueness", dataset, params)) < 5
    finally:
        dataset.delete()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("select_unique", "How many of 300"),
        ("compute_similarity", "Indexes 300 samples."),
        ("compute_uniqueness", "Scores 300 samples."),
        ("apply_model", "Applies to 300 samples."),
    ],
)
def test_form__does_not_wait_for_a_count(large, finding, monkeypatch, name, known):
    image_counts = module_of_plugin("operators.image_counts")
    may_go_on, count = threading.Event(), image_counts._count
    started = []

    def slowly(view):
        started.append(view)
        assert may_go_on.wait(30)
        return count(view)

    monkeypatch.setattr(finding, "WAITED_SECONDS", 0.01)
    monkeypatch.setattr(image_counts, "_count", slowly)
    # One that no other test has counted.
    view = large.match(fo.ViewField("worth") > sum(map(ord, name)) / 10_000)
    params, shown = {"view_target": "CURRENT_VIEW", "count": 1000}, view._serialize()
    for _ in range(2):
        fields = form(name, large, params, view=shown)
        assert "samples that are still being counted" in texts(fields)
        assert "cannot be selected" not in str(problems(fields))
    may_go_on.set()
    assert image_counts.images_in(view) == COUNT
    fields = form(name, large, params, view=shown)
    assert known in texts(fields)
    assert ("cannot be selected" in str(problems(fields))) == (name == "select_unique")
    assert len(started) == 1


def test_form__does_not_wait_for_those_without_a_vector(large, finding, monkeypatch):
    may_go_on, started = threading.Event(), []
    module = module_of_plugin("operators.curation.missing_vectors")
    count = module.without_vector_in_field

    def slowly(view, field):
        started.append(field)
        assert may_go_on.wait(30)
        return count(view, field)

    monkeypatch.setattr(finding, "WAITED_SECONDS", 0.01)
    monkeypatch.setattr(module, "without_vector_in_field", slowly)
    params = {"embeddings": "field", "view_target": "CURRENT_VIEW"}
    shown = large.exists("vectors").skip(7)._serialize()  # which no other test has counted
    for _ in range(2):
        fields = form("compute_uniqueness", large, params, view=shown)
        assert "Samples without a vector are still being counted." in texts(fields)
        assert problems(fields) == []
    may_go_on.set()
    monkeypatch.setattr(finding, "WAITED_SECONDS", 30)
    fields = form("compute_uniqueness", large, params, view=shown)
    assert "still being counted" not in texts(fields)
    assert len(started) == 1


def test_found_in_time__waits_once(finding, monkeypatch):
    may_go_on = threading.Event()
    monkeypatch.setattr(finding, "WAITED_SECONDS", 0.5)
    for longest in (5, 0.4):
        began = time.monotonic()
        assert finding.found_in_time("slow", lambda: may_go_on.wait(30)) is None
        assert time.monotonic() - began < longest
    may_go_on.set()
    monkeypatch.setattr(finding, "WAITED_SECONDS", 30)
    assert finding.found_in_time("slow", lambda: may_go_on.wait(30)) is True


def test_found_in_time__what_failed_is_tried_again(finding):
    with pytest.raises(OSError, match="no disk"):
        finding.found_in_time("fails", partial(fail, OSError("no disk")))
    assert finding.found_in_time("fails", lambda: 1) == 1


def fail(error):
    raise error


def test_images_in__anew_once_the_dataset_was_edited(large):
    images_in = module_of_plugin("operators.image_counts").images_in
    view = large.match(fo.ViewField("worth") > 0.25)
    assert images_in(view) == COUNT
    sample = large.first()
    sample["worth"] = 0.1
    sample.save()
    assert images_in(view) == COUNT - 1
    sample["worth"] = 0.5
    sample.save()
    assert images_in(view) == COUNT
    added = large.add_sample(fo.Sample(filepath="/none/more.png", worth=0.5))
    assert images_in(view) == COUNT + 1
    large.delete_samples([added])
    assert images_in(view) == COUNT
