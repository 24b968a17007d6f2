"""One vector per sample, or per patch: computed by a model, or read from a field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import fiftyone as fo
import numpy as np

from ...compute.inference.recipes import loaded
from ..errors import EmbeddingsError, NoVectors
from .lengths import scales_of
from .parts import embed_parts
from .ray_parts import embed_parts_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.models import Model
    from numpy.typing import NDArray

    from ...compute.cluster.ray_cluster import Cluster
    from ...compute.inference.images import Progress, Unreadable
    from ...compute.inference.recipes import Recipe
    from .checkpoints import Checkpoint
    from .origins import Origin
    from .parts import Part

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
        unusable: the samples whose vectors were left out: zero or next to it, or not numbers
        origin: what made them, as far as it decides with which others they compare; None if that
            is not known
    """

    sample_ids: tuple[str, ...]
    vectors: NDArray[np.float32]
    source: str
    missing: int = 0
    unreadable: tuple[Unreadable, ...] = ()
    label_ids: tuple[str, ...] | None = None
    patches_field: str | None = None
    unusable: tuple[str, ...] = ()
    origin: Origin | None = None

    def __len__(self) -> int:
        return len(self.sample_ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of patches the ids of the labels, else those of the samples."""
        return self.sample_ids if self.label_ids is None else self.label_ids

    def normalized(self) -> NDArray[np.float32]:
        """The vectors at length 1: their Euclidean order is that of their angles."""
        scales = np.nan_to_num(scales_of(self.vectors)).astype(np.float32)
        unit: NDArray[np.float32] = self.vectors * scales[:, None]
        return unit

    def usable(self) -> Embeddings:
        """These without vectors that have no direction, see :func:`scales_of`.

        Raises:
            NoVectors: if none is left
        """
        good = np.isfinite(scales_of(self.vectors))
        if good.all():
            return self
        unusable = tuple(self.sample_ids[row] for row in np.flatnonzero(~good).tolist())
        if not good.any():
            raise NoVectors(
                f"All {len(self):,} vectors are zero or hold no numbers.",
                "Compute them again.",
                self.missing + len(self),
                self.unreadable,
                unusable,
            )
        found = self._take(np.flatnonzero(good))
        return replace(found, missing=self.missing + len(unusable), unusable=unusable)

    def in_order(self, sample_ids: Sequence[str]) -> Embeddings:
        """These in the order of samples; the patches of one stay as they are."""
        place = {key: number for number, key in enumerate(sample_ids)}
        places = np.array([place[key] for key in self.sample_ids])
        return self._take(np.argsort(places, kind="stable"))

    def _take(self, rows: NDArray[np.integer]) -> Embeddings:
        def of(ids: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(ids[row] for row in rows.tolist())

        return replace(
            self,
            sample_ids=of(self.sample_ids),
            vectors=self.vectors[rows],
            label_ids=None if self.label_ids is None else of(self.label_ids),
        )


def compute_embeddings(
    view: SampleCollection,
    model: Model | Recipe,
    *,
    source: str,
    batch_size: int | None = None,
    patches_field: str | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> Embeddings:
    """Computes a vector for each image of a view, or for each patch of a label field.

    Args:
        view: the samples
        model: an image model with embeddings, or how it is loaded
        source: its name
        batch_size: how many images go through it together; fewer when memory runs out. By
            default 32, and on a GPU as many as make it fastest, found by trying
        patches_field: a label field whose patches get vectors, in place of the images
        cluster: where the model works, which its nodes load; by default here
        progress: called with how many samples are done and how many there are. What it raises
            stops the work
        checkpoint: where vectors are kept as they are made, and taken from if they are there. The
            result is the same

    Raises:
        EmbeddingsError: if the model makes none
        NoVectors: if no image could be read
    """
    ids = view.values("id")
    table = _Table(len(ids))
    for part in checkpoint.resume(view, patches_field) if checkpoint else ():
        table.add(part)
    there = table.sample_ids
    embed = (
        partial(embed_parts_on, cluster, model=model)
        if cluster
        else partial(embed_parts, model=loaded(model))
    )
    new = embed(view=view, batch_size=batch_size, patches_field=patches_field, leave_out=there)
    try:
        for part in new:
            table.add(part)
            if checkpoint:
                checkpoint.add(part)
            if progress:
                progress(table.done, len(ids))
    finally:
        if checkpoint:
            checkpoint.flush()
    found = table.embeddings(source, patches_field)
    return (found.in_order(ids) if there else found).usable()


def read_embeddings(view: SampleCollection, field: str) -> Embeddings:
    """Reads each sample's vector from a field; samples without one are left out.

    Raises:
        EmbeddingsError: if there is no such field, or its vectors differ in length
        NoVectors: if it is empty
    """
    require_vector_field(view, field)
    ids, values = view.values(["id", field])
    found = [(key, value) for key, value in zip(ids, values, strict=True) if value is not None]
    if not found:
        raise none_in_field(field, len(ids))
    lengths = {np.size(value) for _, value in found}
    if len(lengths) > 1:
        raise EmbeddingsError(
            f"The vectors in '{field}' have different lengths: {sorted(lengths)[:5]}.",
            "Compute them again with one model.",
        )
    vectors = np.asarray([value for _, value in found], dtype=np.float32).reshape(len(found), -1)
    missing = len(ids) - len(found)
    return Embeddings(tuple(key for key, _ in found), vectors, field, missing).usable()


def none_in_field(field: str, missing: int) -> NoVectors:
    """What is wrong if none of so many samples has a vector in a field."""
    return NoVectors(f"No sample has a vector in '{field}'.", "Fill the field first.", missing)


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
        self._count = self.done = 0
        self._sample_ids: list[str] = []
        self._label_ids: list[str] = []
        self._unreadable: list[Unreadable] = []

    @property
    def sample_ids(self) -> frozenset[str]:
        return frozenset(self._sample_ids)

    def add(self, part: Part) -> None:
        self._sample_ids.extend(part.sample_ids)
        self._label_ids.extend(part.label_ids)
        self._unreadable.extend(part.unreadable)
        self.done += part.samples
        if len(part.vectors):
            self._add_rows(part.vectors)

    def _add_rows(self, rows: NDArray[np.float32]) -> None:
        needed = self._count + len(rows)
        if needed > len(self._rows):
            larger = np.empty((max(needed, self._samples, 2 * self._count), rows.shape[1]), "f4")
            if self._count:
                larger[: self._count] = self._rows[: self._count]
            self._rows = larger
        self._rows[self._count : needed] = rows
        self._count = needed

    def embeddings(self, source: str, patches_field: str | None) -> Embeddings:
        if not self._count:
            raise NoVectors(
                "No image could be read.",
                f"The first: {self._unreadable[0].reason}"
                if self._unreadable
                else "Check that the samples have images, and labels if patches are compared.",
                len(self._unreadable),
                self._unreadable,
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


def read_each(
    views: Iterable[SampleCollection],
    read: Callable[[SampleCollection], Embeddings],
    *,
    beside: Iterable[SampleCollection] = (),
) -> Embeddings:
    """Gets the vectors of several views, of which not each must have some.

    Args:
        views: the samples
        read: gets those of one view
        beside: more views, which are read if one of the others has a vector

    Raises:
        NoVectors: if none of ``views`` has one
        EmbeddingsError: if the lengths of vectors differ, and as ``read`` does
    """
    found: list[Embeddings] = []
    without: list[NoVectors] = []

    def read_all(some: Iterable[SampleCollection]) -> None:
        for view in some:
            try:
                found.append(read(view))
            except NoVectors as error:
                without.append(error)

    read_all(views)
    if not found:
        raise without[0]
    read_all(beside)
    return _joined(found, without)


def _joined(found: Sequence[Embeddings], without: Sequence[NoVectors]) -> Embeddings:
    """Vectors of several collections, made alike, and what there is none of."""
    first, *others = found
    if not others and not without:
        return first
    lengths = {part.vectors.shape[1] for part in found}
    if len(lengths) > 1:
        raise EmbeddingsError(
            f"The vectors have different lengths: {sorted(lengths)}.",
            "Compute them again with one model.",
        )
    parts: list[Embeddings | NoVectors] = [*found, *without]
    every = [bad for part in parts for bad in part.unreadable]
    unreadable = {bad.sample_id: bad for bad in every}  # patches of one may be in several views
    missing = sum(part.missing for part in parts)
    return replace(
        first,
        sample_ids=tuple(key for part in found for key in part.sample_ids),
        vectors=np.concatenate([part.vectors for part in found]) if others else first.vectors,
        missing=missing - (len(every) - len(unreadable)),
        unreadable=tuple(unreadable.values()),
        label_ids=None
        if first.label_ids is None
        else tuple(key for part in found for key in part.label_ids or ()),
        unusable=tuple(key for part in parts for key in part.unusable),
    )
