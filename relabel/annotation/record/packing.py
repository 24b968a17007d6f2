"""Keeps long lists small: a document of MongoDB holds 16 MB.

A number in a list takes 16 bytes, and the mask of one large image can have a million runs. A class
with its attributes takes a kilobyte, and each of a hundred tasks can have a thousand classes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

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


def packed_items(items: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]] | bytes:
    """Documents of plain JSON as MongoDB is to hold them; of many the compressed JSON."""
    if len(items) <= _LONGEST_LIST:
        return items
    return zlib.compress(orjson.dumps(items), _FASTEST)


def unpacked_items(value: Sequence[dict[str, Any]] | bytes) -> Sequence[dict[str, Any]]:
    """The reverse of :func:`packed_items`."""
    if isinstance(value, bytes):
        items: list[dict[str, Any]] = orjson.loads(zlib.decompress(value))
        return items
    return value
