from __future__ import annotations

import threading
import urllib.request

import numpy as np
import pytest

from relabel.compute.errors import ModelNotFound
from relabel.compute.inference.batches import Fitting
from relabel.curation.embedding.embeddings import compute_embeddings
from relabel.curation.embedding.keras_models import (
    TensorFlowEmbedder,
    is_downloaded,
    load_application,
    load_model_file,
    require_application,
    require_model_file,
)
from relabel.curation.errors import EmbeddingsError

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def keras_file(tmp_path_factory):
    import keras

    model = keras.Sequential(
        [
            keras.Input((32, 24, 3)),
            keras.layers.Conv2D(4, 3, name="features"),
            keras.layers.GlobalAveragePooling2D(name="pooled"),
            keras.layers.Dense(2, activation="softmax", name="classes"),
        ]
    )
    path = tmp_path_factory.mktemp("models") / "model.keras"
    model.save(path)
    return str(path)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    import tensorflow as tf

    class Embedder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 16, 16, 3], tf.float32)])
        def __call__(self, images):
            colours = tf.reduce_mean(images, axis=[1, 2])
            return {"image_embedding": colours, "logits": colours[:, :2]}

    path = tmp_path_factory.mktemp("models") / "saved"
    model = Embedder()
    tf.saved_model.save(model, str(path), signatures=model.__call__)
    return str(path)


class Means(TensorFlowEmbedder):
    """Embeds with the mean colour; notes the size of each call, and its thread."""

    def __init__(self):
        import tensorflow as tf

        super().__init__(lambda batch: tf.reduce_mean(tf.cast(batch, tf.float32), [1, 2]), (8, 8))
        self.sizes, self.threads, self.room = [], set(), 100

    def embed_ready(self, batch):
        self.sizes.append(len(batch))
        self.threads.add(threading.current_thread())
        if len(batch) > self.room:
            raise MemoryError
        return super().embed_ready(batch)


@pytest.fixture
def pictures():
    return np.random.default_rng(3).integers(0, 256, (9, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def pretend(monkeypatch):
    """Makes this machine another."""

    def pretend(cores=4, granted="", gpus=()):
        monkeypatch.setattr("relabel.curation.embedding.keras_models.cpu_count", lambda: cores)
        monkeypatch.setattr(
            "relabel.curation.embedding.keras_models.gpu_capabilities", lambda: gpus
        )
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", granted)

    return pretend


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (2, [1, 1]), (9, [4, 5])])
def test_embed_all__halves_side_by_side_on_cpu_cores(pictures, pretend, count, sizes):
    pretend(cores=4)
    model = Means()
    found = model.embed_all(pictures[:count])
    assert sorted(model.sizes) == sizes
    assert np.allclose(found, pictures[:count].mean((1, 2)), atol=1e-3)
    assert np.array_equal(model.get_embeddings(), found)


@pytest.mark.parametrize(
    "machine", [{"gpus": [(8, 0)]}, {"gpus": [None]}, {"cores": 1}, {"granted": "1"}]
)
def test_embed_all__one_call_on_a_gpu_or_a_single_core(pictures, pretend, machine):
    pretend(**machine)
    model = Means()
    model.embed_all(pictures)
    assert model.sizes == [9]


def test_embed_all__memory_runs_out_in_a_half(pictures, pretend):
    pretend(cores=4)
    model = Means()
    model.room = 2
    embed = Fitting(model.embed_all, 9)
    assert np.allclose(np.concatenate(embed(pictures)), pictures.mean((1, 2)), atol=1e-3)
    worked = [size for size in model.sizes if size <= model.room]
    assert (embed.at_most, sum(worked)) == (4, 9)
    assert not any(thread.is_alive() for thread in model.threads)


def test_embed_all__the_same_each_time_and_however_it_is_cut():
    model = load_application("MobileNetV2", None)
    images = np.random.default_rng(2).integers(0, 256, (12, *model.input_size, 3), dtype=np.uint8)
    found = model.embed_all(images)
    assert np.array_equal(model.embed_all(images), found)
    assert np.allclose(model.embed_ready(images), found, rtol=1e-5, atol=1e-6 * found.max())


def test_load_application__from_a_file_of_weights(tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    theirs = keras.applications.MobileNetV3Small(include_top=False, pooling="avg", weights=None)
    weights = tmp_path / "some.weights.h5"
    theirs.save_weights(weights)
    ours = load_application("MobileNetV3Small", str(weights))
    image = np.random.default_rng(1).integers(0, 256, (*ours.input_size, 3), dtype=np.uint8)
    expected = theirs(image[np.newaxis].astype(np.float32), training=False)
    assert np.allclose(ours.embed(image), expected[0], atol=1e-4)
    assert ours.get_embeddings().shape == (1, 576)


def test_load_application__weights_that_are_not_there(tmp_path):
    with pytest.raises(ModelNotFound, match="built-in descriptor"):
        load_application("MobileNetV3Small", str(tmp_path / "none.weights.h5"))


def test_load_application__no_network(tmp_path, monkeypatch):
    import keras.src.backend.config as keras_config

    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody listens
    urllib.request.install_opener(None)  # forget how it was before
    with pytest.raises(ModelNotFound, match="from the network"):
        load_application("MobileNetV3Small")


@pytest.mark.parametrize("name", ["MobileNetV3Small", "EfficientNetV2B0", "ResNet50V2"])
def test_is_downloaded__the_file_that_keras_asks_for(name, tmp_path, monkeypatch):
    from keras.src.utils import file_utils

    class Asked(Exception):
        pass

    def ask(file_name, *_, **__):
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / file_name).touch()
        raise Asked

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(file_utils, "get_file", ask)
    assert not is_downloaded(name)
    with pytest.raises(ModelNotFound):
        load_application(name)
    assert is_downloaded(name)


def test_load_model_file__keras(keras_file):
    model = load_model_file(keras_file)
    assert model.input_size == (32, 24)
    assert model.embed(IMAGE).sum() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("layer", ["features", "pooled"])
def test_load_model_file__output_of_a_layer(keras_file, layer):
    assert load_model_file(keras_file, output=layer).embed(IMAGE).shape == (4,)


def test_load_model_file__saved_model(saved_model):
    model = load_model_file(saved_model, pixels="0 to 1")
    assert np.allclose(model.embed(IMAGE[:16, :16]), IMAGE[:16, :16].mean((0, 1)) / 255, atol=1e-5)


@pytest.mark.parametrize("fixture", ["keras_file", "saved_model"])
def test_load_model_file__no_such_output(fixture, request):
    with pytest.raises(EmbeddingsError, match="nonsense"):
        load_model_file(request.getfixturevalue(fixture), output="nonsense")


def test_load_model_file__corrupt(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelNotFound, match="cannot load"):
        load_model_file(str(path))


@pytest.mark.parametrize("path", ["", None, "/none", "/tmp"])
def test_require_model_file__not_there(path):
    with pytest.raises(ModelNotFound):
        require_model_file(path)


def test_require_application__unknown():
    with pytest.raises(ModelNotFound, match="MobileNetV3Small"):
        require_application("MobileNet")


def test_compute_embeddings__with_a_keras_model(dataset, keras_file):
    model = load_model_file(keras_file, output="pooled")
    found = compute_embeddings(dataset, model, source="model", batch_size=4)
    assert found.vectors.shape == (6, 4)
    assert np.allclose(found.vectors, dataset.compute_embeddings(model), atol=1e-4)
