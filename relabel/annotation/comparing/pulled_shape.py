"""What a pull compares with the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...labels import Drawn


class PulledShape(NamedTuple):
    """A shape as it is in CVAT now.

    Args:
        shape_id: the server's id
        carried_id: the FiftyOne id in its ``label_id`` attribute, or an empty text
        drawn: how it is drawn
        part: which part of its label it is, or an empty text for all of it
    """

    shape_id: int
    carried_id: str
    drawn: Drawn
    part: str = ""
