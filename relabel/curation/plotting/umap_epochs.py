"""Tells how far UMAP is between two of its epochs, where it can be ended too.

UMAP hands the options ``tqdm_kwds`` to a bar of tqdm, from which it draws its epochs. A bar that
writes to a file of ours would do, but for one thing: tqdm writes while it holds a lock of the
whole process, and keeps it for ever if writing raises. The next bar, of whatever thread, would
wait for it. So where these options name somebody to tell, the epochs are drawn from here, and
there is no bar.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Progress = Callable[[int, int], None]

_TOLD = "relabel_told"


def epochs_told(progress: Progress | None) -> dict[str, Any]:
    """Options of UMAP with which it tells how far it is.

    Args:
        progress: called after each epoch with how many are done and how many there are, in every
            call of ``fit`` and ``transform``; what it raises ends UMAP there
    """
    if progress is None:
        return {}
    _take_the_place_of_tqdm()
    return {"tqdm_kwds": {_TOLD: progress}}


@functools.cache
def _take_the_place_of_tqdm() -> None:
    from umap import layouts

    bar = layouts.tqdm

    def epochs(numbers: Sequence[int], **options: Any) -> Iterable[int]:
        told = options.pop(_TOLD, None)
        return _each_told(numbers, told) if told else bar(numbers, **options)

    layouts.tqdm = epochs


def _each_told(numbers: Sequence[int], progress: Progress) -> Iterator[int]:
    for done, number in enumerate(numbers, 1):
        yield number
        progress(done, len(numbers))
