"""What a user asks to be sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..labels import LabelSchema

_KEPT_ELSEWHERE = ("key", "fields")


@dataclass(frozen=True)
class RoundField:
    """A label field that a round annotates.

    Args:
        name: the field; one that does not exist yet is made when labels come
        schema: its classes and attributes for annotators
    """

    name: str
    schema: LabelSchema


@dataclass(frozen=True)
class Request:
    """What the user asks for.

    Args:
        key: the round's name, a valid Python identifier
        fields: the label fields to annotate, all of them on the same images
        images_per_job: the size of a job, or None for one job
        assignees: the user names that get the jobs in turn
        include_out: whether images that are out in another round of this field are sent as well
        image_quality: of the copies that CVAT shows, in percent
        images_per_task: the size of a task, or None for one task
    """

    key: str
    fields: tuple[RoundField, ...]
    images_per_job: int | None = None
    assignees: tuple[str, ...] = ()
    include_out: bool = False
    image_quality: int = 75
    images_per_task: int | None = None


def request_document(request: Request) -> dict[str, Any]:
    """A request as MongoDB holds it, beside what a round's record says already."""
    return {name: value for name, value in asdict(request).items() if name not in _KEPT_ELSEWHERE}


def read_request(
    document: Mapping[str, Any], key: str, round_fields: tuple[RoundField, ...]
) -> Request:
    """The reverse of :func:`request_document`; options that it does not know are left out."""
    known = {item.name for item in fields(Request)} - set(_KEPT_ELSEWHERE)
    options = {name: _frozen(value) for name, value in document.items() if name in known}
    return Request(key, round_fields, **options)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
