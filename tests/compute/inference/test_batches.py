from __future__ import annotations

from itertools import chain

import pytest

from relabel.compute.errors import OutOfMemory
from relabel.compute.inference.batches import Shrinking, is_out_of_memory, most_at_once
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


def test_shrinking__every_item_once_in_order():
    parts = Shrinking(Memory(100, MemoryError()).work, 4)(range(10))
    assert [list(part) for part in parts] == [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18]]


def test_shrinking__stays_small_after_memory_ran_out():
    memory = Memory(3, MemoryError())
    work = Shrinking(memory.work, 16)
    assert list(chain.from_iterable(work(range(16)))) == [2 * item for item in range(16)]
    assert memory.sizes[:3] == [16, 8, 4]
    memory.sizes.clear()
    work(range(4))
    assert memory.sizes == [2, 2]


def test_shrinking__one_item_is_too_much():
    with pytest.raises(OutOfMemory, match="single image"):
        Shrinking(Memory(0, MemoryError()).work, 8)([1, 2])


def test_shrinking__other_errors_pass():
    with pytest.raises(ZeroDivisionError):
        Shrinking(Memory(0, ZeroDivisionError()).work, 8)([1, 2])


def test_is_out_of_memory__of_tensorflow():
    import tensorflow as tf

    assert is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    assert not is_out_of_memory(tf.errors.InvalidArgumentError(None, None, "bad"))


def test_most_at_once__one_where_sizes_may_not_be_mixed():
    class OfOneSize(ImageModel):
        ragged_batches = True

    assert most_at_once(ImageModel(), 8) == 8
    assert most_at_once(OfOneSize(), 8) == 1
