"""What a run that computes vectors has done so far, kept in FiftyOne's database.

A run that was cancelled, or whose process was killed, is gone on with by the next that uses the
same model, on whatever machine that runs. Each document holds whole samples, so that none is half
there; the database deletes what nobody came back for.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import numpy as np

from .parts import Part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection

_COLLECTION = "relabel_embeddings"
KEPT = timedelta(days=7)
# A document of MongoDB holds 16 MB, and a vector comes with some ids.
_MOST_BYTES = 1 << 22
_SECONDS = 5.0


class Checkpoint:
    """Vectors that are computed already.

    Args:
        made_by: all that decides what the vector of a sample is: a JSON value
    """

    def __init__(self, made_by: object) -> None:
        self._key = _digest(made_by)
        self._changed: dict[str, str] = {}
        self._waiting: list[Part] = []
        self._last = time.monotonic()

    def resume(self, view: SampleCollection, patches_field: str | None = None) -> Iterator[Part]:
        """The vectors of a view that are there, of samples that have not changed since.

        Args:
            view: the samples that this run is about
            patches_field: of patches, their field. A sample of which the view shows other labels
                than the run before it has changed
        """
        ids, changed = view.values(["id", "last_modified_at"])
        stamps = map(str, changed)
        if patches_field:
            _, path = view._get_label_field_path(patches_field, "id")  # noqa: SLF001
            stamps = map("{} {}".format, stamps, map(_digest, view.values(path)))
        self._changed = dict(zip(ids, stamps, strict=True))
        met: set[str] = set()
        for found in _documents().find({"key": self._key}).sort("_id"):
            part = _part_of(found)
            fresh = [
                key in self._changed and key not in met and self._changed[key] == before
                for key, before in zip(part.sample_ids, found["changed"], strict=True)
            ]
            if any(fresh):
                yield part.take(np.flatnonzero(fresh))
            met.update(itertools.compress(part.sample_ids, fresh))

    def add(self, part: Part) -> None:
        """Keeps some more, at the latest after some seconds."""
        self._waiting.append(part)
        waits = sum(part.vectors.nbytes for part in self._waiting)
        if waits >= _MOST_BYTES or time.monotonic() - self._last >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Keeps what waits."""
        waiting = [part for part in self._waiting if part.sample_ids]
        self._waiting, self._last = [], time.monotonic()
        if waiting:
            documents = _documents()
            documents.create_index("key")
            documents.create_index("at", expireAfterSeconds=int(KEPT.total_seconds()))
            documents.insert_many([self._document(piece) for piece in _pieces(waiting)])

    def discard(self) -> None:
        """Forgets everything: it has arrived where it was computed for."""
        self._waiting = []
        _documents().delete_many({"key": self._key})

    def _document(self, part: Part) -> dict[str, Any]:
        return {
            "key": self._key,
            "at": datetime.now(UTC),
            "sample_ids": list(part.sample_ids),
            "changed": [self._changed.get(key) for key in part.sample_ids],
            "label_ids": list(part.label_ids),
            "vectors": np.ascontiguousarray(part.vectors, "<f4").tobytes(),
        }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _documents() -> Any:
    return foo.get_db_conn()[_COLLECTION]


def _part_of(document: dict[str, Any]) -> Part:
    vectors = np.frombuffer(document["vectors"], "<f4")
    ids = document["sample_ids"]
    return Part(tuple(ids), vectors.reshape(len(ids), -1), tuple(document["label_ids"]))


def _pieces(parts: Sequence[Part]) -> Iterator[Part]:
    """The vectors in pieces that fit into a document, each sample whole in one of them.

    A sample whose patches do not fit is left out: it is computed again.
    """
    whole = Part(
        tuple(key for part in parts for key in part.sample_ids),
        np.concatenate([part.vectors for part in parts]),
        tuple(key for part in parts for key in part.label_ids),
    )
    fits = max(1, _MOST_BYTES // whole.vectors[0].nbytes)
    ids = np.array(whole.sample_ids)
    ends = [*(np.flatnonzero(ids[1:] != ids[:-1]) + 1).tolist(), len(ids)]
    start = end = 0
    for following in ends:
        if following - start > fits:
            if end > start:
                yield whole.take(slice(start, end))
            start = end
        if following - start > fits:
            start = following
        end = following
    if end > start:
        yield whole.take(slice(start, end))
