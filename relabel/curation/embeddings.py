"""One vector per sample, or per patch: computed by a model, or read from a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ..compute.batches import Shrinking
from ..compute.images import Progress, Unreadable, read_images
from ..compute.patches import read_patches
from .errors import EmbeddingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model
    from numpy.typing import NDArray

    from ..compute.images import ImageBatch

PATCH_TYPES = (fo.Detections, fo.Polylines)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of samples.

    Args:
        sample_ids: the samples that have one
        vectors: float32 ``[N, D]``, in their order
        source: what made them, e.g. the name of a model
        missing: how many samples have none
        unreadable: the images that could not be read
        label_ids: of patches, the label of each vector, with its sample in ``sample_ids``
        patches_field: of patches, the field of these labels
        unusable: how many vectors were left out: zero, or not numbers
    """

    sample_ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    source: str
    missing: int = 0
    unreadable: tuple[Unreadable, ...] = ()
    label_ids: tuple[str, ...] | None = None
    patches_field: str | None = None
    unusable: int = 0

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of patches the ids of the labels, else those of the samples."""
        return self.sample_ids if self.label_ids is None else self.label_ids

    def normalized(self) -> NDArray[np.float32]:
        """The vectors at length 1: their Euclidean order is that of their angles."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        unit: NDArray[np.float32] = self.vectors / np.maximum(lengths, 1e-12)
        return unit

    def usable(self) -> Embeddings:
        """These without vectors that are zero or hold something that is no number.

        Raises:
            EmbeddingsError: if none is left
        """
        good = np.asarray(np.isfinite(self.vectors).all(axis=1) & self.vectors.any(axis=1))
        if good.all():
            return self
        if not good.any():
            raise EmbeddingsError(
                f"All {len(self):,} vectors are zero or hold no numbers.", "Compute them again."
            )
        left_out = int((~good).sum())
        return Embeddings(
            _only(self.sample_ids, good),
            self.vectors[good],
            self.source,
            self.missing + left_out,
            self.unreadable,
            None if self.label_ids is None else _only(self.label_ids, good),
            self.patches_field,
            left_out,
        )


def compute_embeddings(
    view: SampleCollection,
    model: Model,
    *,
    source: str,
    batch_size: int = 32,
    patches_field: str | None = None,
    progress: Progress | None = None,
) -> Embeddings:
    """Computes a vector for each image of a view, or for each patch of a label field.

    Args:
        view: the samples
        model: an image model with embeddings
        source: its name
        batch_size: how many images go through it together; fewer when memory runs out
        patches_field: a label field whose patches get vectors, in place of the images
        progress: called with how many samples are done and how many there are. What it raises
            stops the work

    Raises:
        EmbeddingsError: if the model makes none, or no image could be read
    """
    if not model.has_embeddings:
        raise EmbeddingsError(f"'{source}' makes no embeddings.", "Choose a model that does.")
    table = _Table(view.count())
    embed = Shrinking(model.embed_all, batch_size)
    with model:
        for batch in _read(view, model, batch_size, patches_field):
            for vectors in embed(batch.images):
                table.add(vectors)
            table.finish(batch, progress)
    return table.embeddings(source, patches_field).usable()


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
    lengths = {np.size(value) for _, value in found}
    if len(lengths) > 1:
        raise EmbeddingsError(
            f"The vectors in '{field}' have different lengths: {sorted(lengths)[:5]}.",
            "Compute them again with one model.",
        )
    vectors = np.asarray([value for _, value in found], dtype=np.float32).reshape(len(found), -1)
    missing = len(ids) - len(found)
    return Embeddings(tuple(key for key, _ in found), vectors, field, missing).usable()


def vector_fields(samples: SampleCollection) -> list[str]:
    """The names of the fields that hold vectors."""
    kinds = (fo.VectorField, fo.ArrayField)
    return list(samples.get_field_schema(ftype=kinds))


def patch_fields(samples: SampleCollection) -> list[str]:
    """The names of the label fields whose patches can have vectors."""
    return list(samples.get_field_schema(embedded_doc_type=PATCH_TYPES))


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


def require_patch_field(samples: SampleCollection, field: str) -> str:
    """Checks that a field holds labels with boxes.

    Returns:
        its name

    Raises:
        EmbeddingsError: if it does not
    """
    known = patch_fields(samples)
    if field not in known:
        advice = f"Choose one of: {', '.join(known)}." if known else "Use whole images."
        raise EmbeddingsError(f"'{field}' is no field of detections or polylines.", advice)
    return field


class _Table:
    """Gathers vectors; its rows grow with them, and are copied a few times at most."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._rows = np.empty((0, 0), np.float32)
        self._count = self._done = 0
        self._sample_ids: list[str] = []
        self._label_ids: list[str] = []
        self._unreadable: list[Unreadable] = []

    def add(self, vectors: NDArray[np.floating]) -> None:
        rows = np.asarray(vectors, dtype=np.float32)
        rows = rows.reshape(len(rows), -1)
        needed = self._count + len(rows)
        if needed > len(self._rows):
            larger = np.empty((max(needed, self._samples, 2 * self._count), rows.shape[1]), "f4")
            if self._count:
                larger[: self._count] = self._rows[: self._count]
            self._rows = larger
        self._rows[self._count : needed] = rows
        self._count = needed

    def finish(self, batch: ImageBatch, progress: Progress | None) -> None:
        self._sample_ids.extend(batch.sample_ids)
        self._label_ids.extend(batch.label_ids)
        self._unreadable.extend(batch.unreadable)
        self._done += len(set(batch.sample_ids)) + len(batch.unreadable)
        if progress:
            progress(self._done, self._samples)

    def embeddings(self, source: str, patches_field: str | None) -> Embeddings:
        if not self._count:
            raise EmbeddingsError(
                "No image could be read.",
                f"The first: {self._unreadable[0].reason}"
                if self._unreadable
                else "Check that the samples have images, and labels if patches are compared.",
            )
        return Embeddings(
            tuple(self._sample_ids),
            self._rows[: self._count],
            source,
            len(self._unreadable),
            tuple(self._unreadable),
            tuple(self._label_ids) if patches_field else None,
            patches_field,
        )


def _read(
    view: SampleCollection, model: Model, batch_size: int, patches_field: str | None
) -> Iterator[ImageBatch]:
    size = getattr(model, "input_size", None)
    if patches_field:
        return read_patches(view, patches_field, size)
    return read_images(view, batch_size, size)


def _only(ids: Sequence[str], good: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(key for key, kept in zip(ids, good, strict=True) if kept)
