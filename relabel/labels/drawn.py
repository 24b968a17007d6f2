"""What of a label an annotator can see and change."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Drawn:
    """A label as it stands in CVAT, with names in place of the server's ids.

    Two of them are equal if and only if an annotator would see no difference, to the last bit.

    Args:
        label: its class
        points: its coordinates in pixels; of a box left, top, right, bottom
        rotation: degrees, clockwise about its centre
        attributes: name -> value, as the text that travels
    """

    label: str
    points: tuple[float, ...]
    rotation: float = 0.0
    attributes: dict[str, str] = field(default_factory=dict)

    def same_place(self, other: Drawn) -> bool:
        """Whether both are drawn at exactly the same place."""
        return self.points == other.points and self.rotation == other.rotation
