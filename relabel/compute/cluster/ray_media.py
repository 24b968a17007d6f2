"""Images as the nodes of a Ray cluster see them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import NodeCannotSee
from ..inference.batches import MOST_IMAGES
from ..inference.images import Unreadable
from .ray_node import node_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    # The sample, the path, the reason, and the node if it cannot open the file.
    Told = tuple[str, str, str, str | None]

# So many images at most travel to a worker together, and several times to each: little is done
# twice when a node dies, and all end at about the same time.
_MOST, _TIMES = 256, 8
# On a GPU so many that of the largest batches too one is read while another is worked on.
_MOST_ON_GPUS = 4 * MOST_IMAGES


def chunks(
    items: Sequence[Any], batch_size: int, workers: int, *, on_gpus: bool = False
) -> Iterator[Sequence[Any]]:
    """What is to be read, in chunks of whole batches, the same batches as on one machine."""
    most = _MOST_ON_GPUS if on_gpus else _MOST
    wanted = min(most, len(items) // (_TIMES * workers))
    step = batch_size * max(1, wanted // batch_size)
    for start in range(0, len(items), step):
        yield items[start : start + step]


def tell(unreadable: Sequence[Unreadable]) -> list[Told]:
    """What a node tells the driver of images that it could not read."""
    return [
        (*_fields(image), None if _opens(image.filepath) else node_name()) for image in unreadable
    ]


def heard(told: Sequence[Told]) -> tuple[Unreadable, ...]:
    """What a node could not read.

    Raises:
        NodeCannotSee: if a file can be opened here, and not on the node
    """
    for _, path, _, node in told:
        if node and _opens(path):
            raise NodeCannotSee(
                f"The node {node} cannot open {path}, which can be opened here.",
                "Keep media where every node finds it under the same path, such as a network "
                "file system mounted alike on all, and let whoever started Ray there read it.",
            )
    return tuple(Unreadable(sample_id, path, reason) for sample_id, path, reason, _ in told)


def _fields(image: Unreadable) -> tuple[str, str, str]:
    return image.sample_id, image.filepath, image.reason


def _opens(path: str) -> bool:
    """Whether a file is there and may be read; of URLs the reader itself says what is wrong."""
    return "://" in path or os.access(path, os.R_OK)
