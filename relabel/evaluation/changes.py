"""Which images of an evaluation are not as they were, and what matching those again found.

An image is as it was if what an evaluation looks at is, byte for byte. Who knows which samples
were written can do without reading the others: they are taken to be as they were as long as their
``last_modified_at`` is, which FiftyOne sets whenever it writes a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from .matching.outcome import Pieces, empty, fields_of, leaves_of, match_images
from .matching.reading import UNKNOWN, digests, id_of, read_raw
from .storing.stored_run import stages_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from concurrent.futures import Future

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..compute.inference.images import Progress
    from .matching.options import Comparison
    from .matching.reading import RawSamples
    from .storing.kept import Kept, Seen

    Integers = NDArray[np.int64]

_WRITING = 0.2
"""About how much of the time goes into writing, as a share of the reading."""

_MOST_DOUBTS = 0.5
"""Of which share of the samples on all are read in one go."""


@dataclass(frozen=True)
class Written:
    """What is known of who has written since an evaluation.

    Args:
        samples: those that somebody has written
        stamps: all samples of the view, and when each was last written
    """

    samples: Collection[str]
    stamps: Future[tuple[list[str], Integers]]


@dataclass(frozen=True)
class Matched:
    """The outcome of all images.

    Args:
        pieces: who was matched to whom; the first pieces are those that were kept
        stamps: when each sample was last written before its labels were read, of shape
            ``(images,)``
        changed: the numbers of the images that were matched
    """

    pieces: Pieces
    stamps: Integers
    changed: list[int]


def match_changed(
    view: SampleCollection,
    comparison: Comparison,
    kept: Kept | None,
    written: Written | None,
    progress: Progress | None,
) -> Matched:
    """Matches the images that are not as they were.

    Args:
        view: the samples
        comparison: what is compared, and how
        kept: what is kept of the last time, if it was the same comparison
        written: what was written since, if that is known; samples count as written, too, if their
            ``last_modified_at`` has changed. None looks at the labels of all
        progress: called with how many samples are done and how many there are
    """
    pieces = kept.pieces if kept else None
    if written is not None and kept and _stamps_tell(view, kept):
        found = _match_written(_Reading(view, comparison, pieces, progress), kept, written)
        if found:
            return found
    reading = _Reading(view, comparison, pieces, progress)
    reading.read(view)
    return reading.matched(np.array(reading.rows, np.int64), np.array(reading.stamps, np.int64))


def _stamps_tell(view: SampleCollection, kept: Kept) -> bool:
    """Whether a sample whose stamp is the same shows the same labels."""
    seen = kept.seen
    if seen is None or seen.stages != stages_of(view):
        return False
    # What comes from elsewhere, as from frames, can change while the sample stays.
    stages = view._stages if isinstance(view, fo.DatasetView) else ()  # noqa: SLF001
    own = not any(isinstance(stage, fo.Mongo) for stage in stages)
    return own and not view._dataset._has_frame_fields()  # noqa: SLF001 - no public name


def _match_written(reading: _Reading, kept: Kept, written: Written) -> Matched | None:
    """Looks only at samples that may have changed; None if these are too many."""
    most = _MOST_DOUBTS * len(reading.known)
    named = reading.known.keys() & set(written.samples)
    if len(named) > most:
        return None
    reading.read_only(named)  # the stamps are read meanwhile
    looked_at = set(reading.ids)
    ids, stamps = written.stamps.result()
    stamps = stamps.copy()
    rows = np.array([reading.known.get(one, -1) for one in ids], dtype=np.int64)
    doubtful = (stamps != reading.stamps_at(rows, kept.seen)) | (stamps == UNKNOWN)
    doubtful |= np.fromiter((one in named for one in ids), bool, len(ids))
    places = np.flatnonzero(doubtful).tolist()
    if len(places) > most:
        return None
    reading.read_only({ids[place] for place in places} - looked_at)
    found = dict(zip(reading.ids, zip(reading.rows, reading.stamps, strict=True), strict=True))
    for place in places:
        rows[place], stamps[place] = found.get(ids[place], (-1, UNKNOWN))
    there = rows >= 0  # not there is what was deleted meanwhile
    return reading.matched(rows[there], stamps[there])


class _Reading:
    """Looks at labels, and matches those that are not as they were."""

    def __init__(
        self,
        view: SampleCollection,
        comparison: Comparison,
        before: Pieces | None,
        progress: Progress | None,
    ) -> None:
        self.view = view
        self._before = before or Pieces((empty(comparison.options),), np.arange(0))
        places = self._before.places.tolist()
        self.known = dict(zip(self._before.sample_ids, places, strict=True))
        self.ids: list[str] = []
        self.rows: list[int] = []
        self.stamps: list[int] = []
        self._comparison = comparison
        self._pieces = list(self._before.of)
        self._digests = np.concatenate([piece.digest for piece in self._before.of]).tolist()
        self._progress = progress

    def read(self, view: SampleCollection) -> None:
        """Looks at the labels of some samples.

        What it finds of each is in ``ids``, ``rows`` of all pieces together, and ``stamps``.
        """
        total = len(self.rows) + view.count() if self._progress else 0
        options = self._comparison.options
        leaves, others = leaves_of(options), fields_of(options)
        for raw in read_raw(view, self._comparison.fields, leaves, others):
            if self._progress:
                self._progress(len(self.rows), round(total * (1 + _WRITING)))
            self._look_at(raw)

    def read_only(self, sample_ids: Collection[str]) -> None:
        """Looks at the labels of these samples of the view."""
        if sample_ids:
            self.read(self.view.select(sorted(sample_ids)))

    def _look_at(self, raw: RawSamples) -> None:
        size = sum(map(len, self._pieces))
        new: list[bytes] = []
        for document, digest in zip(raw.documents, digests(raw.documents).tolist(), strict=True):
            sample_id = id_of(document)
            row = self.known.get(sample_id)
            if row is None or self._digests[row] != digest:
                row = size + len(new)
                new.append(document)
            self.ids.append(sample_id)
            self.rows.append(row)
        self.stamps += raw.stamps
        if new:
            self._pieces.append(match_images(new, self._comparison))

    def stamps_at(self, rows: Integers, seen: Seen | None) -> Integers:
        """What is kept of when images were last written; unknown for row -1."""
        stamps = np.full(len(self._digests) + 1, UNKNOWN)
        if seen:
            stamps[self._before.places] = seen.stamps
        return stamps[rows]

    def matched(self, rows: Integers, stamps: Integers) -> Matched:
        """Puts the images together that are as they were and those that were matched."""
        changed: list[int] = np.flatnonzero(rows >= len(self._digests)).tolist()
        return Matched(Pieces(tuple(self._pieces), rows), stamps, changed)
