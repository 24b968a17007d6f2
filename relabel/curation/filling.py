"""Puts vectors into a similarity index, batch by batch where its back end takes them so."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .brain_runs import PGVECTOR, limit_waiting, save_results
from .errors import VectorStoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .embeddings import Embeddings

    Progress = Callable[[int, int], None]

SKLEARN, LANCEDB = "sklearn", "lancedb"
AT_ONCE = 5_000
# The first keeps all in memory, the second writes its whole table anew each time, and the third
# builds its graph after the first batch and would have to add all others to it row by row.
_ALL_AT_ONCE = (SKLEARN, LANCEDB, PGVECTOR)


def add_vectors(
    index: Any,
    vectors: NDArray[Any],
    embeddings: Embeddings,
    *,
    progress: Progress | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> None:
    """Adds vectors that an index does not hold.

    Sent batch by batch, they are taken out again if that fails or is cancelled.

    Args:
        index: FiftyOne's similarity index
        vectors: ``[N, D]``
        embeddings: whose they are
        progress: called with how many are added and how many there are; until the last batch is
            added it may raise to cancel
        before_writing: called once, before the last batch; may raise to cancel

    Raises:
        VectorStoreError: if the back end refuses
    """
    total = len(vectors)
    step = max(total, 1) if index.config.method in _ALL_AT_ONCE else AT_ONCE
    tell = progress or (lambda *_: None)
    for start in range(0, total, step):
        stop = min(start + step, total)
        with _taken_out_again(index, embeddings, start):
            tell(start, total)
            if stop == total:
                before_writing()
        with _taken_out_again(index, embeddings, stop), answering(index.config.method):
            _add(index, vectors, embeddings, slice(start, stop), reload=stop == total)
    with answering(index.config.method):
        save_results(index)
    tell(total, total)


@contextlib.contextmanager
def answering(backend: str) -> Iterator[None]:
    """Says of what goes wrong meanwhile that the back end failed."""
    try:
        yield
    except Exception as error:  # each back end has its own
        raise VectorStoreError(
            f"The vector back end '{backend}' failed: {error}",
            "Check its address and keys in FiftyOne's brain configuration.",
        ) from error


@contextlib.contextmanager
def _taken_out_again(index: Any, embeddings: Embeddings, count: int) -> Iterator[None]:
    """Takes the first so many out of an index if the body raises."""
    try:
        yield
    except BaseException:
        if count and index.config.method not in _ALL_AT_ONCE:
            # What went wrong is told, not that the back end does not answer this either.
            with contextlib.suppress(Exception):
                _take_out(index, embeddings, slice(count))
        raise


def _add(
    index: Any, vectors: NDArray[Any], embeddings: Embeddings, part: slice, *, reload: bool
) -> None:
    limit_waiting(index)
    labels = embeddings.label_ids
    index.add_to_index(
        vectors[part],
        list(embeddings.sample_ids[part]),
        label_ids=None if labels is None else list(labels[part]),
        reload=reload,
    )


def _take_out(index: Any, embeddings: Embeddings, part: slice) -> None:
    labels = embeddings.label_ids
    if labels is None:
        index.remove_from_index(sample_ids=list(embeddings.sample_ids[part]))
    else:  # the samples may have others in the index
        index.remove_from_index(label_ids=list(labels[part]))
