"""The images of a round, checked before the first one is sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from ..cvat import ImageFile
from .errors import UnreadableMedia

if TYPE_CHECKING:
    from collections.abc import Iterable

    import fiftyone as fo

_NAMED = 5


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


def find_images(view: fo.DatasetView) -> list[RoundImage]:
    """Finds the images of a view, and that each can be read as far as its header goes.

    Args:
        view: the samples of the round, in order

    Returns:
        one image for a sample, named so that annotators recognise it and no two are alike

    Raises:
        UnreadableMedia: if some are missing or are no images; it names them
    """
    ids, paths = view.values(["id", "filepath"])
    images, faults = [], []
    for index, (sample_id, filepath) in enumerate(zip(ids, paths, strict=True)):
        path = Path(filepath)
        try:
            with Image.open(path) as image:
                size, suffix = image.size, _suffix(path, image)
            file = ImageFile(path, f"{index:06d}_{path.stem}{suffix}", path.stat().st_size)
            images.append(RoundImage(sample_id, file, size))
        except FileNotFoundError:
            faults.append(f"{path} is missing")
        except UnidentifiedImageError:
            faults.append(f"{path} is no image")
        except OSError as error:
            faults.append(f"{path} cannot be read ({error.strerror or error})")
    if faults:
        raise _unreadable(faults)
    return images


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
