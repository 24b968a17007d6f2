"""The vectors of a few images at a time, as a model makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.inference.batches import fitting
from ...compute.inference.images import read_images
from ...compute.inference.patches import read_patches
from ..errors import EmbeddingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model
    from numpy.typing import NDArray

    from ...compute.inference.images import ImageBatch, Unreadable

    Embed = Callable[[Sequence[Any]], list[NDArray[np.floating]]]

USUAL_BATCH = 32


@dataclass(frozen=True, eq=False)
class Part:
    """Vectors of some samples.

    Args:
        sample_ids: the sample of each
        vectors: float32 ``[n, D]``
        label_ids: of patches, the label of each
        unreadable: the images that could not be read
    """

    sample_ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    label_ids: tuple[str, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def samples(self) -> int:
        """How many samples it accounts for."""
        return len(set(self.sample_ids)) + len(self.unreadable)

    def take(self, rows: NDArray[np.integer] | slice) -> Part:
        """Some of the vectors."""
        samples, labels = np.array(self.sample_ids), np.array(self.label_ids)
        return Part(
            tuple(samples[rows].tolist()),
            self.vectors[rows],
            tuple(labels[rows].tolist()) if self.label_ids else (),
        )


def embed_parts(
    view: SampleCollection,
    model: Model,
    *,
    batch_size: int | None = None,
    patches_field: str | None = None,
    leave_out: Collection[str] = frozenset(),
) -> Iterator[Part]:
    """Computes vectors batch by batch, in the order of the view.

    Args:
        view: the samples
        model: an image model with embeddings
        batch_size: how many images go through it together; fewer when memory runs out. None for
            `USUAL_BATCH`, which on a GPU grows as long as that makes it faster
        patches_field: a label field whose patches get vectors, in place of the images
        leave_out: samples of which none are wanted

    Raises:
        EmbeddingsError: if the model makes none
    """
    require_embeddings(model, type(model).__name__)
    embed = fitting(model, model.embed_all, batch_size, USUAL_BATCH)
    size = getattr(model, "input_size", None)
    batches = (
        read_patches(view, patches_field, size, leave_out)
        if patches_field
        else read_images(
            view, lambda: max(batch_size or USUAL_BATCH, embed.at_most), size, leave_out
        )
    )
    with model:
        for batch in batches:
            yield embed_batch(embed, batch)


def embed_batch(embed: Embed, batch: ImageBatch) -> Part:
    """Computes the vectors of one batch.

    Args:
        embed: takes images and returns their vectors, some ``[n, D]`` after the other
        batch: the images
    """
    found = [np.asarray(vectors, np.float32) for vectors in embed(batch.images)]
    flat = [vectors.reshape(len(vectors), -1) for vectors in found]
    vectors = np.concatenate(flat) if flat else np.empty((0, 0), np.float32)
    return Part(batch.sample_ids, vectors, batch.label_ids, batch.unreadable)


def require_embeddings(model: Model, name: str) -> Model:
    """Checks that a model makes vectors.

    Raises:
        EmbeddingsError: if it does not
    """
    if not model.has_embeddings:
        raise EmbeddingsError(f"'{name}' makes no embeddings.", "Choose a model that does.")
    return model
