"""Batches that fit into memory, found out by trying."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fiftyone.core.models import Model

logger = logging.getLogger(__name__)

# TensorFlow's and PyTorch's; neither is imported for its error alone.
_MEMORY_ERRORS = ("ResourceExhaustedError", "OutOfMemoryError")

Item = TypeVar("Item")


class Shrinking:
    """Works on a batch in parts, which become smaller when memory runs out, and stay so.

    Args:
        work: takes some items and returns something for them
        at_most: how many items it is given at once, to begin with
    """

    def __init__(self, work: Callable[[Sequence[Any]], Any], at_most: int) -> None:
        self._work = work
        self.at_most = max(1, at_most)

    def __call__(self, items: Sequence[Item]) -> list[Any]:
        """Works on all items.

        Returns:
            what the work returned for each part, in order

        Raises:
            OutOfMemory: if even one item is too much
        """
        done, parts = 0, []
        while done < len(items):
            part = items[done : done + self.at_most]
            try:
                parts.append(self._work(part))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(len(part), error)
            else:
                done += len(part)
        return parts

    def _shrink(self, size: int, error: Exception) -> None:
        if size == 1:
            raise OutOfMemory(
                "Memory does not suffice for a single image.",
                "Choose a smaller model, or another machine.",
            ) from error
        self.at_most = size // 2
        logger.warning("Memory ran out: %d images at once from now on", self.at_most)


def most_at_once(model: Model, batch_size: int) -> int:
    """How many images a model of FiftyOne's may be given together.

    Args:
        model: an image model
        batch_size: how many are wanted

    Returns:
        as many; 1 if it may not be given images of different sizes: it would fail, or place what
        it finds in all of them as if they had the size of the first. Also if it does not say
    """
    try:
        return 1 if model.ragged_batches else batch_size
    except NotImplementedError:  # of FiftyOne's base class
        return 1


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, the host's or a GPU's, was not enough."""
    return isinstance(error, MemoryError) or type(error).__name__ in _MEMORY_ERRORS
