"""No GPU is needed: what decides is a function, and Keras computes with 16 bits on a CPU too."""

from __future__ import annotations

import numpy as np
import pytest

from relabel.compute.inference.mixed_precision import (
    LEAST_COSINE,
    gpu_capabilities,
    in_best_precision,
    is_faster_mixed,
    mixed_copy,
    says_the_same,
)

AMPERE = [(8, 6)]
SIZE = (32, 24)


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((*SIZE, 3)),
            keras.layers.Rescaling(1 / 127.5, -1),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Conv2D(32, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def prepare(pixels):
    return pixels


@pytest.mark.parametrize(
    ("capabilities", "faster"),
    [
        ([], False),  # a CPU
        ([(6, 1)], False),
        ([(7, 0)], True),
        ([(8, 6), (9, 0)], True),
        ([(8, 6), (6, 1)], False),
        ([None], False),
        ([(10, 0)], True),
    ],
)
def test_is_faster_mixed(capabilities, faster):
    assert is_faster_mixed(capabilities) is faster


def test_in_best_precision__on_a_cpu_the_model_itself(model):
    assert in_best_precision(model, SIZE, prepare, []) is model


def test_in_best_precision__here(model):
    """Whatever this machine has."""
    found = in_best_precision(model, SIZE, prepare)
    assert (found is model) is not is_faster_mixed(gpu_capabilities())


def test_in_best_precision__where_it_is_faster(model):
    mixed = in_best_precision(model, SIZE, prepare, AMPERE)
    assert mixed is not model
    assert {layer.compute_dtype for layer in mixed.layers} == {"float16"}
    images = np.random.default_rng(1).integers(0, 256, (4, *SIZE, 3)).astype(np.float32)
    exact, rounded = model(images), mixed(images)
    assert not np.array_equal(exact, rounded)
    assert says_the_same(exact, rounded)
    assert all(
        np.array_equal(ours, theirs)
        for ours, theirs in zip(mixed.get_weights(), model.get_weights(), strict=True)
    )


def test_in_best_precision__pixels_are_prepared_once(model):
    """As Keras's own functions do it, in place."""

    def in_place(pixels):
        pixels -= 128.0
        return pixels

    assert in_best_precision(model, SIZE, in_place, AMPERE) is not model


def test_in_best_precision__what_overflows_stays_as_it_is(model):
    import keras

    loud = keras.Sequential(
        [keras.Input((*SIZE, 3)), keras.layers.Rescaling(1e5), keras.layers.Flatten()]
    )
    assert not np.isfinite(mixed_copy(loud)(np.ones((1, *SIZE, 3)))).any()
    assert in_best_precision(loud, SIZE, prepare, AMPERE) is loud


def test_in_best_precision__what_keras_cannot_copy_stays_as_it_is():
    import keras

    class Own(keras.Model):
        def call(self, images, **_):
            return images[:, 0, 0, :]

    own = Own()
    assert in_best_precision(own, SIZE, prepare, AMPERE) is own


def test_says_the_same():
    a = np.array([[1.0, 0.0]])
    angle = np.arccos(LEAST_COSINE)
    assert says_the_same(a, np.array([[np.cos(0.9 * angle), np.sin(0.9 * angle)]]))
    assert not says_the_same(a, np.array([[np.cos(1.1 * angle), np.sin(1.1 * angle)]]))
    assert not says_the_same(a, np.zeros((1, 2)))
    assert not says_the_same(a, np.full((1, 2), np.nan))
