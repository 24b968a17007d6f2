"""Rounds that stock FiftyOne made are reviewed and pulled, and nothing is lost by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relabel.annotation import (
    ConflictPolicy,
    pull,
    review_pull,
    rounds_status,
    undo_pull,
)
from tests.annotation.stock.stock_labels import KINDS, ODD
from tests.annotation.stock.stock_rounds import Editor, boxes_of, shape_of, stored

pytestmark = pytest.mark.cvat


@pytest.mark.parametrize("name", list(KINDS))
def test_pull__untouched_labels_of_a_stock_round_stay_to_the_last_byte(
    dataset, client, stock, fill, name
):
    options = fill(name)
    editor = Editor(client, stock.annotate(label_field="labels", task_size=4, **options))
    (status,) = rounds_status(dataset, client)
    assert (status.key, status.images, len(status.tasks)) == ("stock_1", 6, 2)
    before = str(stored(dataset))
    for _ in range(2):
        editor.finish()
        report = pull(dataset, "stock_1", client)
        assert (report.jobs, report.counts) == (2, {})
        assert str(stored(dataset)) == before


@pytest.fixture
def editor(dataset, client, stock, odd):
    """A round of stock FiftyOne."""
    return Editor(client, stock.annotate(label_field="ground_truth"))


def test_pull__takes_every_change_of_a_stock_round_and_undo_restores_it(dataset, client, editor):
    before = stored(dataset)
    cat, dog = shape_of(editor, "cat"), shape_of(editor, "dog")
    specs = {item.name: item.id for item in editor.classes()["cat"].attributes}
    texts = {**cat.attributes, specs["score"]: "0.25", specs["n"]: "7"}
    editor.patch("update", replace(cat, attributes=texts))
    editor.move(dog, 1.5, 2.5, 30.125, 40.0)
    editor.patch("delete", shape_of(editor, "cat", 1))
    editor.patch("create", replace(shape_of(editor, "dog", 2), id=None, points=(1, 2, 3, 4)))
    third = shape_of(editor, "cat", 3)
    editor.patch("update", replace(third, label_id=dog.label_id, attributes={}))
    editor.finish()
    counts = {"attribute": 1, "moved": 1, "removed": 1, "added": 1, "relabelled": 1}
    report = pull(dataset, "stock_1", client)
    # The class of a shape has attributes of its own, so that it loses them with it.
    assert report.counts == counts | {"attribute": 2}
    cat, dog = boxes_of(dataset)
    assert (cat.score, cat.n, cat.tags, cat.bounding_box) == (0.25, 7, ["t"], ODD)
    assert dog.bounding_box == pytest.approx([1.5 / 64, 2.5 / 48, 28.625 / 64, 37.5 / 48])
    assert (dog.rotation, dog.seen, dog.n) == (30.5, True, 0)
    assert [label.label for label in boxes_of(dataset, 1)] == ["dog"]
    assert [label.label for label in boxes_of(dataset, 2)] == ["cat", "dog", "dog"]
    assert boxes_of(dataset, 3)[0].label == "dog"
    undo_pull(dataset, "stock_1")
    for old, new in zip(before, stored(dataset), strict=True):
        assert new["ground_truth"] == old["ground_truth"]


def test_pull__what_was_edited_here_before_a_stock_round_was_seen_is_never_overwritten(
    dataset, client, editor
):
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    editor.finish()
    before = stored(dataset)
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert stored(dataset) == before
    report = pull(dataset, "stock_1", client, policy=ConflictPolicy.FIFTYONE_WINS)
    assert report.counts == {"conflict": 1}
    assert stored(dataset) == before
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}


def test_pull__what_is_edited_here_after_a_stock_round_was_seen_is_no_conflict(
    dataset, client, editor
):
    rounds_status(dataset, client)
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    assert boxes_of(dataset)[0].bounding_box == [0.5, 0.5, 0.25, 0.25]


def test_pull__an_edit_of_an_image_that_was_only_tagged_here_asks_who_is_right(
    dataset, client, editor
):
    dataset.tag_samples("seen")
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    report = pull(dataset, "stock_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert report.counts == {"moved": 1}
    assert boxes_of(dataset)[0].bounding_box == ODD


def test_pull__a_label_that_was_deleted_here_before_a_stock_round_was_seen(
    dataset, client, editor
):
    sample = dataset.first()
    gone = sample.ground_truth.detections.pop(0)
    sample.save()
    editor.finish()
    review = review_pull(dataset, "stock_1", client)
    assert review.counts == {"conflict": 1}
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert len(boxes_of(dataset)) == 1
    pull(dataset, "stock_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert [label.id for label in boxes_of(dataset)][1] == gone.id


def test_pull__after_stock_has_loaded_a_round_nothing_comes_twice(dataset, client, stock, editor):
    cat = shape_of(editor, "cat")
    editor.move(cat, 1.23, 2.34, 30.45, 40.56)
    editor.patch("create", replace(cat, id=None, points=(1.1, 2.2, 33.3, 44.4), attributes={}))
    editor.finish()
    stock.load()
    before = stored(dataset)
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {}
        assert stored(dataset) == before
        editor.finish()


def test_pull__a_field_that_was_renamed_before_its_stock_round_was_seen(dataset, client, editor):
    dataset.rename_sample_field("ground_truth", "truth")
    before = stored(dataset)
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert stored(dataset) == before
