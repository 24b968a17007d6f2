"""Labels of many samples, straight from the database: as many at a time as fit well in memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

LEAVES = ("_id", "label", "bounding_box", "confidence")
"""What an evaluation of boxes looks at, besides what says that a label is a crowd."""

STAMP = "last_modified_at"
"""FiftyOne's own field that says when a sample was last written, whoever did."""

UNKNOWN = 0
"""The stamp of a sample of which nobody can say when it was written."""

DIGEST_BYTES = 16
_TAIL = "_relabel_stamp"
_MARK = b"\x09" + _TAIL.encode() + b"\0"  # of BSON: a time of this name, 8 bytes, comes next
_TAIL_BYTES = len(_MARK) + 8
_ID_BYTES = slice(9, 21)  # MongoDB puts the id first
_SAMPLES_AT_ONCE = 500
_LENGTH = 4  # a document of BSON begins with its length, of this many bytes


@dataclass(frozen=True)
class RawSamples:
    """Some samples as MongoDB holds them.

    Args:
        documents: what was asked for of each, as BSON
        stamps: when each was last written, in milliseconds
    """

    documents: Sequence[bytes]
    stamps: Sequence[int]


def read_raw(
    view: SampleCollection,
    fields: Sequence[str],
    leaves: Sequence[str],
    others: Sequence[str] = (),
) -> Iterator[RawSamples]:
    """Reads some attributes of all labels of some fields.

    Args:
        view: the samples
        fields: fields of type ``Detections``
        leaves: the attributes
        others: more fields of samples

    Yields:
        some samples at a time, in the view's order
    """
    shown = [f"{field}.detections.{leaf}" for field in fields for leaf in leaves]
    waiting: list[tuple[bytes, int]] = []
    for document in _read(view, dict.fromkeys((*shown, *others), 1)):
        waiting.append(_without_stamp(document))
        if len(waiting) == _SAMPLES_AT_ONCE:
            yield RawSamples(*zip(*waiting, strict=True))
            waiting = []
    if waiting:
        yield RawSamples(*zip(*waiting, strict=True))


def read_stamps(view: SampleCollection) -> tuple[list[str], NDArray[np.int64]]:
    """When the samples of a view were last written; quick, whatever labels they have.

    Returns:
        the ids of the samples, and a stamp for each, of shape ``(n,)``
    """
    pairs = [(id_of(one), _without_stamp(one)[1]) for one in _read(view, {"_id": 1})]
    return [sample_id for sample_id, _ in pairs], np.array([at for _, at in pairs], dtype=np.int64)


def id_of(document: bytes) -> str:
    """The id of a document of BSON."""
    return document[_ID_BYTES].hex()


def _read(view: SampleCollection, shown: dict[str, Any]) -> Iterator[bytes]:
    """Documents that end with a stamp, if the sample has one."""
    # A field that is computed comes last, whatever the order in the document.
    pipeline = view._pipeline(  # noqa: SLF001 - FiftyOne aggregates to objects only
        pipeline=[{"$project": {**shown, _TAIL: f"${STAMP}"}}]
    )
    collection = view._dataset._sample_collection  # noqa: SLF001
    for batch in collection.aggregate_raw_batches(pipeline, allowDiskUse=True):
        yield from split(batch)


def _without_stamp(document: bytes) -> tuple[bytes, int]:
    """A document as if the stamp had not been asked for, and the stamp."""
    start = len(document) - _TAIL_BYTES - 1
    if start < _LENGTH or not document.startswith(_MARK, start):
        return document, UNKNOWN
    stamp = int.from_bytes(document[-9:-1], "little", signed=True)
    length = (start + 1).to_bytes(_LENGTH, "little")
    return length + document[_LENGTH:start] + b"\0", stamp


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
