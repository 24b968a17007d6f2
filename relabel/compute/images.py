"""Reads images ahead of the model that works on them; one bad image costs one image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import fiftyone.utils.image as foui

if TYPE_CHECKING:
    import numpy as np
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
_READERS = 4
_Reading = tuple[str, str, "Future[Any]"]


@dataclass(frozen=True)
class Unreadable:
    """An image that could not be read.

    Args:
        sample_id: whose image
        filepath: where it should be
        reason: what the reader said
    """

    sample_id: str
    filepath: str
    reason: str


@dataclass(frozen=True)
class ImageBatch:
    """Some samples' images.

    Args:
        sample_ids: the samples whose images could be read
        images: these images, each uint8 ``[H, W, 3]`` RGB
        unreadable: the others
    """

    sample_ids: tuple[str, ...]
    images: tuple[NDArray[np.uint8], ...]
    unreadable: tuple[Unreadable, ...]

    def __len__(self) -> int:
        return len(self.sample_ids) + len(self.unreadable)


def read_images(view: SampleCollection, batch_size: int) -> Iterator[ImageBatch]:
    """Reads a view's images; the next batch is being read while one is worked on.

    Args:
        view: the samples
        batch_size: how many images to yield together
    """
    ids, paths = view.values(["id", "filepath"])
    remaining = iter(zip(ids, paths, strict=True))
    with ThreadPoolExecutor(_READERS) as readers:

        def start_batch() -> list[_Reading]:
            chunk = islice(remaining, max(1, batch_size))
            return [(key, path, readers.submit(foui.read, path)) for key, path in chunk]

        batch = start_batch()
        while batch:
            following = start_batch()
            yield _finish(batch)
            batch = following


def _finish(batch: Sequence[_Reading]) -> ImageBatch:
    read: dict[str, NDArray[np.uint8]] = {}
    unreadable = []
    for sample_id, path, image in batch:
        error = image.exception()
        if error is None:
            read[sample_id] = image.result()
        else:
            unreadable.append(Unreadable(sample_id, path, str(error) or type(error).__name__))
    return ImageBatch(tuple(read), tuple(read.values()), tuple(unreadable))
