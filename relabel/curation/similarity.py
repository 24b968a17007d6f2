"""A similarity index as a FiftyOne brain run, for the App's search by similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.brain as fob

from .errors import BrainKeyError

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from .embeddings import Embeddings


def compute_similarity(view: SampleCollection, embeddings: Embeddings, brain_key: str) -> Any:
    """Indexes a view by similarity; an index of that name is replaced.

    FiftyOne's own index (scikit-learn, cosine), with one thing kept right: it centres the vectors
    that it is given, but above 15,000 samples not those of its first query. So they are centred
    before, here. Not yet better than stock: it compares with every vector, and keeps all of them
    in memory.

    Args:
        view: the samples
        embeddings: their vectors
        brain_key: the name of the index

    Returns:
        FiftyOne's similarity index

    Raises:
        BrainKeyError: if that name cannot be used
    """
    dataset = view._dataset  # noqa: SLF001
    require_brain_key(dataset, brain_key, "similarity")
    if dataset.has_brain_run(brain_key):
        dataset.delete_brain_run(brain_key)
    centred = embeddings.vectors - embeddings.vectors.mean(axis=0, keepdims=True)
    return fob.compute_similarity(
        view.select(list(embeddings.sample_ids), ordered=True),
        embeddings=centred,
        brain_key=brain_key,
        backend="sklearn",
        metric="cosine",
        progress=False,
    )


def require_brain_key(dataset: fo.Dataset, brain_key: str | None, kind: str) -> str:
    """Checks that a brain run of a kind may have a name.

    Returns:
        the name

    Raises:
        BrainKeyError: if it is not an identifier, or names a run of another kind
    """
    if not brain_key or not brain_key.isidentifier():
        raise BrainKeyError(
            f"'{brain_key or ''}' cannot name a brain run.",
            "Use letters, digits and underscores, with a letter first, e.g. image_similarity.",
        )
    if dataset.has_brain_run(brain_key):
        found = dataset.get_brain_info(brain_key).config.type
        if found != kind:
            raise BrainKeyError(
                f"'{brain_key}' is a brain run of another kind ({found}).", "Choose another name."
            )
    return brain_key
