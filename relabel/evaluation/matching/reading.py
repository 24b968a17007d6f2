"""Labels of many samples, straight from the database: as many at a time as fit well in memory."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
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
_ID_DIGITS = 24

# What a sample of which only the stamp is asked for looks like, if it has one.
_STAMPED = np.dtype(
    [("head", "V9"), ("id", "V12"), ("mark", f"V{len(_MARK)}"), ("stamp", "<i8"), ("end", "V1")]
)
_HEAD = np.void(_STAMPED.itemsize.to_bytes(_LENGTH, "little") + b"\x07_id\0")


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
    batches = _batches(view, dict.fromkeys((*shown, *others), 1))
    for document in chain.from_iterable(map(split, batches)):
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
    found = [_stamps(batch) for batch in _batches(view, {"_id": 1})]
    ids = [sample_id for some, _ in found for sample_id in some]
    return ids, np.concatenate([np.empty(0, np.int64), *(stamps for _, stamps in found)])


def _stamps(batch: bytes) -> tuple[list[str], NDArray[np.int64]]:
    """The ids of samples of which nothing else was asked for but the stamps, and these."""
    if len(batch) % _STAMPED.itemsize == 0:
        table = np.frombuffer(batch, dtype=_STAMPED)
        if (table["head"] == _HEAD).all() and (table["mark"] == np.void(_MARK)).all():
            return unpacked_ids(table["id"].tobytes()), table["stamp"].astype(np.int64)
    pairs = [(id_of(one), _without_stamp(one)[1]) for one in split(batch)]
    return [sample_id for sample_id, _ in pairs], np.array([at for _, at in pairs], dtype=np.int64)


def unpacked_ids(packed: bytes) -> list[str]:
    """Ids as text, of 12 bytes each."""
    text = packed.hex()
    return [text[start : start + _ID_DIGITS] for start in range(0, len(text), _ID_DIGITS)]


def id_of(document: bytes) -> str:
    """The id of a document of BSON."""
    return document[_ID_BYTES].hex()


def _batches(view: SampleCollection, shown: dict[str, Any]) -> Iterator[bytes]:
    """Documents that end with a stamp, if the sample has one; many at a time."""
    # A field that is computed comes last, whatever the order in the document.
    pipeline = view._pipeline(  # noqa: SLF001 - FiftyOne aggregates to objects only
        pipeline=[{"$project": {**shown, _TAIL: f"${STAMP}"}}]
    )
    collection = view._dataset._sample_collection  # noqa: SLF001
    yield from collection.aggregate_raw_batches(pipeline, allowDiskUse=True)


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
