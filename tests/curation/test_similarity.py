from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image

from relabel import views
from relabel.curation.embedding.descriptors import ImageDescriptor
from relabel.curation.embedding.embeddings import Embeddings, compute_embeddings
from relabel.curation.errors import BrainKeyError, EmbeddingsError, NotAddable, VectorStoreError
from relabel.curation.similarity import (
    add_to_similarity,
    compute_similarity,
    indexes,
    only_new,
    read_index,
    require_backend,
    require_same_patches,
)
from relabel.curation.storing import brain_runs
from relabel.curation.storing.brain_runs import collection_of_runs, delete_run
from relabel.curation.uniqueness import uniqueness


def _embeddings(dataset, vectors):
    return Embeddings(tuple(dataset.values("id")), np.asarray(vectors, np.float32), source="test")


@pytest.fixture
def on_a_circle(dataset):
    angles = np.deg2rad([0, 10, 90, 100, 180, 270])
    return _embeddings(dataset, np.stack([np.cos(angles), np.sin(angles)], axis=1))


def test_compute_similarity__nearest_first(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    ids = dataset.values("id")
    view = dataset.sort_by_similarity(ids[2], k=2, brain_key="similarity")
    assert view.values("id") == [ids[2], ids[3]]


def test_compute_similarity__again_replaces(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    part = Embeddings(on_a_circle.sample_ids[:3], on_a_circle.vectors[:3], "test")
    assert compute_similarity(dataset, part, "similarity").total_index_size == 3
    assert dataset.list_brain_runs() == ["similarity"]


def test_compute_similarity__first_query_of_a_large_index(tmp_path):
    """FiftyOne's index answers its first query wrongly above 15,000 uncentred vectors."""
    count = 15_100
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/none/{k}.png") for k in range(count)])
    vectors = np.random.default_rng(0).normal(2.0, 1.0, (count, 8)).astype(np.float32)
    try:
        index = compute_similarity(dataset, _embeddings(dataset, vectors), "similarity")
        ids = dataset.values("id")
        nearest, _ = index._kneighbors(query=ids[7], k=5)
    finally:
        dataset.delete()
    centred = vectors - vectors.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    expected = np.argsort(-(unit @ unit[7]))[:5]
    assert nearest == [ids[k] for k in expected]


@pytest.mark.parametrize("key", ["", None, "1st", "a-b"])
def test_compute_similarity__bad_name(dataset, on_a_circle, key):
    with pytest.raises(BrainKeyError):
        compute_similarity(dataset, on_a_circle, key)


def test_compute_similarity__name_of_another_run(dataset, on_a_circle):
    from relabel.curation.uniqueness import compute_uniqueness

    compute_uniqueness(dataset, on_a_circle, "taken")
    with pytest.raises(BrainKeyError, match="another kind"):
        compute_similarity(dataset, on_a_circle, "taken")
    assert dataset.has_field("taken")


def test_compute_similarity__any_back_end(dataset, on_a_circle, backend):
    compute_similarity(dataset, on_a_circle, "similarity", backend=backend)
    dataset.clear_cache()
    index = dataset.load_brain_results("similarity")
    assert (index.config.method, index.total_index_size) == (backend, 6)
    ids = dataset.values("id")
    view = dataset.sort_by_similarity(ids[2], k=2, brain_key="similarity")
    assert set(view.values("id")) == {ids[2], ids[3]}


def test_compute_similarity__again_replaces_what_is_being_searched(
    dataset, on_a_circle, backend, monkeypatch
):
    """Some back ends keep a transaction open for whoever has searched."""
    monkeypatch.setattr(brain_runs, "_LOCK_SECONDS", 1)
    compute_similarity(dataset, on_a_circle, "similarity", backend=backend)
    searched = dataset.load_brain_results("similarity")
    assert searched.total_index_size == 6
    dataset.clear_cache()
    part = Embeddings(on_a_circle.sample_ids[:3], on_a_circle.vectors[:3], "test")
    assert compute_similarity(dataset, part, "similarity", backend=backend).total_index_size == 3
    assert dataset.list_brain_runs() == ["similarity"]


@pytest.mark.parametrize("backend", ["pgvector"], indirect=True)
def test_compute_similarity__again_drops_the_table_of_what_was_read(dataset, on_a_circle, backend):
    """Whoever reads it keeps a transaction open on it, which FiftyOne does not end."""
    replaced = compute_similarity(dataset, on_a_circle, "similarity", backend=backend)
    read_index(dataset, "similarity")
    of_another_process = dataset.load_brain_results("similarity")
    dataset.clear_cache()
    of_this_one = dataset.load_brain_results("similarity")
    assert of_this_one.total_index_size == 6
    assert of_this_one is not of_another_process
    compute_similarity(dataset, on_a_circle, "similarity", backend=backend)
    assert replaced.total_index_size == 0


def test_read_index__what_was_put_in(dataset, on_a_circle, backend):
    part = dataset[:4]
    four = Embeddings(on_a_circle.sample_ids[:4], on_a_circle.vectors[:4] + 5, "test")
    compute_similarity(part, four, "similarity", backend=backend)
    found = read_index(dataset[1:], "similarity")
    assert dict(zip(found.sample_ids, found.vectors.round(4).tolist(), strict=True)) == dict(
        zip(four.sample_ids[1:], four.vectors[1:].round(4).tolist(), strict=True)
    )
    assert (found.missing, found.source) == (2, "similarity")


def test_read_index__uniqueness_is_the_same_whatever_the_back_end(dataset, backend):
    vectors = np.random.default_rng(3).normal(4, 1, size=(6, 5)).astype(np.float32)
    vectors[4] = vectors[1]
    made = _embeddings(dataset, vectors)
    compute_similarity(dataset, made, "similarity", backend=backend)
    found = read_index(dataset, "similarity").in_order(made.sample_ids)
    scores = uniqueness(found.vectors)
    assert scores[1] == scores[4] == 0
    assert scores == pytest.approx(uniqueness(vectors), abs=1e-4)


def test_add_to_similarity__new_samples_only(dataset, on_a_circle, backend):
    vectors = on_a_circle.vectors + 5
    four = Embeddings(on_a_circle.sample_ids[:4], vectors[:4], "test")
    compute_similarity(dataset[:4], four, "similarity", backend=backend)
    (new,) = only_new(dataset, "similarity")
    assert new.values("id") == list(on_a_circle.sample_ids[4:])
    add_to_similarity(new, Embeddings(on_a_circle.sample_ids[4:], vectors[4:], "t"), "similarity")
    assert only_new(dataset, "similarity") == []
    found = read_index(dataset, "similarity")
    assert np.allclose(
        sorted(found.vectors.tolist()), sorted(vectors.astype(float).tolist()), atol=1e-5
    )
    assert dataset.load_brain_results("similarity").total_index_size == 6


def test_only_new__more_than_a_view_can_name(dataset, on_a_circle, monkeypatch):
    two = Embeddings(on_a_circle.sample_ids[:2], on_a_circle.vectors[:2], "test")
    compute_similarity(dataset, two, "similarity")
    monkeypatch.setattr(views, "IDS_OF_A_VIEW", 3)
    new = [view.values("id") for view in only_new(dataset, "similarity")]
    assert new == [list(on_a_circle.sample_ids[2:5]), list(on_a_circle.sample_ids[5:])]


def test_add_to_similarity__vectors_of_another_length(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    longer = Embeddings(on_a_circle.sample_ids, np.ones((6, 3), np.float32), "test")
    with pytest.raises(NotAddable, match="2 numbers"):
        add_to_similarity(dataset, longer, "similarity")
    assert len(read_index(dataset, "similarity")) == 6


@pytest.mark.parametrize("backend", ["lancedb", "milvus", "pgvector"], indirect=True)
def test_add_to_similarity__a_back_end_refuses(dataset, on_a_circle, backend):
    four = Embeddings(on_a_circle.sample_ids[:4], on_a_circle.vectors[:4], "test")
    compute_similarity(dataset[:4], four, "similarity", backend=backend)
    longer = Embeddings(on_a_circle.sample_ids[4:], np.ones((2, 3), np.float32), "test")
    with pytest.raises(VectorStoreError, match=backend):
        add_to_similarity(dataset[4:], longer, "similarity")
    found = read_index(dataset, "similarity")
    assert set(found.sample_ids) == set(four.sample_ids)
    assert found.vectors.shape == (4, 2)


def test_compute_similarity__of_patches(dataset, backend):
    patches = compute_embeddings(
        dataset, ImageDescriptor(), source="descriptor", patches_field="ground_truth"
    )
    compute_similarity(dataset, patches, "patches", backend=backend)
    labels = dataset.values("ground_truth.detections.id", unwind=True)
    everything = read_index(dataset, "patches", "ground_truth")
    assert sorted(everything.label_ids) == sorted(labels)
    view = dataset.to_patches("ground_truth").sort_by_similarity(
        labels[0], k=2, brain_key="patches"
    )
    assert set(view.values("id")) == set(labels[:2])
    assert indexes(dataset) == []
    with pytest.raises(NotAddable, match="patches of ground_truth"):
        require_same_patches(dataset, "patches", None)
    found = read_index(dataset[1:], "patches", "ground_truth")
    owners = dict(zip(patches.label_ids, patches.sample_ids, strict=True))
    assert dict(zip(found.label_ids, found.sample_ids, strict=True)) == {
        label: owners[label] for label in labels[2:]
    }
    made = dict(zip(patches.label_ids, patches.vectors, strict=True))
    assert np.allclose(found.vectors, [made[label] for label in found.label_ids], atol=1e-6)
    with pytest.raises(EmbeddingsError, match="no similarity index of images"):
        read_index(dataset, "patches")
    dataset.match_tags("odd")._dataset.delete_labels(ids=labels[:1])
    assert only_new(dataset, "patches") == []


def test_compute_similarity__of_frames(tmp_path, backend):
    videos = fo.Dataset()
    sample = fo.Sample(filepath=str(tmp_path / "video.mp4"))
    for number in (1, 2, 3):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (32, 32), (80 * number, 0, 0)).save(path)
        sample.frames[number] = fo.Frame(filepath=str(path))
    try:
        videos.add_sample(sample)
        frames = videos.to_frames()
        vectors = compute_embeddings(frames, ImageDescriptor(), source="descriptor")
        compute_similarity(frames, vectors, "frames", backend=backend)
        ids = frames.values("id")
        view = videos.to_frames().sort_by_similarity(ids[1], k=1, brain_key="frames")
        assert view.values("id") == ids[1:2]
        delete_run(collection_of_runs(frames), "frames")
    finally:
        videos.delete()


def test_compute_similarity__failing_back_end_leaves_the_old_index(dataset, on_a_circle):
    compute_similarity(dataset, on_a_circle, "similarity")
    with pytest.raises(VectorStoreError):
        compute_similarity(
            dataset, on_a_circle, "similarity", backend="lancedb", options={"metric": "nonsense"}
        )
    with pytest.raises(VectorStoreError):
        compute_similarity(dataset, on_a_circle, "similarity", backend="nonsense")
    assert dataset.list_brain_runs() == ["similarity"]
    assert len(read_index(dataset, "similarity")) == 6


@pytest.mark.parametrize(
    ("backend", "place"),
    [("lancedb", "table_name"), ("milvus", "collection_name"), ("pgvector", "table_name")],
    indirect=["backend"],
)
def test_compute_similarity__not_into_the_table_of_what_it_replaces(
    dataset, on_a_circle, backend, place
):
    """That table is deleted with the old index."""
    there = {place: "there"}
    compute_similarity(dataset, on_a_circle, "similarity", backend=backend, options=there)
    with pytest.raises(VectorStoreError, match="holds the index that is to be replaced"):
        compute_similarity(dataset, on_a_circle, "similarity", backend=backend, options=there)
    assert len(read_index(dataset, "similarity")) == 6


def test_require_backend__client_not_installed():
    with pytest.raises(VectorStoreError, match="qdrant"):
        require_backend("qdrant")


def test_read_index__of_another_dataset(dataset):
    with pytest.raises(EmbeddingsError, match="no similarity index"):
        read_index(dataset, "of_another")
