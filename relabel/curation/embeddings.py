"""One vector per sample: computed by a model, or read from a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ..compute.images import Progress, Unreadable, read_images
from .errors import EmbeddingsError

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of samples.

    Args:
        sample_ids: the samples that have one
        vectors: float32 ``[N, D]``, in their order
        source: what made them, e.g. the name of a model
        missing: how many samples have none
        unreadable: the images that could not be read
    """

    sample_ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    source: str
    missing: int = 0
    unreadable: tuple[Unreadable, ...] = ()

    def __len__(self) -> int:
        return len(self.sample_ids)

    def normalized(self) -> NDArray[np.float32]:
        """The vectors at length 1: their Euclidean order is that of their angles."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = self.vectors / np.maximum(lengths, 1e-12)
        return unit


def compute_embeddings(
    view: SampleCollection,
    model: Model,
    *,
    source: str,
    batch_size: int = 16,
    progress: Progress | None = None,
) -> Embeddings:
    """Computes a vector for each image of a view.

    Args:
        view: the samples
        model: an image model with embeddings
        source: its name
        batch_size: how many images go through it together
        progress: called with how many samples are done and how many there are

    Raises:
        EmbeddingsError: if the model makes none, or no image could be read
    """
    if not model.has_embeddings:
        raise EmbeddingsError(f"'{source}' makes no embeddings.", "Choose a model that does.")
    total, done = view.count(), 0
    ids: list[str] = []
    vectors: list[NDArray[np.float32]] = []
    unreadable: list[Unreadable] = []
    with model:
        for batch in read_images(view, batch_size):
            done += len(batch)
            unreadable.extend(batch.unreadable)
            if batch.images:
                ids.extend(batch.sample_ids)
                vectors.append(_as_rows(model.embed_all(batch.images), len(batch.images)))
            if progress:
                progress(done, total)
    if not ids:
        raise EmbeddingsError("No image could be read.", "Check the samples' file paths.")
    return Embeddings(
        tuple(ids), np.concatenate(vectors), source, len(unreadable), tuple(unreadable)
    )


def read_embeddings(view: SampleCollection, field: str) -> Embeddings:
    """Reads each sample's vector from a field; samples without one are left out.

    Raises:
        EmbeddingsError: if there is no such field, or its vectors differ in length
    """
    require_vector_field(view, field)
    ids, values = view.values(["id", field])
    found = [(key, value) for key, value in zip(ids, values, strict=True) if value is not None]
    if not found:
        raise EmbeddingsError(f"No sample has a vector in '{field}'.", "Fill the field first.")
    lengths = {len(value) for _, value in found}
    if len(lengths) > 1:
        raise EmbeddingsError(
            f"The vectors in '{field}' have different lengths: {sorted(lengths)[:5]}.",
            "Compute them again with one model.",
        )
    vectors = np.asarray([value for _, value in found], dtype=np.float32)
    return Embeddings(tuple(key for key, _ in found), vectors, field, len(ids) - len(found))


def vector_fields(samples: SampleCollection) -> list[str]:
    """The names of the fields that hold vectors."""
    kinds = (fo.VectorField, fo.ArrayField)
    return list(samples.get_field_schema(ftype=kinds))


def require_vector_field(samples: SampleCollection, field: str | None) -> str:
    """Checks that a field holds vectors.

    Returns:
        its name

    Raises:
        EmbeddingsError: if it does not
    """
    known = vector_fields(samples)
    if not field or field not in known:
        advice = f"Choose one of: {', '.join(known)}." if known else "Use the built-in descriptor."
        raise EmbeddingsError(f"'{field or ''}' is not a field of vectors.", advice)
    return field


def _as_rows(vectors: NDArray[np.floating], count: int) -> NDArray[np.float32]:
    return np.asarray(vectors, dtype=np.float32).reshape(count, -1)
