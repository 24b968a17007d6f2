from __future__ import annotations

import fiftyone.core.utils as fou
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from relabel.labels import pixels

MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
OFFSETS = st.integers(-50, 5000)


def painted(points, size=(100, 100)):
    """The same mask over a whole image, as other code than ours would see it."""
    *runs, left, top, right, bottom = points
    width, height = right - left + 1, bottom - top + 1
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    canvas = np.zeros(size, dtype=bool)
    canvas[top : top + height, left : left + width] = flat.reshape(height, width)
    return canvas


def test_encode__as_the_recorded_server_shows_it():
    mask = np.array([[0, 1, 1, 1, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]], bool)
    points = (1, 3, 2, 2, 5, 2, 2, 3, 10, 20, 14, 23)
    assert pixels.encode(mask, 10, 20) == (0, 3, 1, 2, 4, 2, 1, 3, 11, 20, 14, 23)
    back, left, top = pixels.decode(points)
    assert (back.tolist(), left, top) == (mask.tolist(), 10, 20)


@given(MASKS, st.integers(0, 80), st.integers(0, 80))
def test_encode__every_pixel_is_where_it_was(mask, left, top):
    canvas = np.zeros((100, 100), dtype=bool)
    canvas[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    points = pixels.encode(mask, left, top)
    if not mask.any():
        assert points == ()
        return
    assert np.array_equal(painted(points), canvas)
    assert pixels.encode(canvas) == points, "the box is the tightest one"


@given(MASKS.filter(np.any), OFFSETS, OFFSETS)
def test_decode__is_the_reverse_of_encode(mask, left, top):
    points = pixels.encode(mask, left, top)
    assert pixels.encode(*pixels.decode(points)) == points
    assert pixels.tighten(tuple(map(float, points))) == points


def test_decode__what_a_server_stores_of_a_careless_client():
    too_few = (1, 1, 0, 0, 2, 1)
    too_many = (1, 99, 0, 0, 2, 1)
    assert pixels.decode(too_few)[0].tolist() == [[False, True, False], [False] * 3]
    assert pixels.decode(too_many)[0].tolist() == [[False, True, True], [True] * 3]
    assert pixels.tighten((4, 0, 0, 1, 1)) == ()


def test_fill__the_pixels_whose_centres_are_inside():
    assert pixels.fill([(1, 1, 3, 1, 3, 3, 1, 3)]) == (0, 4, 1, 1, 2, 2)
    assert pixels.fill([(1.4, 1.4, 2.6, 1.4, 2.6, 2.6, 1.4, 2.6)]) == (0, 4, 1, 1, 2, 2)
    assert pixels.fill([(1.6, 1.6, 2.4, 1.6, 2.4, 2.4, 1.6, 2.4)]) == ()
    half = (0.5, 0.5, 2.5, 0.5, 2.5, 2.5, 0.5, 2.5)  # centres on all four sides
    assert pixels.fill([half]) == (0, 4, 0, 0, 1, 1)


def test_fill__a_hole_and_an_island_in_it():
    squares = [(a, a, b, a, b, b, a, b) for a, b in ((0, 5), (1, 4), (2, 3))]
    mask, left, top = pixels.decode(pixels.fill(squares))
    expected = np.ones((5, 5), bool)
    expected[1:4, 1:4] = False
    expected[2, 2] = True
    assert (left, top, mask.tolist()) == (0, 0, expected.tolist())


def test_fill__is_cut_to_the_image():
    huge = (-1e9, -1e9, 1e9, -1e9, 1e9, 2, -1e9, 2)
    assert pixels.fill([huge], (3, 4)) == (0, 6, 0, 0, 2, 1)
    assert pixels.fill([(9, 9, 12, 9, 12, 12)], (3, 4)) == ()
    assert pixels.fill([huge]) == (), "no image is as large"


RINGS = st.lists(st.tuples(st.floats(-3, 15), st.floats(-3, 15)), min_size=3, max_size=8)


@given(st.lists(RINGS, min_size=1, max_size=3))
def test_fill__by_the_even_odd_rule(rings):
    flat = [[number for point in ring for number in point] for ring in rings]
    canvas = np.zeros((12, 12), bool)
    for row, column in np.ndindex(12, 12):
        canvas[row, column] = sum(crossings(ring, column + 0.5, row + 0.5) for ring in rings) % 2
    assert pixels.fill(flat, (12, 12)) == pixels.encode(canvas)


def crossings(ring, x, y):
    """How often a ray from a point to the left meets a closed line."""
    count = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if min(y1, y2) <= y < max(y1, y2):
            count += x1 - 0.5 + (y - y1) * (x2 - x1) / (y2 - y1) <= x - 0.5
    return count


@given(MASKS, st.integers(1, 5))
def test_resize__a_whole_multiple_repeats_every_pixel(mask, factor):
    height, width = mask.shape
    stretched = pixels.resize(mask, width * factor, height * factor)
    assert np.array_equal(stretched, mask.repeat(factor, axis=0).repeat(factor, axis=1))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16])
def test_serialise__as_fiftyone_does(dtype):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    assert pixels.serialise(array) == fou.serialize_numpy_array(array)
    assert np.array_equal(pixels.deserialise(fou.serialize_numpy_array(array)), array)
