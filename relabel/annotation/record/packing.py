"""Keeps long lists of numbers small.

A document of MongoDB holds 16 MB, and a number in a list takes 16 bytes. The mask of one large
image can have a million runs.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_LIST = 256
_FASTEST = 1


def packed(numbers: Sequence[float]) -> Sequence[float] | bytes:
    """Numbers as MongoDB is to hold them; of many the compressed doubles."""
    if len(numbers) <= _LONGEST_LIST:
        return numbers
    return zlib.compress(np.asarray(numbers, np.float64).tobytes(), _FASTEST)


def unpacked(value: Sequence[float] | bytes) -> tuple[float, ...]:
    """The reverse of :func:`packed`, to the last bit."""
    if isinstance(value, bytes):
        return tuple(np.frombuffer(zlib.decompress(value), np.float64).tolist())
    return tuple(value)
