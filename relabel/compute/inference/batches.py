"""Batches that fit into memory, found out by trying."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fiftyone.core.models import Model

logger = logging.getLogger(__name__)

# TensorFlow's and PyTorch's; neither is imported for its error alone.
_MEMORY_ERRORS = ("ResourceExhaustedError", "OutOfMemoryError")

Item = TypeVar("Item")

MOST_IMAGES = 512
"""So many images at once are not exceeded by trying; the gain of more is small."""
# Nor is this, of pixels: a batch waits in the host's memory while another is worked on, and if
# that runs out the system kills the process.
_MOST_BYTES = 1 << 29
_TIMED_CALLS = 2
_NOTICEABLY = 1.05


class Fitting:
    """Works on items in parts: as many at once as memory holds, and as make it faster.

    When memory runs out, parts are halved, and stay so. Where they may grow, twice as many are
    tried as long as memory suffices and more are done a second. The first call at each size is
    not timed: libraries compile for it and choose their ways.

    Args:
        work: takes some items and returns something for them
        at_most: how many items it is given at once, to begin with
        grows_to: to how many that may grow; by default it does not
        clock: tells the time in seconds
    """

    def __init__(
        self,
        work: Callable[[Sequence[Any]], Any],
        at_most: int,
        grows_to: int = 0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._work = work
        self.at_most = max(1, at_most)
        self._limit = grows_to
        self._clock = clock
        self._rates: list[float] = []  # items a second of each call at this size, but the first
        self._rate_before = 0.0
        self._is_first = True
        self._tries = grows_to > self.at_most

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
            began = self._clock()
            try:
                parts.append(self._work(part))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink(len(part), error)
            else:
                done += len(part)
                if self._tries and len(part) == self.at_most:
                    self._learn(part, self._clock() - began)
        return parts

    def _shrink(self, size: int, error: Exception) -> None:
        if size == 1:
            raise OutOfMemory(
                "Memory does not suffice for a single image.",
                "Choose a smaller model, or another machine.",
            ) from error
        self.at_most, self._tries = size // 2, False
        logger.warning("Memory ran out: %d images at once from now on", self.at_most)

    def _learn(self, part: Sequence[Any], seconds: float) -> None:
        """Takes the time of a whole part; once it has seen enough, goes on or is content."""
        if self._is_first:
            self._is_first = False
            return
        self._rates.append(len(part) / max(seconds, 1e-9))
        if len(self._rates) < _TIMED_CALLS:
            return
        rate = max(self._rates)
        if rate < _NOTICEABLY * self._rate_before:
            self.at_most, self._tries = self.at_most // 2, False
        elif 2 * self.at_most > self._limit or 2 * _bytes_of(part) > _MOST_BYTES:
            self._tries = False
        else:
            self.at_most *= 2
            self._rates, self._rate_before, self._is_first = [], rate, True
        if not self._tries:
            logger.info("%d images at once are the fastest here", self.at_most)


def fitting(
    model: Model,
    work: Callable[[Sequence[Any]], Any],
    batch_size: int | None,
    usual: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Fitting:
    """How a model is given images.

    Args:
        model: an image model
        work: what of it takes them
        batch_size: how many it is given together, if memory suffices. None for as many as make it
            fastest on a GPU, and for the usual number elsewhere: more gain nothing on a CPU
        usual: how many if nothing else is known
        clock: tells the time in seconds
    """
    if batch_size is None and getattr(model, "using_gpu", False):
        grows_to = most_at_once(model, MOST_IMAGES)
        return Fitting(work, min(usual, grows_to), grows_to, clock)
    return Fitting(work, most_at_once(model, batch_size or usual))


def _bytes_of(images: Sequence[Any]) -> int:
    return sum(getattr(image, "nbytes", 0) for image in images)


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
