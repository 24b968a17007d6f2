from __future__ import annotations

import socket

import pytest

from relabel.compute.rates import in_words, measured, record


def test_measured__never():
    assert measured("@relabel/cvat/none", "gpu") is None


def test_measured__all_steps_of_the_last_run():
    operator = "@relabel/cvat/steps"
    record(operator, "gpu", "images", 100, 50.0)
    record(operator, "gpu", "images", 100, 25.0)
    record(operator, "gpu", "images compared", 100, 5.0)
    record(operator, "cpu", "images", 1, 9.0)
    rate = measured(operator, "gpu")
    assert rate.seconds(1000) == pytest.approx(300)
    assert rate.host == socket.gethostname()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(2, "a few seconds"), (40, "40 seconds"), (180, "3 minutes"), (9000, "2.5 hours")],
)
def test_in_words__of_every_size(seconds, words):
    assert in_words(seconds) == words
