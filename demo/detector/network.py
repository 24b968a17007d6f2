"""The network: an encoder, a way back up, one heatmap per class and a box at every cell.

Objects are points, as in "Objects as Points" (Zhou et al., 2019); every cell near a centre learns
the whole box, as in "Training-Time-Friendly Network" (Liu et al., AAAI 2020).
"""

from __future__ import annotations

import math

import keras
from keras import layers

# The network works on grey images of half the size; a cell is 8 pixels of the full image.
REDUCTION = 2
CELL = 8
DEEPEST = 32
PRIOR = 0.02
CLASS_COUNT = 10


def build_network() -> keras.Model:
    """The network, about 380,000 weights.

    Returns:
        A model from grey images at half size, float [B, H/2, W/2, 1] in [0, 1], both sides
        multiples of 16, to float [B, H/8, W/8, 14]: ten class logits, then the logarithms of the
        distances from the middle of the cell to the box's left, top, right and bottom, in cells.
    """
    image = keras.Input((None, None, 1))
    x = _block(image, 16, strides=2, kernel=5)
    x = _block(x, 24)
    x = _block(x, 48, strides=2)
    fine = _block(x, 48)
    x = _block(fine, 80, strides=2)
    middle = _block(x, 80)
    x = _block(middle, 96, strides=2)
    coarse = _block(x, 96)
    x = _join(coarse, middle, 64)
    x = _block(x, 64)
    x = _join(x, fine, 64)
    x = _block(x, 64)
    classes = layers.Conv2D(
        CLASS_COUNT, 1, bias_initializer=keras.initializers.Constant(math.log(PRIOR))
    )(x)
    distances = layers.Conv2D(4, 1, bias_initializer=keras.initializers.Constant(0.8))(x)
    return keras.Model(image, layers.Concatenate()([classes, distances]))


def _block(x: object, filters: int, strides: int = 1, kernel: int = 3) -> object:
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.97)(x)
    return layers.ReLU()(x)


def _join(coarse: object, fine: object, filters: int) -> object:
    """Adds what the coarse level knows to the fine one."""
    coarse = layers.Conv2D(filters, 1)(coarse)
    coarse = layers.UpSampling2D(2)(coarse)
    return layers.ReLU()(layers.Add()([coarse, layers.Conv2D(filters, 1)(fine)]))
