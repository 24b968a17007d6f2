"""Edits made in FiftyOne while a pull is between its reading and its writing."""

from __future__ import annotations

import pytest

from relabel.annotation import ConflictPolicy, pull, undo_pull
from relabel.annotation.dataset import storage
from tests.annotation.test_round_trip import Annotator, documents, labels_of

pytestmark = pytest.mark.cvat


@pytest.fixture
def meanwhile(monkeypatch):
    """Does something just before each of the next writes of labels."""
    write_labels = storage.write_labels
    edits = []

    def write_after_edit(*args, **options):
        if edits:
            edits.pop(0)()
        return write_labels(*args, **options)

    monkeypatch.setattr(storage, "write_labels", write_after_edit)
    return edits.append


@pytest.fixture
def moved(dataset, client, send):
    """The first label of the first image was moved in CVAT."""
    annotator = Annotator(client, send())
    annotator.edit(annotator.on_frame(0)[0], points=(0.0, 0.0, 32.0, 24.0))
    annotator.complete()
    return annotator


def edit(dataset, change):
    """Edits the first sample as another process would, through FiftyOne."""

    def run():
        sample = dataset.first()
        change(sample.ground_truth.detections)
        sample.save()

    return run


def test_pull__the_same_label_edited_meanwhile_is_a_conflict(dataset, client, moved, meanwhile):
    meanwhile(edit(dataset, lambda labels: setattr(labels[0], "label", "bird")))
    assert pull(dataset, "round_1", client).counts == {"conflict": 1}
    label = labels_of(dataset, 0)[0]
    assert (label["label"], label["bounding_box"]) == ("bird", [0.125, 0.25, 0.25, 0.5])
    assert pull(dataset, "round_1", client).counts == {"conflict": 1}, "it is asked again"


def test_pull__another_label_edited_meanwhile_is_kept(dataset, client, moved, meanwhile):
    meanwhile(edit(dataset, lambda labels: setattr(labels[1], "label", "bird")))
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    first, second = labels_of(dataset, 0)
    assert (first["bounding_box"], second["label"]) == ([0.0, 0.0, 0.5, 0.5], "bird")


def test_pull__the_list_of_labels_shifted_meanwhile(dataset, client, moved, meanwhile):
    moved.edit(moved.on_frame(0)[1], points=(1.0, 1.0, 33.0, 25.0))
    moved.complete()
    meanwhile(edit(dataset, lambda labels: labels.pop(0)))
    assert pull(dataset, "round_1", client).counts == {"moved": 1, "conflict": 1}
    (left,) = labels_of(dataset, 0)
    assert (left["label"], left["bounding_box"][0]) == ("dog", 1 / 64)


def test_pull__a_label_added_meanwhile_is_kept_beside_one_added_in_cvat(
    dataset, client, moved, meanwhile
):
    import fiftyone as fo

    moved.draw(0, "dog", (10.0, 12.0, 20.0, 24.0))
    moved.complete()
    own = fo.Detection(label="bird", bounding_box=[0, 0, 1, 1])
    meanwhile(edit(dataset, lambda labels: labels.append(own)))
    assert pull(dataset, "round_1", client).counts == {"moved": 1, "added": 1}
    assert [label["label"] for label in labels_of(dataset, 0)] == ["cat", "dog", "bird", "dog"]


def test_pull__edited_again_and_again_is_left_and_reported(dataset, client, moved, meanwhile):
    policy = ConflictPolicy.CVAT_WINS
    for number in range(5):
        meanwhile(edit(dataset, lambda labels, n=number: setattr(labels[0], "label", f"cat {n}")))
    report = pull(dataset, "round_1", client, policy=policy)
    assert (report.counts, report.sample_ids) == ({}, ())
    assert "edited in FiftyOne at the same moment" in report.problems[0]
    assert labels_of(dataset, 0)[0]["label"] == "cat 2"


def test_pull__writes_only_what_was_changed(dataset, client, moved):
    before = documents(dataset)
    pull(dataset, "round_1", client)
    after = documents(dataset)
    assert after[1:] == before[1:], "not even the times of the other samples"
    old, new = before[0]["ground_truth"]["detections"], after[0]["ground_truth"]["detections"]
    assert new[1] == old[1]
    assert after[0]["last_modified_at"] > before[0]["last_modified_at"]


def test_pull__samples_in_memory_show_it(dataset, client, moved):
    sample, other = dataset.first(), dataset.last()
    other["note"] = "not saved yet"
    pull(dataset, "round_1", client)
    assert sample.ground_truth.detections[0].bounding_box == [0.0, 0.0, 0.5, 0.5]
    assert other["note"] == "not saved yet", "a sample that did not change is not reloaded"
    undo_pull(dataset, "round_1")
    assert sample.ground_truth.detections[0].bounding_box == [0.125, 0.25, 0.25, 0.5]


def test_undo_pull__edited_meanwhile_is_left(dataset, client, moved, meanwhile):
    pull(dataset, "round_1", client)
    sample_id = dataset.first().id
    meanwhile(edit(dataset, lambda labels: setattr(labels[0], "label", "bird")))
    assert undo_pull(dataset, "round_1").left == (sample_id,)
    assert labels_of(dataset, 0)[0]["label"] == "bird"


def test_undo_pull__of_a_dataset_goes_back_over_its_rounds(dataset, client, send):
    annotators = {
        key: Annotator(client, send(key, dataset.skip(skip).limit(3)))
        for key, skip in (("round_1", 0), ("round_2", 3))
    }
    states = [[document["ground_truth"] for document in documents(dataset)]]
    order = ["round_1", "round_2", "round_2"] * 4
    for number, key in enumerate(order):
        annotator = annotators[key]
        annotator.draw(number % 3, "dog", (1.0, 2.0, 3.0 + number, 4.0))
        annotator.complete()
        assert pull(dataset, key, client).counts == {"added": 1}
        states.append([document["ground_truth"] for document in documents(dataset)])
    for key, state in list(zip(order, states, strict=False))[:1:-1]:
        assert undo_pull(dataset).key == key
        assert [document["ground_truth"] for document in documents(dataset)] == state
    from relabel.annotation import NothingToUndo

    with pytest.raises(NothingToUndo, match="last 10 pulls"):
        undo_pull(dataset)
