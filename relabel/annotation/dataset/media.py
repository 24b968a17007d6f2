"""The images of a round, checked before the first one is sent."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, UnidentifiedImageError

from ...cvat import ImageFile
from ..errors import UnreadableMedia
from ..record.places import Place
from .groups import every_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import fiftyone as fo

    from ..record.references import MediaReference
    from ..record.request import Request

_NAMED = 5
_IMAGES_AT_ONCE = 500
_PNG_SIGNATURE = 8  # bytes
_TURNED = frozenset({5, 6, 7, 8})  # the orientations of EXIF that swap width and height


@dataclass(frozen=True)
class RoundImage:
    """An image of a round.

    Args:
        sample_id: its sample
        file: what is sent
        size: width and height in pixels, as it is shown
        upload_id: of a large one, the upload that was begun of it
        frames: how many frames it has, if it is a video
        frame_number: which frame of a video it is, counted from 1, if it is one
    """

    sample_id: str
    file: ImageFile
    size: tuple[int, int]
    upload_id: str = ""
    frames: int = 0
    frame_number: int | None = None

    def place(self, field: str) -> Place:
        """Where its labels of a field are."""
        return Place(self.sample_id, field, self.frame_number)


def find_images(
    dataset: fo.Dataset, sample_ids: Sequence[str], request: Request
) -> Iterator[list[RoundImage]]:
    """Finds the images of samples, and that each can be read as far as its header goes.

    Args:
        dataset: the dataset
        sample_ids: the samples of the round, in order; those that are gone are left out
        request: which media field it is, and whether CVAT finds the files itself

    Yields:
        some images at a time, one for a sample, named so that annotators recognise it and no two
        are alike

    Raises:
        UnreadableMedia: at the end, if some are missing or are no images; it names them
    """
    faults: list[str] = []
    number = 0
    paths = ["id", request.media_field]
    for start in range(0, len(sample_ids), _IMAGES_AT_ONCE):
        view = every_sample(dataset).select(
            sample_ids[start : start + _IMAGES_AT_ONCE], ordered=True
        )
        images = []
        for sample_id, filepath in zip(*view.values(paths), strict=True):
            try:
                images.append(_find(sample_id, filepath, number, request.media))
            except _Fault as fault:
                faults.append(str(fault))
            number += 1
        if not faults:
            yield images
    if faults:
        raise unreadable(faults, "images")


class _Fault(Exception):
    """Why an image cannot be sent."""


def _find(
    sample_id: str, filepath: str | None, number: int, media: MediaReference | None
) -> RoundImage:
    if not filepath:
        raise _Fault(f"sample {sample_id} has no file")
    path = Path(filepath)
    try:
        with Image.open(path) as image:
            size, suffix = _shown_size(path, image), _suffix(path, image)
        name = f"{number:06d}_{path.stem}{suffix}" if media is None else media.name_of(path)
        return RoundImage(sample_id, ImageFile(path, name, path.stat().st_size), size)
    except FileNotFoundError as error:
        raise _Fault(f"{filepath} is missing") from error
    except UnidentifiedImageError as error:
        raise _Fault(f"{filepath} is no image") from error
    except OSError as error:
        raise _Fault(f"{filepath} cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise _Fault(f"{filepath} is not in the folder that the server knows") from error


def _shown_size(path: Path, image: Image.Image) -> tuple[int, int]:
    """Width and height as CVAT and the App show it, turned as its camera was held.

    Pillow decodes a PNG to its end for what may be said after the pixels, which hardly any does.
    """
    width, height = image.size
    all_is_read = image.format == "PNG" and _ends_with_pixels(path)
    exif = Image.Image.getexif(image) if all_is_read else image.getexif()
    turned = exif.get(ExifTags.Base.Orientation) in _TURNED
    return (height, width) if turned else (width, height)


def _ends_with_pixels(path: Path) -> bool:
    """Whether nothing is said in a PNG after its pixels: it is chunks with a length and a name."""
    name = b""
    with path.open("rb") as file:
        file.seek(_PNG_SIGNATURE)
        while len(head := file.read(8)) == 8:
            before, length, name = name, *struct.unpack(">I4s", head)
            if name == b"IEND" or (before == b"IDAT" and name != b"IDAT"):
                break
            file.seek(length + 4, os.SEEK_CUR)
    return name == b"IEND"


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


def unreadable(faults: list[str], what: str) -> UnreadableMedia:
    """Names some of the files that cannot be sent."""
    named = "; ".join(faults[:_NAMED])
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return UnreadableMedia(
        f"{len(faults)} of the {what} cannot be sent: {named}{more}.",
        "Repair them, or leave these samples out.",
    )
