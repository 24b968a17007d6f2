"""The picture of a skeleton, from which CVAT's editor draws new ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CENTRE, _RADIUS = 50.0, 40.0


def draw_svg(nodes: Sequence[str], edges: Iterable[tuple[int, int]]) -> str:
    """Nodes on a circle, joined by lines, in the words that CVAT's editor reads.

    Args:
        nodes: their names
        edges: the nodes that each line joins, counted from 0

    Returns:
        lines and circles in a square of 100 by 100
    """
    angles = [2 * math.pi * index / len(nodes) for index in range(len(nodes))]
    places = [
        (round(_CENTRE + _RADIUS * math.sin(a), 2), round(_CENTRE - _RADIUS * math.cos(a), 2))
        for a in angles
    ]
    lines = [
        f'<line x1="{places[start][0]}" y1="{places[start][1]}" '
        f'x2="{places[end][0]}" y2="{places[end][1]}" stroke="black" data-type="edge" '
        f'data-node-from="{start + 1}" data-node-to="{end + 1}" stroke-width="0.5"></line>'
        for start, end in edges
    ]
    circles = [
        f'<circle r="1.5" stroke="black" fill="#b3b3b3" cx="{x}" cy="{y}" stroke-width="0.1" '
        f'data-type="element node" data-element-id="{number}" data-node-id="{number}" '
        f"data-label-name={quoteattr(name)}></circle>"
        for number, (name, (x, y)) in enumerate(zip(nodes, places, strict=True), start=1)
    ]
    return "".join(lines + circles)
