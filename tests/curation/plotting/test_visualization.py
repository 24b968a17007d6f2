from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import fiftyone as fo
import numpy as np
import pytest

from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import Embeddings, compute_embeddings
from relabel.curation.errors import BrainKeyError, EmbeddingsError, NotAddable
from relabel.curation.plotting.layouts import (
    EPOCHS,
    EPOCHS_OF_ADDING,
    PCA,
    TSNE,
    UMAP,
    Layout,
    lay_out,
    lay_out_more,
)
from relabel.curation.plotting.tsne import COMPARED, ITERATIONS
from relabel.curation.plotting.umap_epochs import epochs_told
from relabel.curation.plotting.visualization import (
    add_to_visualization,
    compute_visualization,
    not_shown,
    require_extendable,
)
from relabel.curation.storing.brain_runs import delete_run

CLUSTERS = 4


@pytest.fixture(scope="module")
def clusters():
    """Eighty vectors in four tight clusters."""
    rng = np.random.default_rng(0)
    centres = np.eye(CLUSTERS, 16, dtype=np.float32)
    vectors = np.repeat(centres, 20, axis=0) + rng.normal(scale=0.05, size=(80, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def many():
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/none/{k}.png") for k in range(80)])
    yield dataset
    dataset.delete()


def _embeddings(dataset, vectors):
    return Embeddings(tuple(dataset.values("id")), vectors, "test")


def _share_nearest_in_own_cluster(points, of, own):
    """How many points have their nearest among others in their own cluster."""
    apart = np.linalg.norm(of[:, None] - points[None], axis=2)
    apart[apart == 0] = np.inf
    return (apart.argmin(axis=1) // 20 == own).mean()


@pytest.mark.parametrize("method", [UMAP, PCA, TSNE])
def test_lay_out__clusters_stay_together(clusters, method):
    points = lay_out(clusters, Layout(method))
    assert points.shape == (80, 2)
    assert np.isfinite(points).all()
    assert _share_nearest_in_own_cluster(points, points, np.arange(80) // 20) > 0.9


@pytest.mark.parametrize("method", [UMAP, PCA, TSNE])
@pytest.mark.parametrize("count", [3, 5, 17])
def test_lay_out__few_vectors(clusters, method, count):
    assert np.isfinite(lay_out(clusters[::5][:count], Layout(method))).all()


@pytest.mark.parametrize("method", [UMAP, PCA, TSNE])
def test_lay_out__few_that_are_all_the_same(method):
    assert np.isfinite(lay_out(np.ones((6, 4), np.float32), Layout(method))).all()


@pytest.mark.parametrize("vectors", [np.ones((1, 4), np.float32), np.ones((9, 1), np.float32)])
def test_lay_out__too_few(vectors):
    with pytest.raises(EmbeddingsError):
        lay_out(vectors, Layout(PCA))


@pytest.mark.parametrize("method", [UMAP, PCA])
def test_lay_out_more__lands_in_its_cluster(clusters, method):
    known = np.arange(80) % 4 != 0
    layout = Layout(method)
    points = lay_out(clusters[known], layout)
    more = lay_out_more(clusters[known], points, clusters[~known], layout)
    apart = np.linalg.norm(more[:, None] - points[None], axis=2)
    nearest = (np.arange(80)[known] // 20)[apart.argmin(axis=1)]
    assert (nearest == np.arange(80)[~known] // 20).mean() > 0.9


def test_lay_out_more__what_is_known_lands_where_it_is(clusters):
    points = lay_out(clusters, Layout(UMAP))
    again = lay_out_more(clusters, points, clusters[:10], Layout(UMAP))
    assert np.linalg.norm(again - points[:10], axis=1).mean() < 0.05 * np.ptp(points, axis=0).max()


def test_lay_out__tells_each_epoch_and_lays_out_the_same(clusters):
    told = []
    points = lay_out(clusters, Layout(UMAP), progress=lambda *step: told.append(step))
    assert told == [(EPOCHS, done, 500) for done in range(1, 501)]
    assert np.array_equal(points, lay_out(clusters, Layout(UMAP)))

    told.clear()
    more = lay_out_more(
        clusters[:70], points[:70], clusters[70:], Layout(UMAP), progress=lambda *s: told.append(s)
    )
    assert told == [(EPOCHS_OF_ADDING, done, 100) for done in range(1, 101)]
    same = lay_out_more(clusters[:70], points[:70], clusters[70:], Layout(UMAP))
    assert np.array_equal(more, same)


def test_lay_out__cancelled_between_epochs_others_go_on(clusters):
    """Ended from what a bar of tqdm writes, it would keep tqdm's lock, and all others waiting."""
    from tqdm.auto import tqdm

    class Enough(Exception):
        pass

    def end_at_the_third(_, done, total):
        assert total in (100, 500)
        if done == 3:
            raise Enough

    points = lay_out(clusters, Layout(UMAP))
    with pytest.raises(Enough):
        lay_out(clusters, Layout(UMAP), progress=end_at_the_third)
    with pytest.raises(Enough):
        lay_out_more(clusters, points, clusters[:9], Layout(UMAP), progress=end_at_the_third)
    with ThreadPoolExecutor(1) as another_thread:
        bar = another_thread.submit(lambda: list(tqdm(range(3), file=io.StringIO())))
        assert bar.result(timeout=30) == [0, 1, 2]


@pytest.mark.parametrize(("step", "done"), [(COMPARED, 80), (ITERATIONS, 3), (ITERATIONS, 260)])
def test_lay_out__tsne_cancelled_in_any_of_its_steps(clusters, step, done):
    class Enough(Exception):
        pass

    def end(*what):
        told.append(what)
        if what[:2] == (step, done):
            raise Enough

    told = []
    with pytest.raises(Enough):
        lay_out(clusters, Layout(TSNE), progress=end)
    assert told[-1][:2] == (step, done)


def test_lay_out__tsne_tells_its_iterations_and_lays_out_the_same(clusters):
    told = []
    points = lay_out(clusters, Layout(TSNE), progress=lambda *step: told.append(step))
    assert [what for what in told if what[0] == COMPARED][-1] == (COMPARED, 80, 80)
    iterations = [done for step, done, total in told if step == ITERATIONS and total == 1000]
    assert len(iterations) > 250  # it ends when the points have come to rest
    assert iterations == [*range(1, len(iterations)), 1000]
    assert type(points) is np.ndarray
    assert np.array_equal(points, lay_out(clusters, Layout(TSNE)))


def test_lay_out__tsne_of_one_vector_many_times():
    assert np.isfinite(lay_out(np.ones((9, 4), np.float32), Layout(TSNE))).all()


def test_epochs_told__others_have_their_bars(clusters):
    import umap

    epochs_told(lambda *_: None)
    written = io.StringIO()
    umap.UMAP(verbose=False, tqdm_kwds={"file": written, "disable": False}, n_epochs=20).fit(
        clusters
    )
    assert "20/20" in written.getvalue() or "20 / 20" in written.getvalue()


def test_compute_visualization__as_fiftyone_loads_it(many, clusters):
    compute_visualization(many, _embeddings(many, clusters), "plot")
    many.clear_cache()
    results = many.load_brain_results("plot")
    assert results.points.shape == (80, 2)
    assert list(results.sample_ids) == many.values("id")
    assert (results.config.method, results.config.num_dims) == ("umap", 2)
    assert results.reducer_blob is None
    results.use_view(many[:5])
    assert results.current_points.shape == (5, 2)


def test_add_to_visualization__old_points_stay(many, clusters):
    order = np.random.default_rng(1).permutation(80)
    vectors = clusters[order]
    compute_visualization(many[:60], _embeddings(many[:60], vectors[:60]), "plot")
    before = many.load_brain_results("plot").points.copy()
    for start, stop in ((60, 70), (70, 80)):
        (new,) = not_shown(many[:stop], "plot")
        assert new.values("id") == many.values("id")[start:stop]
        add_to_visualization(new, _embeddings(new, vectors[start:stop]), "plot")
    many.clear_cache()
    results = many.load_brain_results("plot")
    assert np.array_equal(results.points[:60], before)
    assert list(results.sample_ids) == many.values("id")
    apart = np.linalg.norm(results.points[60:, None] - before[None], axis=2)
    nearest = order[:60][apart.argmin(axis=1)] // 20
    assert (nearest == order[60:] // 20).mean() > 0.9


def test_add_to_visualization__refused(many, clusters):
    compute_visualization(many, _embeddings(many, clusters), "plot", Layout(TSNE))
    with pytest.raises(NotAddable, match="tsne"):
        require_extendable(many, "plot", None)
    compute_visualization(many[:9], _embeddings(many[:9], clusters[:9]), "plot", Layout(PCA))
    with pytest.raises(NotAddable, match="whole images"):
        require_extendable(many, "plot", "ground_truth")
    with pytest.raises(NotAddable, match="16 numbers"):
        add_to_visualization(many[9:12], _embeddings(many[9:12], np.eye(3, dtype="f4")), "plot")
    assert len(many.load_brain_results("plot").points) == 9


def test_add_to_visualization__not_made_here(many, clusters):
    import fiftyone.brain as fob

    fob.compute_visualization(
        many[:9], embeddings=clusters[:9], method="pca", brain_key="plot", progress=False
    )
    with pytest.raises(NotAddable, match="not made by Relabel"):
        add_to_visualization(many[9:12], _embeddings(many[9:12], clusters[9:12]), "plot")


def test_compute_visualization__failure_leaves_the_old_one(many, clusters):
    compute_visualization(many, _embeddings(many, clusters), "plot", Layout(PCA))
    with pytest.raises(EmbeddingsError):
        compute_visualization(many[:2], _embeddings(many[:2], clusters[:2]), "plot")
    assert many.list_brain_runs() == ["plot"]
    assert len(many.load_brain_results("plot").points) == 80


def test_visualization__refused_right_before_it_is_written(many, clusters):
    def refuse():
        raise EmbeddingsError("Cancelled.", "Schedule it again.")

    first = many[:60]
    with pytest.raises(EmbeddingsError):
        compute_visualization(
            first, _embeddings(first, clusters[:60]), "plot", Layout(PCA), before_writing=refuse
        )
    assert many.list_brain_runs() == []
    compute_visualization(first, _embeddings(first, clusters[:60]), "plot", Layout(PCA))
    rest = many[60:]
    with pytest.raises(EmbeddingsError):
        add_to_visualization(rest, _embeddings(rest, clusters[60:]), "plot", before_writing=refuse)
    assert len(many.load_brain_results("plot").points) == 60
    many.clear_cache()
    assert len(many.load_brain_results("plot").points) == 60


def test_compute_visualization__name_of_another_kind(many, clusters):
    from relabel.curation.similarity import compute_similarity

    compute_similarity(many, _embeddings(many, clusters), "taken")
    with pytest.raises(BrainKeyError, match="another kind"):
        compute_visualization(many, _embeddings(many, clusters), "taken")
    delete_run(many, "taken")
    assert many.list_brain_runs() == []


def test_compute_visualization__of_patches(dataset):
    patches = compute_embeddings(
        dataset, ImageDescriptor(), source="descriptor", patches_field="ground_truth"
    )
    compute_visualization(dataset, patches, "plot", Layout(PCA))
    results = dataset.load_brain_results("plot")
    labels = dataset.values("ground_truth.detections.id", unwind=True)
    assert list(results.label_ids) == labels
    assert not_shown(dataset, "plot") == []
