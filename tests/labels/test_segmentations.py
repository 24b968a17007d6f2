from __future__ import annotations

import numpy as np
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from relabel.labels import LabelSchema, MalformedLabel, UnreadableValue, pixels, segmentations

SCHEMA = LabelSchema((), kind="segmentation", targets=((1, "road"), (2, "car")))
arrays_of_numbers = arrays(
    st.sampled_from([np.uint8, np.uint16, np.int32, bool]),
    array_shapes(min_dims=2, max_dims=2, max_side=9),
    elements=st.integers(0, 1),
).flatmap(lambda array: st.just(array) if array.dtype == bool else st.just(array * 2)) | arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=9)
)


def stored(array):
    return {
        "_id": ObjectId(),
        "_cls": "Segmentation",
        "tags": ["t"],
        "mask": pixels.serialise(array),
        "mask_path": None,
    }


def apart(value):
    return segmentations.labels_of(value, "place")


@given(arrays_of_numbers)
def test_value_of__untouched_is_the_very_document(array):
    value = stored(array)
    assert segmentations.value_of(apart(value)) == value


@given(arrays_of_numbers)
def test_labels__drawn_and_read_back_are_the_same_pixels(array):
    height, width = array.shape
    rebuilt = np.zeros(array.shape, int)
    for label in apart(stored(array)):
        drawn = segmentations.to_drawn(label, (width, height), SCHEMA)
        if drawn is not None:
            new = segmentations.changed_fields(drawn, None, (width, height), SCHEMA)
            assert (new["number"], new["points"]) == (label["number"], label["points"])
            mask, left, top = pixels.decode(new["points"])
            rebuilt[top : top + mask.shape[0], left : left + mask.shape[1]][mask] = new["number"]
    assert np.array_equal(rebuilt, array)


@given(arrays_of_numbers, arrays_of_numbers)
def test_value_of__paints_what_the_labels_say(before, wanted):
    shape = tuple(min(a, b) for a, b in zip(before.shape, wanted.shape, strict=True))
    before, wanted = (array[: shape[0], : shape[1]] for array in (before, wanted))
    whole, *_ = apart(stored(before))
    classes = apart(stored(wanted))[1:]
    value = segmentations.value_of([whole, *classes])
    assert np.array_equal(pixels.deserialise(value["mask"]), wanted)
    assert (value["_id"], value["tags"]) == (whole["_id"], ["t"])


def test_value_of__a_larger_number_than_the_array_can_hold():
    whole, *_ = apart(stored(np.zeros((2, 2), np.uint8)))
    label = {"_id": ObjectId(), "number": 300, "size": [2, 2], "points": [0, 1, 0, 0, 0, 0]}
    painted = pixels.deserialise(segmentations.value_of([whole, label])["mask"])
    assert painted.tolist() == [[300, 0], [0, 0]]


def test_value_of__pixels_outside_the_image_are_left_out():
    whole, *_ = apart(stored(np.zeros((2, 2), np.uint8)))
    points = list(pixels.encode(np.ones((4, 4), bool), -1, -1))
    label = {"_id": ObjectId(), "number": 1, "size": [2, 2], "points": points}
    painted = pixels.deserialise(segmentations.value_of([whole, label])["mask"])
    assert painted.tolist() == [[1, 1], [1, 1]]


def test_changed_fields__a_class_without_a_number():
    drawn = segmentations.to_drawn(apart(stored(np.ones((2, 2), np.uint8)))[1], (2, 2), SCHEMA)
    odd = type(drawn)("tree", drawn.points, type=drawn.type)
    with pytest.raises(UnreadableValue, match="tree"):
        segmentations.changed_fields(odd, drawn, (2, 2), SCHEMA)


def test_labels_of__colours_and_unreadable_files_are_named(tmp_path):
    with pytest.raises(MalformedLabel, match="colours"):
        apart(stored(np.ones((2, 2, 3), np.uint8)))
    missing = {"_id": ObjectId(), "mask": None, "mask_path": str(tmp_path / "none.png")}
    with pytest.raises(MalformedLabel, match="cannot be read"):
        apart(missing)
