"""Vectors of two makers do not get into one index, nor into one plot."""

from __future__ import annotations

import threading

import fiftyone.brain as fob
import numpy as np
import pytest
from fiftyone.operators.executor import ExecutionError

from .app import execute, form, module_of_plugin, problems, texts

SIMILARITY, VISUALIZATION = "compute_similarity", "compute_visualization"
OF_VIEW = {"view_target": "CURRENT_VIEW"}


def save_model(path, seed):
    """A model whose vectors are as long whatever the seed."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = [keras.layers.GlobalAveragePooling2D(name="pool"), keras.layers.Dense(3, name="top")]
    keras.Sequential([keras.Input((16, 16, 3)), *layers]).save(path)


@pytest.fixture
def of_model(dataset, tmp_path):
    """The answers with which half of the dataset is indexed by a model in a file."""
    path = tmp_path / "mine.keras"
    save_model(path, seed=0)
    params = {"embeddings": "model_file", "model_path": str(path)}
    execute(SIMILARITY, dataset, {**params, **OF_VIEW}, view=dataset[:3])
    dataset.reload()
    return params


def refused(name, dataset, params):
    """What the form and the run say; neither does any work."""
    (shown,) = problems(form(name, dataset, params))
    before = dataset.get_brain_info(params.get("brain_key", "image_similarity")).config.serialize()
    with pytest.raises(ExecutionError) as raised:
        execute(name, dataset, params)
    dataset.clear_cache()
    after = dataset.get_brain_info(params.get("brain_key", "image_similarity")).config.serialize()
    assert before == after
    assert shown in str(raised.value)
    return shown


def test_add__what_made_the_index(dataset, of_model):
    fields = form(SIMILARITY, dataset, {**of_model, "new_only": True})
    assert problems(fields) == []
    assert f"was made by the model {of_model['model_path']} (pixels 0 to 255" in texts(fields)
    assert execute(SIMILARITY, dataset, {**of_model, "new_only": True}).result["added"] == 3


def test_add__the_model_was_trained_on_meanwhile(dataset, of_model, tmp_path):
    save_model(tmp_path / "mine.keras", seed=1)
    text = refused(SIMILARITY, dataset, {**of_model, "new_only": True})
    assert text.count("mine.keras (pixels 0 to 255, contents ") == 3  # both, and what to choose
    assert dataset.load_brain_results("image_similarity").total_index_size == 3


def test_add__does_not_wait_for_a_slow_disk(dataset, of_model, tmp_path, finding, monkeypatch):
    may_go_on = threading.Event()
    module = module_of_plugin("operators.curation.vector_origins")
    contents_of = module.contents_of

    def slowly(path):
        assert may_go_on.wait(30)
        return contents_of(path)

    save_model(tmp_path / "mine.keras", seed=1)
    params = {**of_model, "new_only": True}
    with monkeypatch.context() as slow_disk:
        slow_disk.setattr(module, "contents_of", slowly)
        slow_disk.setattr(finding, "WAITED_SECONDS", 0.01)
        fields = form(SIMILARITY, dataset, params)
        assert f"{of_model['model_path']} holds is still being read." in texts(fields)
        assert problems(fields) == []
        may_go_on.set()
    assert "contents" in refused(SIMILARITY, dataset, params)
    assert "is still being read" not in texts(form(SIMILARITY, dataset, params))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"output": "pool"}, "output pool"),
        ({"pixels": "0 to 1"}, "pixels 0 to 1"),
        ({"embeddings": "descriptor"}, "the built-in descriptor"),
        ({"embeddings": "application"}, "MobileNetV3Small"),
        ({"embeddings": "field"}, "the field vectors"),
    ],
)
def test_add__something_else(dataset, of_model, other, named):
    dataset.set_values("vectors", list(np.eye(6, 3)))
    text = refused(SIMILARITY, dataset, {**of_model, **other, "new_only": True})
    assert named in text
    assert "made by the model" in text
    assert dataset.load_brain_results("image_similarity").total_index_size == 3


def test_add__what_is_on_an_executor_is_checked_there(dataset, of_model, tmp_path):
    params = {**of_model, "model_path": "/elsewhere/mine.keras", "new_only": True}
    assert problems(form(SIMILARITY, dataset, {**params, "run_on": "gpu"})) == []
    other = {**params, "pixels": "0 to 1", "run_on": "gpu"}
    assert any("pixels 0 to 1" in text for text in problems(form(SIMILARITY, dataset, other)))


def test_add__to_an_index_that_does_not_say(dataset):
    fob.compute_similarity(dataset[:3], embeddings=np.eye(3, 436), brain_key="image_similarity")
    fields = form(SIMILARITY, dataset, {"new_only": True})
    assert problems(fields) == []
    assert "it cannot be checked" in texts(fields)
    assert execute(SIMILARITY, dataset, {"new_only": True}).result["added"] == 3


def test_add__to_an_index_that_was_copied(dataset):
    """Its vectors lack their mean, which FiftyOne does not copy: others would not compare."""
    execute(SIMILARITY, dataset, OF_VIEW, view=dataset[:3])
    dataset.reload()
    copy = dataset.clone()
    try:
        assert "copied without the mean" in refused(SIMILARITY, copy, {"new_only": True})
        by_index = {"embeddings": "index"}
        assert "copied without the mean" in problems(form("compute_uniqueness", copy, by_index))[0]
        with pytest.raises(ExecutionError, match="copied without the mean"):
            execute("compute_uniqueness", copy, by_index)
        assert not copy.has_field("uniqueness")
        assert execute(SIMILARITY, copy).result["added"] == 6
        assert problems(form("compute_uniqueness", copy, by_index)) == []
    finally:
        copy.delete()


def test_add__to_a_plot_whose_index_has_another_model(dataset, of_model, tmp_path):
    plotted = {"embeddings": "index", "brain_key": "image_plot", "method": "pca"}
    execute(VISUALIZATION, dataset, plotted)
    more = {**plotted, "new_only": True}
    execute(SIMILARITY, dataset, {**of_model, "new_only": True})
    assert execute(VISUALIZATION, dataset, more).result["added"] == 3
    save_model(tmp_path / "mine.keras", seed=1)
    execute(SIMILARITY, dataset, of_model)
    dataset.reload()
    dataset.add_sample(dataset.first().copy())
    assert "made by the model" in refused(VISUALIZATION, dataset, more)
    assert len(dataset.load_brain_results("image_plot").points) == 6


def test_add__to_a_plot_of_stock_fiftyone(dataset):
    """Its vectors are not there: that is known before the click."""
    fob.compute_visualization(
        dataset[:4], embeddings=np.eye(4), method="pca", brain_key="image_plot"
    )
    params = {"embeddings": "descriptor", "new_only": True, "brain_key": "image_plot"}
    assert "not made by Relabel" in refused(VISUALIZATION, dataset, params)
