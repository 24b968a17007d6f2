from itertools import repeat

import pytest

from relabel.annotation.planning.turns import Turns


def take(count, people, weights=()):
    turns = Turns(people, weights)
    return "".join(turns.next() for _ in repeat(None, count))


def test_next__in_the_order_given():
    assert take(7, "cab") == "cabcabc"


@pytest.mark.parametrize(
    ("weights", "order"), [((2, 1), "aba" * 2), ((1, 3), "babb" * 2), ((5, 1, 1), "aabacaa")]
)
def test_next__spreads_weights_smoothly(weights, order):
    assert take(len(order), "abc"[: len(weights)], weights) == order


def test_next__avoids_as_long_as_there_is_somebody_else():
    turns = Turns("ab", (9, 1))
    assert turns.next(avoid="a") == "b"
    assert turns.next(avoid="ab") == "a"


def test_next__nobody():
    assert Turns([]).next() is None
