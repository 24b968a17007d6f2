"""Where labels are: one field of one sample, or of one frame of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Place(NamedTuple):
    """What holds the labels that are compared and written together.

    Args:
        sample_id: the sample
        field: the label field; of the frames of a video, with ``frames.`` before its name
        frame_number: the frame of a video, counted from 1; None for an image
    """

    sample_id: str
    field: str
    frame_number: int | None = None

    def __str__(self) -> str:
        return f"{self.sample_id}/{self.frame_number or 0}/{self.field}"


def place_document(place: Place) -> dict[str, Any]:
    """A place as MongoDB holds it, among other keys of a document."""
    return place._asdict()


def read_place(document: Mapping[str, Any]) -> Place:
    """The reverse of :func:`place_document`."""
    return Place(document["sample_id"], document["field"], document.get("frame_number"))


def samples_of(places: Iterable[Place]) -> list[str]:
    """The samples that places are in, each once."""
    return list(dict.fromkeys(place.sample_id for place in places))
