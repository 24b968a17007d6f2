"""A plot of samples by likeness as a FiftyOne brain run, for the App's Embeddings panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from fiftyone.brain.visualization import (
    PCAVisualizationConfig,
    TSNEVisualizationConfig,
    UMAPVisualizationConfig,
    VisualizationResults,
)

from ...views import views_of
from ..embedding.origins import RECORD, require_same_origin
from ..errors import NotAddable
from ..storing.beside import is_kept, keep, kept
from ..storing.brain_runs import (
    collection_of_runs,
    load_results,
    replaced_run,
    require_brain_key,
    save_results,
)
from .layouts import PCA, TSNE, UMAP, Layout, lay_out, lay_out_more, require_addable

if TYPE_CHECKING:
    from collections.abc import Callable

    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from numpy.typing import NDArray

    from ..embedding.embeddings import Embeddings
    from .layouts import Progress

_VECTORS = "vectors"
_CONFIGS = {
    UMAP: UMAPVisualizationConfig,
    PCA: PCAVisualizationConfig,
    TSNE: TSNEVisualizationConfig,
}


def compute_visualization(
    view: SampleCollection,
    embeddings: Embeddings,
    brain_key: str,
    layout: Layout | None = None,
    *,
    progress: Progress | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> VisualizationResults:
    """Lays samples out in the plane; a plot of that name is replaced once the new one is whole.

    Vectors are compared by their angles, as in the similarity index. Where points can be added
    later, the vectors are kept beside the run, at half precision. FiftyOne itself would keep a
    pickled UMAP there, which only the same versions of Python and UMAP can read, and which runs
    whatever somebody with access to the database puts in its place.

    Args:
        view: the samples
        embeddings: their vectors
        brain_key: the name of the plot
        layout: how they are laid out
        progress: called with what is counted, how many of it are done, and how many there are; it
            may raise to cancel, and then nothing has changed
        before_writing: called once, right before anything is written; may raise to cancel

    Returns:
        FiftyOne's results

    Raises:
        BrainKeyError: if that name cannot be used
        EmbeddingsError: if there are fewer than three vectors
    """
    runs, layout = collection_of_runs(view), layout or Layout()
    require_brain_key(runs, brain_key, "visualization")
    vectors = embeddings.normalized()
    points = lay_out(vectors, layout, progress=progress)
    config = _config(layout, embeddings)
    before_writing()
    with replaced_run(runs, brain_key) as temporary:
        run = config.build()
        run.register_run(runs, temporary)
        results = VisualizationResults(
            runs,
            config,
            temporary,
            points,
            sample_ids=np.asarray(embeddings.sample_ids),
            label_ids=None if embeddings.label_ids is None else np.asarray(embeddings.label_ids),
        )
        if layout.method != TSNE:
            keep(runs, temporary, {_VECTORS: vectors.astype(np.float16)})
        run.save_run_results(runs, temporary, results)
    return runs.load_brain_results(brain_key)


def add_to_visualization(
    view: SampleCollection,
    embeddings: Embeddings,
    brain_key: str,
    *,
    progress: Progress | None = None,
    before_writing: Callable[[], None] = lambda: None,
) -> None:
    """Adds samples to a plot; the points that it has stay where they are.

    Args:
        view: the samples
        embeddings: vectors of samples that it does not show, made as those that it shows were
        brain_key: the name of the plot
        progress: as of `compute_visualization`
        before_writing: called once, right before anything is written; may raise to cancel

    Raises:
        NotAddable: if nothing can be added to it, or not these
    """
    runs = collection_of_runs(view)
    require_same_origin(runs, brain_key, embeddings.origin)
    results = load_results(runs, brain_key)
    vectors = _kept_vectors(runs, brain_key, results)
    first = len(vectors)  # what was added since was laid out by these
    new = embeddings.normalized()
    layout = _layout(results.config)
    points = lay_out_more(vectors, results.points[:first], new, layout, progress=progress)
    before_writing()
    results.points = np.concatenate([results.points, points])
    results.sample_ids = np.concatenate([results.sample_ids, embeddings.sample_ids])
    if embeddings.label_ids is not None:
        results.label_ids = np.concatenate([results.label_ids, embeddings.label_ids])
    save_results(results)


def not_shown(view: SampleCollection, brain_key: str) -> list[SampleCollection]:
    """The samples of a view, or its labels, that a plot does not show; none, or some views."""
    results = load_results(collection_of_runs(view), brain_key)
    new, _ = results.get_new_ids(view, include_training_size=False)
    return views_of(view, new, results.config.patches_field)


def require_extendable(dataset: fo.Dataset, brain_key: str, patches_field: str | None) -> None:
    """Checks that points can be added to a plot; reads no vectors.

    Raises:
        NotAddable: if they cannot, or it shows something else
    """
    config = dataset.get_brain_info(brain_key).config
    require_addable(config.method)
    if not is_kept(dataset, brain_key, _VECTORS):
        raise _no_vectors(brain_key)
    if config.patches_field != patches_field:
        shown = f"patches of {config.patches_field}" if config.patches_field else "whole images"
        raise NotAddable(f"'{brain_key}' shows {shown}.", "Add the same, or give another name.")


def _kept_vectors(runs: Any, brain_key: str, results: VisualizationResults) -> NDArray[np.float32]:
    require_addable(results.config.method)
    vectors = kept(runs, brain_key, _VECTORS)
    if vectors is None or len(vectors) > len(results.points):
        raise _no_vectors(brain_key)
    return np.asarray(vectors, dtype=np.float32)


def _no_vectors(brain_key: str) -> NotAddable:
    return NotAddable(
        f"The vectors of '{brain_key}' are not there any more.",
        "It was not made by Relabel, or was copied. Compute it again.",
    )


def _config(layout: Layout, embeddings: Embeddings) -> Any:
    options: dict[str, Any] = {"patches_field": embeddings.patches_field, "seed": layout.seed}
    if embeddings.origin:
        options[RECORD] = embeddings.origin.to_json()
    if layout.method == UMAP:
        options |= {
            "num_neighbors": layout.neighbours,
            "min_dist": layout.spread,
            "verbose": False,
        }
    return _CONFIGS[layout.method](num_dims=2, **options)


def _layout(config: Any) -> Layout:
    if config.method == PCA:
        return Layout(PCA, seed=config.seed)
    return Layout(UMAP, config.num_neighbors, config.min_dist, config.seed)
