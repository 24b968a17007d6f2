from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from relabel.compute.errors import OutOfMemory
from relabel.compute.inference.batches import (
    Fitting,
    fitting,
    is_out_of_memory,
    most_at_once,
)
from relabel.compute.inference.image_model import ImageModel


class Memory:
    """Has room for so many items."""

    def __init__(self, room: int, error: Exception) -> None:
        self.room, self.error, self.sizes = room, error, []

    def work(self, items):
        self.sizes.append(len(items))
        if len(items) > self.room:
            raise self.error
        return [item * 2 for item in items]


def test_fitting__every_item_once_in_order():
    parts = Fitting(Memory(100, MemoryError()).work, 4)(range(10))
    assert [list(part) for part in parts] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


def test_fitting__stays_small_after_memory_ran_out():
    memory = Memory(3, MemoryError())
    work = Fitting(memory.work, 16)
    assert list(chain.from_iterable(work(range(16)))) == [2 * item for item in range(16)]
    assert memory.sizes[:3] == [16, 8, 4]
    memory.sizes.clear()
    work(range(4))
    assert memory.sizes == [2, 2]


def test_fitting__one_item_is_too_much():
    with pytest.raises(OutOfMemory, match="single image"):
        Fitting(Memory(0, MemoryError()).work, 8)([1, 2])


def test_fitting__other_errors_pass():
    with pytest.raises(ZeroDivisionError):
        Fitting(Memory(0, ZeroDivisionError()).work, 8)([1, 2])


class Machine:
    """Works as many items a second as it does at that size, on the second call and later.

    Args:
        rates: items a second, by the most items for which it is so
        room: for how many there is memory
    """

    def __init__(self, rates, room=1000) -> None:
        self.rates, self.room, self.sizes, self.now = rates, room, [], 0.0

    def work(self, items):
        count = len(items)
        if count > self.room:
            self.now += 0.001
            self.sizes.append(-count)
            raise MemoryError
        seconds = count / next(rate for most, rate in self.rates.items() if count <= most)
        self.now += seconds if count in self.sizes else 100.0
        self.sizes.append(count)

    def fitting(self, at_most, grows_to):
        return Fitting(self.work, at_most, grows_to, clock=lambda: self.now)


def test_fitting__grows_while_that_is_noticeably_faster():
    machine = Machine({4: 10.0, 8: 20.0, 16: 30.0, 1000: 31.0})
    work = machine.fitting(4, 512)
    for _ in range(5):
        work(range(64))
    assert (max(machine.sizes), work.at_most) == (32, 16)
    assert set(machine.sizes[-8:]) == {16}
    assert sum(machine.sizes) == 5 * 64


def test_fitting__stops_at_once_where_more_gain_nothing():
    machine = Machine({1000: 10.0})
    work = machine.fitting(4, 512)
    work(range(64))
    assert machine.sizes == [4, 4, 4, 8, 8, 8, *[4] * 7]


@pytest.mark.parametrize(("grows_to", "largest"), [(0, 4), (4, 4), (7, 4), (20, 16)])
def test_fitting__grows_no_further_than_it_may(grows_to, largest):
    machine = Machine({4: 1.0, 8: 2.0, 16: 4.0, 1000: 9.0})
    work = machine.fitting(4, grows_to)
    work(range(400))
    assert (max(machine.sizes), work.at_most) == (largest, largest)


def test_fitting__what_was_too_much_is_not_tried_again():
    machine = Machine({4: 1.0, 8: 2.0, 16: 4.0, 1000: 9.0}, room=15)
    work = machine.fitting(4, 512)
    for _ in range(20):
        work(range(64))
    assert machine.sizes.count(-16) == 1
    assert min(machine.sizes) == -16
    assert work.at_most == 8
    assert sum(size for size in machine.sizes if size > 0) == 20 * 64


def test_fitting__of_parts_that_are_not_whole_nothing_is_learnt():
    machine = Machine({3: 1.0, 1000: 9.0})
    work = machine.fitting(4, 512)
    for _ in range(20):
        work(range(3))
    assert work.at_most == 4


def test_fitting__large_images_fill_no_memory_of_the_host():
    machine = Machine({4: 1.0, 8: 2.0, 16: 4.0, 1000: 9.0})
    work = machine.fitting(4, 512)
    work([np.broadcast_to(np.uint8(0), (8000, 4000, 3))] * 64)  # 96 MB each
    assert work.at_most == 4


class OnGpu(ImageModel):
    using_gpu = True


@pytest.mark.parametrize(
    ("model", "batch_size", "expected"),
    [
        (OnGpu(), None, (8, 512)),
        (OnGpu(), 4, (4, 4)),
        (ImageModel(), None, (8, 8)),
        (ImageModel(), 64, (64, 64)),
    ],
)
def test_fitting__by_trying_on_a_gpu_only_if_nothing_was_said(model, batch_size, expected):
    machine = Machine({size: float(size) for size in [2**power for power in range(11)]})
    fit = fitting(model, machine.work, batch_size, usual=8, clock=lambda: machine.now)
    first = fit.at_most
    for _ in range(4):
        fit(range(2048))
    assert (first, fit.at_most) == expected


def test_fitting__one_at_a_time_where_sizes_may_not_be_mixed():
    class OfOneSize(OnGpu):
        ragged_batches = True

    machine = Machine({1000: 1.0})
    fitting(OfOneSize(), machine.work, None, usual=8)(range(20))
    assert machine.sizes == [1] * 20


def test_is_out_of_memory__of_tensorflow():
    import tensorflow as tf

    assert is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    assert not is_out_of_memory(tf.errors.InvalidArgumentError(None, None, "bad"))


def test_most_at_once__one_where_sizes_may_not_be_mixed():
    class OfOneSize(ImageModel):
        ragged_batches = True

    assert most_at_once(ImageModel(), 8) == 8
    assert most_at_once(OfOneSize(), 8) == 1
