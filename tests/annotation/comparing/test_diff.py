"""Which shape is which label, and what happened to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relabel.annotation.comparing.diff import ChangeKind, diff_frame, match_shapes
from relabel.annotation.comparing.pulled_shape import PulledShape
from relabel.annotation.pulling.merge import ConflictPolicy, merge_frame
from relabel.annotation.record.baseline import SentFrame, SentLabel
from relabel.annotation.record.places import Place
from relabel.labels import Drawn, LabelSchema

SIZE = (640, 480)


def box(number, label="cat"):
    return Drawn(label, (number * 10.0, 0.0, number * 10.0 + 8, 8.0))


def label_id(number):
    return f"{number:024x}"


def frame(*numbers):
    labels = tuple(SentLabel(label_id(n), 100 + n, box(n)) for n in numbers)
    return SentFrame(1, 0, Place(label_id(999), "ground_truth"), SIZE, labels)


def shape(shape_id, carried, drawn):
    return PulledShape(shape_id, label_id(carried) if carried else "", drawn)


def present(sent):
    return {label.id: label.drawn for label in sent.labels}


def test_match_shapes__by_the_id_that_a_shape_carries():
    matched, added = match_shapes(frame(1).labels, [shape(7, 1, box(5))])
    assert matched[label_id(1)].shape_id == 7
    assert added == []


def test_match_shapes__by_the_servers_id_when_it_carries_none():
    matched, added = match_shapes(frame(1).labels, [shape(101, 0, box(5))])
    assert matched[label_id(1)].shape_id == 101
    assert added == []


def test_match_shapes__by_how_it_is_drawn_when_both_ids_are_gone():
    matched, added = match_shapes(frame(1, 2).labels, [shape(7, 0, box(2)), shape(8, 0, box(9))])
    assert matched[label_id(2)].shape_id == 7
    assert [item.shape_id for item in added] == [8]


def test_match_shapes__of_two_with_one_id_the_servers_id_says_which_is_the_original():
    shapes = [shape(7, 1, box(1)), shape(101, 1, box(3))]
    matched, added = match_shapes(frame(1).labels, shapes)
    assert matched[label_id(1)].shape_id == 101
    assert [item.shape_id for item in added] == [7]


def test_match_shapes__of_two_with_one_id_and_new_ids_the_one_that_stayed_is_the_original():
    shapes = [shape(8, 1, box(3)), shape(7, 1, box(1))]
    matched, added = match_shapes(frame(1).labels, shapes)
    assert matched[label_id(1)].shape_id == 7
    assert [item.shape_id for item in added] == [8]


def test_match_shapes__a_copy_that_was_pulled_stays_what_it_is_when_its_source_is_deleted():
    labels = frame(1, 2).labels
    matched, added = match_shapes(labels, [shape(102, 1, box(2))])
    assert {label: item.shape_id for label, item in matched.items()} == {label_id(2): 102}
    assert added == []


def test_match_shapes__a_shape_pasted_from_another_image_is_new():
    matched, added = match_shapes(frame(1).labels, [shape(7, 55, box(1)), shape(101, 1, box(1))])
    assert matched[label_id(1)].shape_id == 101
    assert [item.shape_id for item in added] == [7]


def test_diff_frame__the_same_edit_on_both_sides_is_no_change():
    sent = frame(1, 2)
    diff = diff_frame(sent, [shape(101, 1, box(4))], {label_id(1): box(4)})
    assert diff.changes == ()
    merged = merge_frame(None, diff, {label_id(1): box(4)}, LabelSchema(()), ConflictPolicy.SKIP)
    assert merged.baseline.labels == (SentLabel(label_id(1), 101, box(4)),)


def test_merge_frame__both_sides_alike_again_forgets_that_they_were_drawn_apart():
    apart = SentLabel(label_id(1), 101, box(1), here=box(2))
    sent = SentFrame(1, 0, label_id(999), SIZE, (apart,))
    now = {label_id(1): box(4)}
    diff = diff_frame(sent, [shape(101, 1, box(4))], now)
    merged = merge_frame(None, diff, now, LabelSchema(()), ConflictPolicy.SKIP)
    (change,) = diff_frame(merged.baseline, [shape(101, 1, box(5))], now).changes
    assert not change.conflict, "only CVAT has edited it since"


def test_diff_frame__deleted_here_and_edited_there_is_a_conflict():
    sent = frame(1)
    (change,) = diff_frame(sent, [shape(101, 1, box(4))], {}).changes
    assert change.conflict
    (change,) = diff_frame(sent, [], {label_id(1): box(4)}).changes
    assert change.conflict
    assert change.kinds == {ChangeKind.REMOVED}


numbers = st.lists(st.integers(1, 30), max_size=8, unique=True)


@given(numbers, numbers, st.randoms())
def test_diff_frame__every_shape_and_label_is_accounted_for_once(sent_numbers, now, random):
    sent = frame(*sent_numbers)
    shapes = [
        shape(100 + n, random.choice([0, n]), random.choice([box(n), box(n + 40)])) for n in now
    ]
    diff = diff_frame(sent, shapes, present(sent))
    added = [change for change in diff.changes if ChangeKind.ADDED in change.kinds]
    removed = [change for change in diff.changes if ChangeKind.REMOVED in change.kinds]
    assert len(added) == len(set(now) - set(sent_numbers))
    assert {change.label_id for change in removed} == {
        label_id(n) for n in set(sent_numbers) - set(now)
    }
    assert not any(change.conflict for change in diff.changes)


@given(numbers, numbers, st.randoms())
def test_merge_frame__afterwards_nothing_is_left_to_merge(sent_numbers, now, random):
    sent = frame(*sent_numbers)
    shapes = [shape(100 + n, n, random.choice([box(n), box(n + 40)])) for n in now]
    documents = [
        {"_id": label.id, "label": "cat", "bounding_box": [0, 0, 1, 1]} for label in sent.labels
    ]
    diff = diff_frame(sent, shapes, present(sent))
    merged = merge_frame(documents, diff, present(sent), LabelSchema(()), ConflictPolicy.CVAT_WINS)
    assert len(merged.after) == len(now)
    agreed = {label.id: label.drawn for label in merged.baseline.labels}
    assert set(agreed) == {str(document["_id"]) for document in merged.after}
    assert diff_frame(merged.baseline, shapes, agreed).changes == ()
    kept = {id(document) for document in merged.after}
    untouched = set(sent_numbers) & set(now) - {
        int(change.label_id, 16) for change in diff.changes if change.label_id
    }
    for document in documents:
        if int(document["_id"], 16) in untouched:
            assert id(document) in kept
