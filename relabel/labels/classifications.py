"""Classifications <-> tags of whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import changed_texts, class_of, texts_of
from .drawn import Drawn, ShapeType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .schema import LabelSchema


def to_drawn(
    document: Mapping[str, Any],
    size: tuple[int, int],  # noqa: ARG001 - every kind of label has the same functions
    schema: LabelSchema,
) -> Drawn:
    """A ``Classification`` as CVAT shows it.

    Raises:
        MalformedLabel: if it has no class
    """
    return Drawn(class_of(document), (), attributes=texts_of(document, schema), type=ShapeType.TAG)


def changed_fields(
    drawn: Drawn,
    before: Drawn | None,
    size: tuple[int, int],  # noqa: ARG001
    schema: LabelSchema,
) -> dict[str, Any]:
    """The fields of a ``Classification`` that an edit in CVAT changes; see :mod:`.boxes`."""
    return changed_texts(drawn, before, schema)


def accept(drawn: Drawn) -> Drawn | None:
    """What a field of classifications makes of a shape, or None if it cannot hold it."""
    return drawn if drawn.type == ShapeType.TAG else None
