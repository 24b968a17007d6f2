"""Writes to the database batch by batch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from fiftyone.core.utils import iter_batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

PER_BATCH = 500


def write_in_batches(
    write: Callable[[Sequence[Item]], Result], items: Iterable[Item]
) -> list[Result]:
    """Writes items, in no order: while the database stores a batch, the next one is made.

    Args:
        write: makes the documents of a batch and writes them
        items: what they are made of

    Returns:
        what ``write`` returns for each batch
    """
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(write, iter_batches(items, PER_BATCH)))
