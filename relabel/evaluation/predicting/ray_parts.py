"""What models on the nodes of a Ray cluster predict, batch by batch as on one machine."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...compute.cluster.ray_cluster import name_there
from ...compute.cluster.ray_media import chunks, heard, tell
from ...compute.inference.batches import fitting
from ...compute.inference.recipes import require_recipe
from .parts import USUAL_BATCH, Predicted, files_of, predict_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model

    from ...compute.cluster.ray_cluster import Cluster
    from ...compute.inference.recipes import Recipe


class Predictor:
    """Applies a model on a node.

    Args:
        load: the name of what loads the model
        args: what that is called with
        named: the same of its keywords
        batch_size: how many images go through the model together; None as in `predict_batches`
    """

    def __init__(
        self,
        load: str,
        args: Sequence[Any],
        named: Sequence[tuple[str, Any]],
        batch_size: int | None,
    ) -> None:
        self._model: Model = pkgutil.resolve_name(load)(*args, **dict(named))
        self._predict = fitting(self._model, self._model.predict_all, batch_size, USUAL_BATCH)
        self._batch_size = batch_size or USUAL_BATCH

    def work(self, chunk: Sequence[tuple[str, str]]) -> Iterator[tuple[Any, ...]]:
        """Applies it to some images.

        Args:
            chunk: the sample and the path of each

        Yields:
            the attributes of a :class:`Predicted`, with labels as documents of MongoDB
        """
        for found in predict_files(chunk, self._model, self._predict, self._batch_size):
            documents = [label and label.to_dict() for label in found.labels]
            yield found.sample_ids, documents, tell(found.unreadable)


def predict_batches_on(
    cluster: Cluster,
    view: SampleCollection,
    model: Model | Recipe,
    *,
    batch_size: int | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[Predicted]:
    """Applies a model as :func:`predict_batches` does, on a cluster whose nodes load it.

    Raises:
        NodeCannotSee: if an image can be opened here, and not on a node
        NodeLacksPackage, ModelNotFound: if a node cannot load the model
    """
    recipe = require_recipe(model)
    files = files_of(view, leave_out)
    made_by = (name_there(recipe.load), recipe.args, recipe.named, batch_size)
    for sample_ids, documents, told in cluster.work(
        Predictor,
        made_by,
        chunks(files, batch_size or USUAL_BATCH, cluster.workers, on_gpus=cluster.gpus > 0),
    ):
        labels = tuple(found and fo.Label.from_dict(found) for found in documents)
        yield Predicted(sample_ids, labels, heard(told))
