"""Keras models that compute with 16 bits where a GPU is much faster at it, and say the same.

Layers keep their weights and hand on their results as before; products and convolutions are of
float16 (Keras's policy ``mixed_float16``). SavedModels are computed as they were exported.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

POLICY = "mixed_float16"
# The first GPUs of NVIDIA's with units for products of float16 (Volta).
LEAST_CAPABILITY = (7, 0)
# How alike vectors must be to those in float32: the cosine of the angle between them.
LEAST_COSINE = 0.999


def is_faster_mixed(capabilities: Sequence[tuple[int, int] | None]) -> bool:
    """Whether 16 bits pay: there is a GPU, and each has units for them. Never on a CPU.

    Args:
        capabilities: NVIDIA's compute capability of each GPU, e.g. ``(8, 6)``; None if unknown
    """
    return bool(capabilities) and all(
        one is not None and one >= LEAST_CAPABILITY for one in capabilities
    )


def gpu_capabilities() -> list[tuple[int, int] | None]:
    """The compute capability of each GPU that TensorFlow sees."""
    from tensorflow import config

    details = map(config.experimental.get_device_details, config.list_physical_devices("GPU"))
    return [found.get("compute_capability") for found in details]


def in_best_precision(
    model: Any,
    size: tuple[int, int],
    prepare: Callable[[NDArray[np.float32]], Any],
    capabilities: Sequence[tuple[int, int] | None] | None = None,
) -> Any:
    """A Keras model as it is, or in mixed precision where that is faster and says the same.

    Args:
        model: a model of images ``[B, H, W, 3]`` that returns one tensor
        size: their height and width
        prepare: takes pixels from 0 to 255, float32 ``[B, H, W, 3]``, and returns what the model
            expects
        capabilities: of the GPUs; by default asks TensorFlow for them

    Returns:
        the model, or a copy of it with the same weights
    """
    found = gpu_capabilities() if capabilities is None else capabilities
    if not is_faster_mixed(found):
        return model
    try:
        mixed = mixed_copy(model)
    except (TypeError, ValueError, NotImplementedError) as error:  # of layers that are not cloned
        logger.info("%s stays in float32: %s", model.name, error)
        return model
    noise = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype(np.float32)
    images = prepare(noise)  # once: Keras's own functions may work in place
    if says_the_same(model(images, training=False), mixed(images, training=False)):
        return mixed
    logger.info("%s stays in float32: with 16 bits its results differ", model.name)
    return model


def mixed_copy(model: Any) -> Any:
    """A model with the same layers and weights that computes with 16 bits.

    Raises:
        TypeError, ValueError, NotImplementedError: if Keras cannot copy it
    """
    import keras

    def mixed(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), "dtype": POLICY})

    copied = keras.models.clone_model(model, clone_function=mixed)
    copied.set_weights(model.get_weights())
    return copied


def says_the_same(exact: Any, mixed: Any) -> bool:
    """Whether vectors ``[B, ..., D]`` point where they should, to `LEAST_COSINE`."""
    a, b = (np.asarray(one).astype(np.float64).reshape(len(one), -1) for one in (exact, mixed))
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    products = (a * b).sum(axis=1)
    if not (np.isfinite(products).all() and (lengths > 0).all()):
        return False
    return bool((products >= LEAST_COSINE * lengths).all())
