"""Puts vectors into a similarity index, batch by batch where its back end takes them so."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from .errors import VectorStoreError
from .storing.brain_runs import PGVECTOR, limit_waiting, save_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from .embedding.embeddings import Embeddings

    Progress = Callable[[int, int], None]

logger = logging.getLogger(__name__)

SKLEARN, LANCEDB = "sklearn", "lancedb"
AT_ONCE = 5_000
_TAKEN_OUT_AT_ONCE = 1_000  # Pinecone takes no more
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
    take_back: bool = False,
) -> None:
    """Adds vectors that an index does not hold.

    Args:
        index: FiftyOne's similarity index
        vectors: ``[N, D]``
        embeddings: whose they are
        progress: called with how many are added and how many there are; until the last batch is
            added it may raise to cancel
        before_writing: called once, before the last batch; may raise to cancel
        take_back: whether those that were sent batch by batch are taken out again if it fails or
            is cancelled: of an index that holds others

    Raises:
        VectorStoreError: if the back end refuses
    """
    total = len(vectors)
    step = max(total, 1) if index.config.method in _ALL_AT_ONCE else AT_ONCE
    tell = progress or (lambda *_: None)
    sent = 0
    try:
        for start in range(0, total, step):
            stop = min(start + step, total)
            tell(start, total)
            if stop == total:
                before_writing()
            sent = stop
            with answering(index.config.method):
                _add(index, vectors, embeddings, slice(start, stop), reload=stop == total)
        with answering(index.config.method):
            save_results(index)
    except BaseException:
        if take_back and index.config.method not in _ALL_AT_ONCE:
            _take_out(index, embeddings, sent)
        raise
    tell(total, total)


@contextlib.contextmanager
def answering(backend: str) -> Iterator[None]:
    """Says of what goes wrong meanwhile that the back end failed."""
    try:
        yield
    except Exception as error:  # each back end has its own
        raise VectorStoreError(
            f"The vector back end '{backend}' failed: {error}",
            "Check its address and keys in FiftyOne's brain configuration; if it refuses the "
            "length of the vectors, compute the index again, as a whole.",
        ) from error


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


def _take_out(index: Any, embeddings: Embeddings, count: int) -> None:
    """Takes the first so many out of an index; logs if its back end refuses."""
    # Of patches not by their samples: these may have others in the index.
    kind = "sample_ids" if embeddings.label_ids is None else "label_ids"
    for start in range(0, count, _TAKEN_OUT_AT_ONCE):
        stop = min(start + _TAKEN_OUT_AT_ONCE, count)
        try:
            index.remove_from_index(
                **{kind: list(embeddings.ids[start:stop])}, reload=stop == count
            )
        except Exception:  # what went wrong before is told
            logger.exception("%d vectors are left in the index '%s'", count - start, index.key)
            return
