"""A similarity index as a FiftyOne brain run, for the App's search by similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fiftyone.brain as fob
import numpy as np
from fiftyone.brain.similarity import _parse_config

from ..views import views_of
from .embedding.embeddings import Embeddings
from .embedding.origins import RECORD, require_same_origin
from .errors import EmbeddingsError, NotAddable, NoVectors, VectorStoreError
from .filling import SKLEARN, add_vectors, answering
from .storing.beside import is_kept, keep, kept
from .storing.brain_runs import (
    PGVECTOR,
    collection_of_runs,
    end_reading,
    is_unfinished,
    load_results,
    replaced_run,
    require_brain_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from .filling import Progress

METRICS = ("cosine", "euclidean")
_MEAN = "mean"
_CENTRED = "centred"  # in the configuration: its vectors lack the mean that is kept beside
_IDS_AT_ONCE = 10_000
# What back ends call the place of an index among others.
_PLACES = ("table_name", "collection_name", "index_name")


def compute_similarity(
    view: SampleCollection,
    embeddings: Embeddings,
    brain_key: str,
    *,
    backend: str = SKLEARN,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> Any:
    """Indexes a view by similarity; an index of that name is replaced once the new one is whole.

    Of FiftyOne's own index (scikit-learn), which keeps all vectors in memory, one thing is kept
    right: it centres the vectors that it is given, but above 15,000 samples not those of its
    first query. So they are centred before, here, and their mean is kept beside the run.

    Args:
        view: the samples
        embeddings: their vectors
        brain_key: the name of the index
        backend: a vector back end that FiftyOne knows. Where it is, and its keys, are in
            FiftyOne's brain configuration
        options: what else the configuration of that back end takes, e.g. ``metric``
        progress: called with how many vectors are in the new index and how many there are; until
            the last batch it may raise to cancel, and then nothing has changed
        before_writing: called once, before the last batch; may raise to cancel

    Returns:
        FiftyOne's similarity index

    Raises:
        BrainKeyError: if that name cannot be used
        VectorStoreError: if the back end cannot be used
    """
    dataset = collection_of_runs(view)
    require_brain_key(dataset, brain_key, "similarity")
    require_backend(backend, options)
    _require_own_place(dataset, brain_key, options or {})
    with replaced_run(dataset, brain_key) as temporary:
        with answering(backend):
            index = fob.compute_similarity(
                view,
                patches_field=embeddings.patches_field,
                embeddings=False,
                brain_key=temporary,
                backend=backend,
                **{"metric": METRICS[0], **_own_place(backend), **(options or {})},
                **({RECORD: embeddings.origin.to_json()} if embeddings.origin else {}),
                **({_CENTRED: True} if backend == SKLEARN else {}),
            )
        vectors = embeddings.vectors
        if backend == SKLEARN:
            mean = vectors.mean(axis=0)
            keep(dataset, temporary, {_MEAN: mean})
            vectors = vectors - mean
        add_vectors(index, vectors, embeddings, progress=progress, before_writing=before_writing)
    return dataset.load_brain_results(brain_key)


def add_to_similarity(
    view: SampleCollection,
    embeddings: Embeddings,
    brain_key: str,
    *,
    progress: Progress | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> None:
    """Adds samples, or patches, to an index; what it holds stays as it is.

    Args:
        view: the samples
        embeddings: vectors of samples that it does not hold, made as those that it holds were
        brain_key: the name of the index
        progress: as of `compute_similarity`
        before_writing: as of `compute_similarity`

    Raises:
        NotAddable: if their length is another, or something else made them
        VectorStoreError: if the back end refuses
    """
    dataset = collection_of_runs(view)
    require_same_origin(dataset, brain_key, embeddings.origin)
    index = load_index(dataset, brain_key)
    vectors = embeddings.vectors
    mean = kept(dataset, brain_key, _MEAN)
    if mean is not None:
        if mean.shape != vectors.shape[1:]:
            raise NotAddable(
                f"'{brain_key}' holds vectors of {mean.size} numbers, these have "
                f"{vectors.shape[1]}.",
                "Use what made the index, or compute it again.",
            )
        vectors = vectors - np.asarray(mean, dtype=np.float32)
    add_vectors(
        index,
        vectors,
        embeddings,
        progress=progress,
        before_writing=before_writing,
        take_back=True,
    )


def read_index(
    view: SampleCollection, brain_key: str, patches_field: str | None = None
) -> Embeddings:
    """Reads vectors from an index of whole images, or of patches.

    Args:
        view: the samples whose vectors are wanted
        brain_key: the name of the index
        patches_field: of patches, the field of their labels

    Raises:
        EmbeddingsError: if it is no index of this dataset
        NoVectors: if it holds none of these samples
    """
    dataset = collection_of_runs(view)
    require_index(dataset, brain_key, patches_field)
    index = load_index(dataset, brain_key)
    samples = samples_of(view, patches_field)
    ids = list(samples)
    found: dict[str, NDArray[np.float32]] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = ids[start : start + _IDS_AT_ONCE]
        found.update(_vectors(index, part, labels=bool(patches_field)))
    if not found:
        raise none_in_index(brain_key, len(set(samples.values())))
    vectors = np.stack(list(found.values())).astype(np.float32)
    mean = kept(dataset, brain_key, _MEAN)
    if mean is not None:
        vectors += np.asarray(mean, dtype=np.float32)
    sample_ids = tuple(samples[key] for key in found)
    return Embeddings(
        sample_ids,
        vectors,
        brain_key,
        missing=len(set(samples.values())) - len(set(sample_ids)),
        label_ids=tuple(map(str, found)) if patches_field else None,
        patches_field=patches_field,
    ).usable()


def none_in_index(brain_key: str, missing: int) -> NoVectors:
    """What is wrong if an index holds none of so many samples."""
    return NoVectors(
        f"The index '{brain_key}' holds none of these samples.",
        "Compute similarity for them, with its name and new samples only.",
        missing,
    )


def only_new(view: SampleCollection, brain_key: str) -> list[SampleCollection]:
    """The samples of a view, or its labels, that an index does not hold; none, or some views."""
    index = load_index(collection_of_runs(view), brain_key)
    field = index.config.patches_field
    ids = list(samples_of(view, field))
    known: set[str] = set()
    for start in range(0, len(ids), _IDS_AT_ONCE):
        part = ids[start : start + _IDS_AT_ONCE]
        known.update(_vectors(index, part, labels=bool(field)))
    return views_of(view, [key for key in ids if key not in known], field)


def require_same_patches(dataset: fo.Dataset, brain_key: str, patches_field: str | None) -> None:
    """Checks that an index holds what is to be added to it.

    Raises:
        NotAddable: if it holds patches of another field, or whole images
        VectorStoreError: if it was copied with its dataset
    """
    _require_mean(dataset, brain_key)
    held = dataset.get_brain_info(brain_key).config.patches_field
    if held != patches_field:
        raise NotAddable(
            f"'{brain_key}' holds {f'patches of {held}' if held else 'whole images'}.",
            "Add the same, or give another name.",
        )


def indexes(dataset: fo.Dataset, patches_field: str | None = None) -> list[str]:
    """The names of a dataset's similarity indexes of whole images, or of a field's patches."""
    found = dataset.list_brain_runs(type="similarity", patches_field=patches_field)
    return [name for name in found if not is_unfinished(name)]


def require_index(
    dataset: fo.Dataset, brain_key: str | None, patches_field: str | None = None
) -> str:
    """Checks that a dataset has an index of whole images, or of the patches of a field.

    Returns:
        its name

    Raises:
        EmbeddingsError: if it has not
        VectorStoreError: if it was copied with its dataset
    """
    known = indexes(dataset, patches_field)
    if not brain_key or brain_key not in known:
        advice = f"Choose one of: {', '.join(known)}." if known else "Compute similarity first."
        raise EmbeddingsError(
            f"'{brain_key or ''}' is no similarity index of "
            f"{f'patches of {patches_field}' if patches_field else 'images'} of this dataset.",
            advice,
        )
    _require_mean(dataset, brain_key)
    return brain_key


def _require_mean(dataset: fo.Dataset, brain_key: str) -> None:
    """Checks that what its vectors lack is there; FiftyOne copies a run without that."""
    centred = getattr(dataset.get_brain_info(brain_key).config, _CENTRED, False)
    if centred and not is_kept(dataset, brain_key, _MEAN):
        raise VectorStoreError(
            f"The index '{brain_key}' was copied without the mean of its vectors: it can be "
            "searched, but not read or added to.",
            "Compute it again.",
        )


def load_index(dataset: fo.Dataset, brain_key: str) -> Any:
    """Loads an index.

    Raises:
        VectorStoreError: if its back end is not to be had
    """
    try:
        index = load_results(dataset, brain_key)
    except Exception as error:
        raise VectorStoreError(
            f"The index '{brain_key}' cannot be loaded: {error}",
            "Check its back end in FiftyOne's brain configuration.",
        ) from error
    if index is None:
        raise VectorStoreError(f"The index '{brain_key}' is not complete.", "Compute it again.")
    return index


def backends() -> list[str]:
    """The vector back ends that FiftyOne knows here, its own index first."""
    known = sorted(fob.brain_config.similarity_backends)
    return sorted(known, key=lambda name: name != SKLEARN)


def require_backend(backend: str, options: Mapping[str, Any] | None = None) -> str:
    """Checks that a back end can be used; asks no server.

    Raises:
        VectorStoreError: if FiftyOne does not know it, or its client is not installed
    """
    if backend not in backends():
        raise VectorStoreError(
            f"FiftyOne knows no vector back end '{backend}'.",
            f"It knows: {', '.join(backends())}.",
        )
    try:
        config = _parse_config(backend, **{"metric": METRICS[0], **(options or {})})
        config.build().ensure_requirements()
    except Exception as error:  # each back end has its own
        raise VectorStoreError(
            f"The vector back end '{backend}' cannot be used here: {error}",
            "Install its client where the operator runs, or use sklearn.",
        ) from error
    return backend


def _own_place(backend: str) -> dict[str, str]:
    """Names in PostgreSQL that no other index has.

    FiftyOne calls the indexes of a dataset all alike there, so that a new one drops the last, and
    names that are cut at 63 characters too.
    """
    if backend != PGVECTOR:
        return {}
    name = uuid4().hex
    return {"table_name": f"fiftyone-{name}", "index_name": f"fiftyone-index-{name}"}


def _require_own_place(dataset: Any, brain_key: str, options: Mapping[str, Any]) -> None:
    """Checks that a new index is not put where the one is kept that it replaces."""
    if not dataset.has_brain_run(brain_key):
        return
    replaced = dataset.get_brain_info(brain_key).config
    for place in _PLACES:
        if options.get(place) and options[place] == getattr(replaced, place, None):
            raise VectorStoreError(
                f"'{options[place]}' holds the index that is to be replaced.",
                f"Give another {place}, or none.",
            )


def samples_of(view: SampleCollection, patches_field: str | None) -> dict[str, str]:
    """What an index of all of a view holds, samples or labels, in order -> the sample of each."""
    ids = view.values("id")
    if not patches_field:
        return dict(zip(ids, ids, strict=True))
    _, path = view._get_label_field_path(patches_field, "id")  # noqa: SLF001 - no public name
    labels = zip(ids, view.values(path), strict=True)
    return {label: key for key, found in labels for label in found or ()}


def _vectors(
    index: Any, ids: Sequence[str], *, labels: bool = False
) -> dict[str, NDArray[np.float32]]:
    held = index.label_ids if labels else index.sample_ids
    if held is not None:  # FiftyOne's own index stumbles over a request of which it holds nothing
        held = set(held)
        ids = [key for key in ids if key in held]
    if not ids:
        return {}
    wanted = {"label_ids" if labels else "sample_ids": list(ids)}
    vectors, sample_ids, label_ids = index.get_embeddings(**wanted)
    end_reading(index)
    return dict(zip(label_ids if labels else sample_ids, vectors, strict=True))
