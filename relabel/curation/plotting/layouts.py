"""Points in the plane for vectors, near one another where the vectors are alike."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import EmbeddingsError, NotAddable
from .tsne import lay_out_by_tsne
from .umap_epochs import epochs_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Progress = Callable[[str, int, int], None]

UMAP, PCA, TSNE = "umap", "pca", "tsne"
METHODS = (UMAP, PCA, TSNE)
EPOCHS, EPOCHS_OF_ADDING = "epochs of UMAP", "epochs of UMAP, adding"
_FEWEST = 3
# UMAP begins with eigenvectors of the graph of neighbours, of which a small graph has too few.
_FEWEST_FOR_SPECTRAL = 64


@dataclass(frozen=True)
class Layout:
    """How vectors are laid out.

    Args:
        method: one of `METHODS`. UMAP (McInnes et al., arXiv:1802.03426) and t-SNE (van der
            Maaten and Hinton, JMLR 2008) keep neighbours together; PCA keeps the directions in
            which the vectors differ most, and is by far the fastest
        neighbours: of UMAP, how many neighbours are looked at: few show detail, many the whole
        spread: of UMAP, how close points may lie, from 0
        seed: the same seed gives the same points. None is faster with UMAP, on all cores
    """

    method: str = UMAP
    neighbours: int = 15
    spread: float = 0.1
    seed: int | None = 0


def lay_out(
    vectors: NDArray[np.float32], layout: Layout, *, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Lays vectors out.

    Args:
        vectors: ``[N, D]``
        layout: how
        progress: called with what is counted, how many of it are done, and how many there are; it
            may raise to cancel

    Returns:
        the points, ``[N, 2]``

    Raises:
        EmbeddingsError: if there are fewer than three
    """
    require_enough(*vectors.shape)
    if layout.method == TSNE:
        return _as_points(lay_out_by_tsne(vectors, layout.seed, progress=progress))
    if layout.method == PCA:
        return _as_points(_pca(vectors, layout.seed).transform(vectors))
    told = functools.partial(progress, EPOCHS) if progress else None
    umap = _umap(len(vectors), layout, told, init=_start(vectors))
    return _as_points(umap.fit_transform(vectors))


def lay_out_more(
    vectors: NDArray[np.float32],
    points: NDArray[np.float32],
    more: NDArray[np.float32],
    layout: Layout,
    *,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Finds where further vectors lie among those that are laid out, which stay where they are.

    UMAP finds again who is whose neighbour, and moves the new points only; PCA takes the same two
    directions. No model has to be kept, vectors and points do.

    Args:
        vectors: those that are laid out, ``[N, D]``
        points: where they lie, ``[N, 2]``
        more: the new ones, ``[M, D]``
        layout: how the others were laid out
        progress: as of `lay_out`

    Returns:
        the new points, ``[M, 2]``

    Raises:
        NotAddable: if the method cannot, or the vectors are of another length
    """
    require_addable(layout.method)
    if more.shape[1] != vectors.shape[1]:
        raise NotAddable(
            f"The plot shows vectors of {vectors.shape[1]} numbers, these have {more.shape[1]}.",
            "Use what made the plot, or compute it again.",
        )
    if layout.method == PCA:
        return _as_points(_pca(vectors, layout.seed).transform(more))
    told = functools.partial(progress, EPOCHS_OF_ADDING) if progress else None
    fitted = _umap(len(vectors), layout, told, init=points, n_epochs=0).fit(vectors)
    fitted.embedding_ = np.array(points, dtype=np.float32)  # it shifted and scaled them
    fitted.n_epochs = None  # what is new is moved as long as by default
    return _as_points(fitted.transform(more))


def require_enough(count: int, dimensions: int = 2) -> int:
    """Checks that there are enough vectors to be laid out, and that they are no single numbers.

    Raises:
        EmbeddingsError: if there are not
    """
    if count < _FEWEST:
        raise EmbeddingsError(
            f"{count:,} samples make no plot.", f"Target at least {_FEWEST} with a vector."
        )
    if dimensions < 2:
        raise EmbeddingsError("Vectors of one number make no plot.", "Use others.")
    return count


def require_method(method: str) -> str:
    """Checks that a method is known.

    Raises:
        EmbeddingsError: if it is not
    """
    if method not in METHODS:
        raise EmbeddingsError(
            f"'{method}' lays nothing out.", f"Use one of: {', '.join(METHODS)}."
        )
    return method


def require_addable(method: str) -> str:
    """Checks that points can be added to what a method laid out.

    Raises:
        NotAddable: if they cannot
    """
    if method not in (UMAP, PCA):
        raise NotAddable(
            f"Nothing can be added to a plot by {method}.", "Compute it again, or choose UMAP."
        )
    return method


def compiles_first(method: str) -> bool:
    """Whether a method compiles itself in this process before it lays anything out."""
    return method == UMAP and "umap" not in sys.modules


def _start(vectors: NDArray[np.float32]) -> str:
    """From where UMAP moves the points."""
    if len(vectors) >= _FEWEST_FOR_SPECTRAL:
        return "spectral"
    # It would divide by how far apart they are.
    return "pca" if np.ptp(vectors, axis=0).any() else "random"


def _pca(vectors: NDArray[np.float32], seed: int | None) -> Any:
    from sklearn import decomposition

    return decomposition.PCA(2, svd_solver="auto", random_state=seed).fit(vectors)


def _umap(
    count: int, layout: Layout, progress: Callable[[int, int], None] | None, **options: Any
) -> Any:
    import umap

    return umap.UMAP(
        n_components=2,
        n_neighbors=min(layout.neighbours, count - 1),
        min_dist=layout.spread,
        metric="euclidean",
        random_state=layout.seed,
        n_jobs=1 if layout.seed is not None else -1,
        **epochs_told(progress),
        **options,
    )


def _as_points(points: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.asarray(points, dtype=np.float32)
    return found
