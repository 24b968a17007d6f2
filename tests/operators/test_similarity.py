from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from relabel.curation.similarity import read_index

from .app import execute, form, module_of_plugin, problems, texts

NAME = "compute_similarity"


def test_compute_similarity__only_new_samples(dataset):
    params = {"view_target": "CURRENT_VIEW"}
    execute(NAME, dataset, params, view=dataset.match_tags("odd"))
    fields = form(NAME, dataset, {"new_only": True})
    assert problems(fields) == []
    assert "What made the index must make the new vectors too" in texts(fields)
    done = execute(NAME, dataset, {"new_only": True})
    assert done.result["added"] == 3
    assert execute(NAME, dataset, {"new_only": True}).result["added"] == 0
    dataset.reload()
    assert len(read_index(dataset, "image_similarity")) == 6


def test_compute_similarity__of_patches(dataset):
    params = {"patches_field": "ground_truth", "brain_key": "patches"}
    assert problems(form(NAME, dataset, params)) == []
    assert execute(NAME, dataset, params).result["added"] == 12
    dataset.reload()
    assert dataset.get_brain_info("patches").config.patches_field == "ground_truth"
    assert any(
        "patches of ground_truth" in text
        for text in problems(form(NAME, dataset, {"brain_key": "patches", "new_only": True}))
    )


@pytest.mark.parametrize(("patches_field", "count"), [(None, 6), ("ground_truth", 12)])
def test_compute_similarity__more_new_ones_than_a_view_can_name(
    dataset, monkeypatch, patches_field, count
):
    params = {"patches_field": patches_field}
    of_first = {**params, "view_target": "CURRENT_VIEW"}
    execute(NAME, dataset, of_first, view=dataset[:1])
    monkeypatch.setattr(module_of_plugin("relabel.views"), "IDS_OF_A_VIEW", 1)
    broken = dataset[1:2].first()
    Path(broken.filepath).write_bytes(b"")
    done = execute(NAME, dataset, {**params, "new_only": True})
    assert done.result["unreadable"] == [f"{broken.id} {broken.filepath}"]
    assert (done.result["samples"], done.result["without_vector"]) == (4, 1)
    dataset.clear_cache()
    index = dataset.load_brain_results("image_similarity")
    assert index.total_index_size == count * 5 // 6


def test_compute_similarity__of_another_index(dataset):
    """Its vectors go into another back end, or get another metric; no model is needed again."""
    execute(NAME, dataset)
    dataset.reload()
    fields = form(NAME, dataset)
    assert fields["embeddings"]["default"] == "descriptor"
    params = {"embeddings": "index", "metric": "euclidean", "brain_key": "other"}
    assert problems(form(NAME, dataset, params)) == []
    assert execute(NAME, dataset, params).result["compared_by"] == "image_similarity"
    dataset.reload()
    configs = [dataset.get_brain_info(key).config for key in ("image_similarity", "other")]
    assert [config.metric for config in configs] == ["cosine", "euclidean"]
    assert configs[0].made_by == configs[1].made_by
    first, other = (read_index(dataset, key) for key in ("image_similarity", "other"))
    assert np.allclose(first.vectors, other.in_order(first.sample_ids).vectors, atol=1e-6)
    again = {**params, "index": "other", "metric": "cosine"}  # of itself
    assert execute(NAME, dataset, again).result["added"] == 6


def test_compute_similarity__corrupt_image_is_named(dataset):
    broken = dataset.first()
    Path(broken.filepath).write_bytes(b"")
    done = execute(NAME, dataset)
    assert (done.result["samples"], done.result["without_vector"]) == (5, 1)
    assert done.result["unreadable"] == [f"{broken.id} {broken.filepath}"]


