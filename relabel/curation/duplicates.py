"""Finds samples that are the same, or nearly, in groups."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import fiftyone.core.utils as fou
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..compute.inference.images import Unreadable, reason_of
from .distances.copies import first_of_each
from .distances.neighbours import near_pairs
from .distances.unit_rows import UnitRows
from .selecting.selection import require_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Set

    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .embedding.embeddings import Embeddings

    Progress = Callable[[int, int], None]

_PAIRS_HELD = 1 << 20
_READERS = 4
_REPORT_EVERY = 256


@dataclass(frozen=True)
class Duplicates:
    """Groups of samples that are alike.

    Args:
        groups: the samples of each group; those to keep come first, largest group first
        redundant: the samples that can go: each has one in its group that stays and is as near
        unreadable: the files that could not be read
    """

    groups: tuple[tuple[str, ...], ...]
    redundant: frozenset[str]
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """All samples, group by group."""
        return tuple(sample_id for group in self.groups for sample_id in group)

    def across(self, splits: Mapping[str, Set[Hashable]]) -> Duplicates:
        """The groups whose samples are of more than one split: they leak from one into another.

        Args:
            splits: sample -> its splits
        """
        groups = tuple(
            group
            for group in self.groups
            if len({split for key in group for split in splits.get(key, ())}) > 1
        )
        kept = {key for group in groups for key in group}
        return Duplicates(groups, self.redundant & kept, self.unreadable)


def find_exact_duplicates(
    samples: SampleCollection, *, progress: Progress | None = None
) -> Duplicates:
    """Finds samples whose files are the same to the last byte.

    Only files of the same size are read.

    Args:
        samples: the samples; the first of a group stays
        progress: called with how many files are read and how many are to be; it may raise
    """
    ids, paths = samples.values(["id", "filepath"])
    by_size: dict[int, list[tuple[str, str]]] = defaultdict(list)
    unreadable: list[Unreadable] = []
    for sample_id, path in zip(ids, paths, strict=True):
        try:
            by_size[Path(path).stat().st_size].append((sample_id, path))
        except OSError as error:
            unreadable.append(Unreadable(sample_id, path, reason_of(error)))
    asked = [one for found in by_size.values() if len(found) > 1 for one in found]
    by_hash: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(_READERS) as readers:
        for done, (sample_id, digest) in enumerate(readers.map(_hash, asked), 1):
            if isinstance(digest, Unreadable):
                unreadable.append(digest)
            else:
                by_hash[digest].append(sample_id)
            if progress and (done % _REPORT_EVERY == 0 or done == len(asked)):
                progress(done, len(asked))
    groups = [tuple(found) for found in by_hash.values() if len(found) > 1]
    redundant = frozenset(key for group in groups for key in group[1:])
    return Duplicates(_largest_first(groups), redundant, tuple(unreadable))


def find_near_duplicates(
    embeddings: Embeddings, distance: float, *, progress: Progress | None = None
) -> Duplicates:
    """Finds samples whose vectors are within a distance.

    Samples are in one group if a chain of such pairs links them. As a chain may be long, what can
    go is only what has a sample that stays within the distance; the first ones stay. Of samples
    with the same numbers one is compared.

    Args:
        embeddings: their vectors
        distance: of vectors at length 1, in [0, 2]; 0 finds the same vectors only
        progress: called with how many are compared and how many there are; it may raise

    Raises:
        SelectionError: if that is no distance
        EmbeddingsError: if a vector is zero, or holds something that is not a number
    """
    require_apart(distance)
    ids, rows = embeddings.sample_ids, UnitRows(embeddings.vectors)
    same = first_of_each(rows.vectors)
    kept = same == np.arange(len(ids))
    compared, copies = np.flatnonzero(kept), np.flatnonzero(~kept)
    if len(copies):
        rows = UnitRows(rows.vectors[compared])
    links = _Links(len(ids))
    links.add(copies, same[copies])
    for first, second in near_pairs(rows, distance, progress=progress):
        pairs = compared[first], compared[second]
        links.add(*pairs)
        later, starts = np.unique(pairs[0], return_index=True)
        for row, earlier in zip(later, np.split(pairs[1], starts)[1:], strict=True):
            kept[row] = not kept[earlier].any()
    groups = [
        tuple(ids[row] for row in sorted(group, key=lambda row: (not kept[row], row)))
        for group in links.groups()
    ]
    redundant = frozenset(ids[row] for row in np.flatnonzero(~kept))
    return Duplicates(_largest_first(groups), redundant, embeddings.unreadable)


class _Links:
    """Which rows are linked by chains of pairs, in memory that many pairs do not fill.

    Args:
        count: how many rows there are
    """

    def __init__(self, count: int) -> None:
        self._labels = np.arange(count)
        self._pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._held = 0

    def add(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Links rows with others."""
        new = self._labels[first] != self._labels[second]
        self._pairs.append((first[new], second[new]))
        self._held += int(new.sum())
        if self._held > _PAIRS_HELD:
            self._settle()

    def groups(self) -> list[list[int]]:
        """The rows of each group of two or more."""
        self._settle()
        _, group, sizes = np.unique(self._labels, return_inverse=True, return_counts=True)
        linked = np.flatnonzero(sizes[group] > 1)
        found: dict[int, list[int]] = defaultdict(list)
        for row in linked.tolist():
            found[int(group[row])].append(row)
        return list(found.values())

    def _settle(self) -> None:
        count = len(self._labels)
        first, second = (np.concatenate([np.empty(0, np.int64), *part]) for part in self._sides())
        ones = np.ones(len(first), np.bool_)
        graph = coo_matrix((ones, (self._labels[first], self._labels[second])), (count, count))
        _, merged = connected_components(graph, directed=False)
        self._labels = merged[self._labels]
        self._pairs, self._held = [], 0

    def _sides(self) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
        return [first for first, _ in self._pairs], [second for _, second in self._pairs]


def _largest_first(groups: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted(groups, key=len, reverse=True))


def _hash(sample: tuple[str, str]) -> tuple[str, str | Unreadable]:
    """A sample, and the hash of its file's bytes."""
    sample_id, path = sample
    try:
        return sample_id, fou.compute_filehash(path, method="sha256")
    except OSError as error:
        return sample_id, Unreadable(sample_id, path, reason_of(error))
