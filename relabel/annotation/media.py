"""The images of a round, checked before the first one is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from ..cvat import ImageFile
from .errors import UnreadableMedia
from .places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import fiftyone as fo

_NAMED = 5
_IMAGES_AT_ONCE = 500


@dataclass(frozen=True)
class RoundImage:
    """An image of a round.

    Args:
        sample_id: its sample
        file: what is sent
        size: width and height in pixels
    """

    sample_id: str
    file: ImageFile
    size: tuple[int, int]

    def place(self, field: str) -> Place:
        """Where its labels of a field are."""
        return Place(self.sample_id, field)


def find_images(dataset: fo.Dataset, sample_ids: Sequence[str]) -> Iterator[list[RoundImage]]:
    """Finds the images of samples, and that each can be read as far as its header goes.

    Args:
        dataset: the dataset
        sample_ids: the samples of the round, in order; those that are gone are left out

    Yields:
        some images at a time, one for a sample, named so that annotators recognise it and no two
        are alike

    Raises:
        UnreadableMedia: at the end, if some are missing or are no images; it names them
    """
    faults: list[str] = []
    number = 0
    for start in range(0, len(sample_ids), _IMAGES_AT_ONCE):
        view = dataset.select(sample_ids[start : start + _IMAGES_AT_ONCE], ordered=True)
        images = []
        for sample_id, filepath in zip(*view.values(["id", "filepath"]), strict=True):
            try:
                images.append(_find(sample_id, Path(filepath), number))
            except FileNotFoundError:
                faults.append(f"{filepath} is missing")
            except UnidentifiedImageError:
                faults.append(f"{filepath} is no image")
            except OSError as error:
                faults.append(f"{filepath} cannot be read ({error.strerror or error})")
            number += 1
        if not faults:
            yield images
    if faults:
        raise _unreadable(faults)


def _find(sample_id: str, path: Path, number: int) -> RoundImage:
    with Image.open(path) as image:
        size, suffix = image.size, _suffix(path, image)
    file = ImageFile(path, f"{number:06d}_{path.stem}{suffix}", path.stat().st_size)
    return RoundImage(sample_id, file, size)


def find_corrupt(images: Iterable[RoundImage]) -> list[str]:
    """Decodes images to the end; returns the names of those where that fails.

    It takes long, so it is done only after a server has said that it cannot read one.
    """
    corrupt = []
    for image in images:
        try:
            with Image.open(image.file.path) as opened:
                opened.load()
        except (OSError, SyntaxError, ValueError):  # Pillow raises all of them for bad data
            corrupt.append(str(image.file.path))
    return corrupt


def _suffix(path: Path, image: Image.Image) -> str:
    """The extension to send: CVAT passes over files whose names have none, without a word."""
    if path.suffix.lower() in Image.registered_extensions():
        return path.suffix
    return f".{(image.format or 'png').lower()}"


def _unreadable(faults: list[str]) -> UnreadableMedia:
    named = "; ".join(faults[:_NAMED])
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return UnreadableMedia(
        f"{len(faults)} of the images cannot be sent: {named}{more}.",
        "Repair them, or leave these samples out.",
    )