def test_compute_similarity__zero_and_nan_vectors_are_left_out(dataset):
    vectors = np.eye(6)
    vectors[0], vectors[1] = 0, np.nan
    dataset.set_values("vectors", list(vectors))
    done = execute(NAME, dataset, {"embeddings": "field", "vector_field": "vectors"})
    assert (done.result["samples"], done.result["without_vector"]) == (4, 2)


def test_embeddings__an_index_that_is_there_comes_first(dataset):
    execute(NAME, dataset)
    dataset.reload()
    fields = form("compute_uniqueness", dataset)
    assert fields["embeddings"]["default"] == "index"
    done = execute("compute_uniqueness", dataset)
    assert done.result["compared_by"] == "image_similarity"


def test_compute_similarity__by_a_model_of_ones_own(dataset, tmp_path):
    import keras

    pooled = [keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D()]
    path = tmp_path / "mine.keras"
    keras.Sequential(pooled).save(path)
    params = {"embeddings": "model_file", "model_path": str(path)}
    assert problems(form(NAME, dataset, params)) == []
    assert execute(NAME, dataset, params).result["compared_by"] == str(path)
    dataset.reload()
    vectors = read_index(dataset, "image_similarity").vectors
    assert np.allclose(vectors, [(40 * number, 90, 160) for number in range(6)], atol=0.01)


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"embeddings": "zoo", "zoo_model": "nonsense"}, "no model 'nonsense'"),
        ({"embeddings": "zoo", "zoo_model": "clip-vit-base32-torch"}, "needs PyTorch"),
        ({"embeddings": "zoo", "zoo_model": "yolov5m-coco-torch"}, "makes no embeddings"),
        ({"embeddings": "model_file", "model_path": "/none.keras"}, "neither a .keras file"),
        ({"embeddings": "application", "weights": "/none.h5"}, "no file of weights '/none.h5'"),
        ({"backend": "qdrant"}, "cannot be used here"),
        ({"patches_field": "nonsense"}, "no field of detections"),
    ],
)
def test_bad_input__shown_in_the_form_and_refused(dataset, params, problem):
    assert any(problem in text for text in problems(form(NAME, dataset, params)))
    with pytest.raises(ExecutionError):
        execute(NAME, dataset, params)
    assert dataset.list_brain_runs() == []


@pytest.mark.parametrize(
    "params",
    [
        {"embeddings": "zoo", "zoo_model": "clip-vit-base32-torch"},
        {"embeddings": "model_file", "model_path": "/none.keras"},
        {"embeddings": "application", "weights": "/none.h5"},
    ],
)
def test_form__what_is_not_here_may_be_on_an_executor(dataset, params):
    assert problems(form(NAME, dataset, {**params, "run_on": "gpu"})) == []


def test_form__weights_that_only_the_network_has(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    params = {"embeddings": "application", "application": "ConvNeXtTiny"}
    said = "not on this machine: Keras fetches them from the network first"
    assert said in texts(form(NAME, dataset, params))
    assert said not in texts(form(NAME, dataset, {**params, "run_on": "gpu"}))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "convnext_tiny_notop.h5").touch()
    assert said not in texts(form(NAME, dataset, params))


def test_bad_input__frames_without_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    videos = fo.Dataset()
    try:
        videos.add_sample(fo.Sample(filepath=str(tmp_path / "video.mp4")))
        assert any("ffmpeg" in text for text in problems(form(NAME, videos)))
        assert problems(form(NAME, videos, {"run_on": "gpu"})) == []
    finally:
        videos.delete()


def test_bad_input__failing_model_leaves_the_old_index(dataset):
    execute(NAME, dataset)
    dataset.reload()
    before = dataset.get_brain_info("image_similarity").timestamp
    for path in dataset.values("filepath"):
        Path(path).unlink()
    with pytest.raises(ExecutionError, match="No image could be read"):
        execute(NAME, dataset)
    dataset.reload()
    assert dataset.get_brain_info("image_similarity").timestamp == before
    assert dataset.list_brain_runs() == ["image_similarity"]
