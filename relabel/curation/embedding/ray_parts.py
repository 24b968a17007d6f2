"""Vectors that the nodes of a Ray cluster compute, batch by batch as one machine would."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

from ...compute.cluster.ray_cluster import name_there
from ...compute.cluster.ray_media import chunks, heard, tell
from ...compute.inference.batches import fitting
from ...compute.inference.images import read_files
from ...compute.inference.patches import IMAGES_AT_ONCE, Framed, framed, read_framed
from ...compute.inference.recipes import require_recipe
from .parts import USUAL_BATCH, Part, embed_batch, require_embeddings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ...compute.cluster.ray_cluster import Cluster
    from ...compute.inference.recipes import Recipe


class Embedder:
    """Computes vectors on a node.

    Args:
        load: the name of what loads the model
        args: what that is called with
        named: the same of its keywords
        batch_size: how many images go through the model together; None as in `embed_parts`
    """

    def __init__(
        self,
        load: str,
        args: Sequence[Any],
        named: Sequence[tuple[str, Any]],
        batch_size: int | None,
    ) -> None:
        model: Model = pkgutil.resolve_name(load)(*args, **dict(named))
        self._model = require_embeddings(model, load)
        self._embed = fitting(model, model.embed_all, batch_size, USUAL_BATCH)
        self._batch_size = batch_size or USUAL_BATCH

    def work(self, chunk: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Computes those of some images, or of the patches of some.

        Args:
            chunk: the sample and the path of each, of patches their boxes too

        Yields:
            the attributes of a :class:`Part`
        """
        size = getattr(self._model, "input_size", None)
        batches = (
            read_framed((Framed(*image) for image in chunk), size)
            if len(chunk[0]) > 2
            else read_files(chunk, lambda: max(self._batch_size, self._embed.at_most), size)
        )
        with self._model:
            for batch in batches:
                part = embed_batch(self._embed, batch)
                yield part.sample_ids, part.vectors, part.label_ids, tell(part.unreadable)


def embed_parts_on(
    cluster: Cluster,
    view: SampleCollection,
    model: Model | Recipe,
    *,
    batch_size: int | None = None,
    patches_field: str | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[Part]:
    """Computes vectors as :func:`embed_parts` does, on a cluster whose nodes load the model.

    Raises:
        NodeCannotSee: if an image can be opened here, and not on a node
        NodeLacksPackage, ModelNotFound: if a node cannot load the model
    """
    if patches_field:
        images = framed(view, patches_field)
        items = [(image.sample_id, image.filepath, image.boxes) for image in images]
    else:
        items = list(zip(*view.values(["id", "filepath"]), strict=True))
    wanted = [item for item in items if item[0] not in leave_out]
    at_once = IMAGES_AT_ONCE if patches_field else batch_size or USUAL_BATCH
    recipe = require_recipe(model)
    made_by = (name_there(recipe.load), recipe.args, recipe.named, batch_size)
    for sample_ids, vectors, label_ids, told in cluster.work(
        Embedder,
        made_by,
        chunks(wanted, at_once, cluster.workers, on_gpus=cluster.gpus > 0),
    ):
        yield Part(sample_ids, vectors, label_ids, heard(told))
