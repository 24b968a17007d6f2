"""Labels of many samples, straight from the database: as many at a time as fit well in memory."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

LEAVES = ("_id", "label", "bounding_box", "confidence")
"""What an evaluation of boxes looks at, besides what says that a label is a crowd."""

DIGEST_BYTES = 16
_SAMPLES_AT_ONCE = 500
_LENGTH = 4  # a document of BSON begins with its length, of this many bytes


def read_raw(
    view: SampleCollection,
    fields: Sequence[str],
    leaves: Sequence[str],
    others: Sequence[str] = (),
) -> Iterator[list[bytes]]:
    """Reads some attributes of all labels of some fields.

    Args:
        view: the samples
        fields: fields of type ``Detections``
        leaves: the attributes
        others: more fields of samples

    Yields:
        the documents of some samples at a time, in the view's order, each as BSON
    """
    shown = [f"{field}.detections.{leaf}" for field in fields for leaf in leaves]
    pipeline = view._pipeline(  # noqa: SLF001 - FiftyOne aggregates to objects only
        pipeline=[{"$project": dict.fromkeys((*shown, *others), 1)}]
    )
    collection = view._dataset._sample_collection  # noqa: SLF001
    waiting: list[bytes] = []
    for batch in collection.aggregate_raw_batches(pipeline, allowDiskUse=True):
        for document in split(batch):
            waiting.append(document)
            if len(waiting) == _SAMPLES_AT_ONCE:
                yield waiting
                waiting = []
    if waiting:
        yield waiting


def digests(documents: Sequence[bytes]) -> NDArray[np.void]:
    """What tells whether a document is still the same, of shape ``(n,)``."""
    found = [blake2b(document, digest_size=DIGEST_BYTES).digest() for document in documents]
    return np.frombuffer(b"".join(found), dtype=f"V{DIGEST_BYTES}").copy()


def split(batch: bytes) -> Iterator[bytes]:
    """The documents of a batch of raw BSON."""
    start = 0
    while start < len(batch):
        stop = start + int.from_bytes(batch[start : start + _LENGTH], "little")
        yield batch[start:stop]
        start = stop
