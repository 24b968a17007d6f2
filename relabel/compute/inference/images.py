"""Reads images ahead of the model that works on them; one bad image costs one image."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import cv2
import fiftyone.utils.image as foui
from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
Size = tuple[int, int]
# How many together: a number, or what says it anew for each batch.
AtOnce = int | Callable[[], int]
Item = TypeVar("Item")
Result = TypeVar("Result")
_READERS = 4
# A JPEG decodes at these fractions of its size in a fraction of the time.
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


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
        label_ids: of patches, the label of each, with the sample of each in ``sample_ids``
    """

    sample_ids: tuple[str, ...]
    images: tuple[NDArray[np.uint8], ...]
    unreadable: tuple[Unreadable, ...]
    label_ids: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sample_ids) + len(self.unreadable)


def read_images(
    view: SampleCollection,
    batch_size: AtOnce,
    size: Size | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[ImageBatch]:
    """Reads a view's images; the next batch is being read while one is worked on.

    Args:
        view: the samples
        batch_size: how many images to yield together
        size: height and width to which each is resized, on the threads that read; by default none
            is
        leave_out: samples whose images are not wanted
    """
    ids, paths = view.values(["id", "filepath"])
    wanted = [item for item in zip(ids, paths, strict=True) if item[0] not in leave_out]
    yield from read_files(wanted, batch_size, size)


def read_files(
    files: Iterable[tuple[str, str]], batch_size: AtOnce, size: Size | None = None
) -> Iterator[ImageBatch]:
    """The same of samples' ids with the paths of their images."""
    for batch in read_ahead(partial(_read_item, size=size), files, batch_size):
        yield _finish(batch)


def read_ahead(
    read: Callable[[Item], Result], items: Iterable[Item], batch_size: AtOnce
) -> Iterator[list[tuple[Item, Future[Result]]]]:
    """Reads items on several threads; the next batch is being read while one is worked on.

    Args:
        read: reads one item
        items: what is to be read
        batch_size: how many items to yield together

    Yields:
        items, each with what was read or the error that it met
    """
    remaining = iter(items)
    with ThreadPoolExecutor(_READERS) as readers:

        def start_batch() -> list[tuple[Item, Future[Result]]]:
            wanted = batch_size() if callable(batch_size) else batch_size
            chunk = islice(remaining, max(1, wanted))
            return [(item, readers.submit(read, item)) for item in chunk]

        batch = start_batch()
        while batch:
            following = start_batch()
            yield batch
            batch = following


def read_image(path: str, size: Size | None = None) -> NDArray[np.uint8]:
    """Reads an image as uint8 ``[H, W, 3]`` RGB, turned as its EXIF data says.

    Args:
        path: the file
        size: height and width to which it is resized. A JPEG that is at least twice as large is
            decoded at a half, a quarter or an eighth of its size, which is much faster

    Raises:
        OSError: if it cannot be read
    """
    if size is None:
        image: NDArray[np.uint8] = foui.read(path)
        return image
    found = cv2.imread(path, _decoding(path, size))
    if found is None:
        raise OSError(f"OpenCV cannot read '{path}'")
    # FiftyOne's reader would reorder the colours first, one plane behind the other, of all pixels.
    return cv2.cvtColor(resized(found, size), cv2.COLOR_BGR2RGB)  # type: ignore[arg-type,return-value]


def resized(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """An image at another size, averaged where it shrinks."""
    height, width = size
    if image.shape[:2] == size:
        return image
    shrinks = image.shape[0] > height and image.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)  # type: ignore[return-value]


def _decoding(path: str, size: Size) -> int:
    with Image.open(path) as header:
        smallest = min(header.size)
        is_jpeg = header.format == "JPEG"
    for factor, flag in _REDUCED:
        if is_jpeg and smallest >= factor * max(size):
            return flag
    return cv2.IMREAD_COLOR


def _read_item(item: tuple[str, str], size: Size | None) -> NDArray[np.uint8]:
    return read_image(item[1], size)


def _finish(batch: Sequence[tuple[tuple[str, str], Future[NDArray[np.uint8]]]]) -> ImageBatch:
    read: dict[str, NDArray[np.uint8]] = {}
    unreadable = []
    for (sample_id, path), image in batch:
        error = image.exception()
        if error is None:
            read[sample_id] = image.result()
        else:
            unreadable.append(Unreadable(sample_id, path, reason_of(error)))
    return ImageBatch(tuple(read), tuple(read.values()), tuple(unreadable))


def reason_of(error: BaseException) -> str:
    """What a reader said."""
    return str(error) or type(error).__name__
