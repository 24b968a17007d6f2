"""Keras detectors that find bright squares, made on the fly, which return that in some format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import keras

SIZE = (32, 64)


def save_detector(path: Path, output, *, size=SIZE) -> Path:
    """Writes a model of two detections in each image, with scores .88 and .12.

    Args:
        path: where to
        output: takes the model's input and the two scores ``[B, 2]``; returns the outputs
        size: height and width that it takes
    """
    import keras

    images = keras.Input((*size, 3))
    brightness = keras.layers.GlobalAveragePooling2D()(images)
    scores = keras.layers.Activation("sigmoid")(always(brightness, [2.0, -2.0]))
    keras.Model(images, output(images, scores)).save(path)
    return path


def always(tensor, values) -> keras.KerasTensor:
    """The same values whatever the tensor is, as ``[B, *values.shape]``."""
    import keras
    import numpy as np

    wanted = np.array(values, np.float32)
    dense = keras.layers.Dense(wanted.size, kernel_initializer="zeros")
    found = dense(tensor)
    dense.set_weights([dense.get_weights()[0], wanted.ravel()])
    return keras.layers.Reshape(wanted.shape)(found)
