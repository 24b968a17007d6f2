"""What the network should say about a scene, and how wrong it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from demo.detector.network import CELL, CLASS_COUNT, REDUCTION

if TYPE_CHECKING:
    from demo.scenes import PlacedObject, Scene

SPREAD = 0.09
# Channels of a target: ten heatmaps, one loss weight of the heatmaps, four box edges in cells,
# one loss weight of the box.
CHANNELS = CLASS_COUNT + 6


def grey_half(image: np.ndarray) -> np.ndarray:
    """The network's view of an image: uint8 [H, W, 3] to uint8 [H/2, W/2, 1]."""
    grey = image.astype(np.float32).mean(axis=2)
    height, width = grey.shape
    halved = grey.reshape(height // REDUCTION, REDUCTION, width // REDUCTION, REDUCTION).mean(
        axis=(1, 3)
    )
    return halved.round().astype(np.uint8)[..., None]


def target_of(scene: Scene) -> np.ndarray:
    """The target of a scene, float16 [H/8, W/8, CHANNELS]."""
    height, width = (side // CELL for side in scene.image.shape[:2])
    target = np.zeros((height, width, CHANNELS), np.float32)
    target[..., CLASS_COUNT] = 1
    for placed in scene.objects:
        if placed.iscrowd:
            _ignore(target, placed)
    # Small ones last: where two objects meet, the cell is the smaller one's.
    singles = [placed for placed in scene.objects if not placed.iscrowd]
    for placed in sorted(singles, key=lambda one: -one.box[2] * one.box[3]):
        _add(target, placed)
    return target.astype(np.float16)


def _ignore(target: np.ndarray, placed: PlacedObject) -> None:
    """Inside a heap anything may be said: nobody has labelled what is there one by one."""
    left, top, width, height = (side / CELL for side in placed.box)
    rows = slice(int(top), int(np.ceil(top + height)))
    columns = slice(int(left), int(np.ceil(left + width)))
    target[rows, columns, CLASS_COUNT] = 0


def _add(target: np.ndarray, placed: PlacedObject) -> None:
    left, top, width, height = (side / CELL for side in placed.box)
    middle_x, middle_y = left + width / 2, top + height / 2
    rows = np.arange(target.shape[0])[:, None] + 0.5
    columns = np.arange(target.shape[1])[None, :] + 0.5
    # Never narrower than a cell, or a small object would leave hardly a trace.
    sigma_x, sigma_y = max(SPREAD * width, 0.4), max(SPREAD * height, 0.4)
    heat = np.exp(
        -((columns - middle_x) ** 2) / (2 * sigma_x**2)
        - ((rows - middle_y) ** 2) / (2 * sigma_y**2)
    )
    heat[heat < 0.01] = 0
    at = (min(int(middle_y), heat.shape[0] - 1), min(int(middle_x), heat.shape[1] - 1))
    heat[at] = 1
    heatmap = target[..., placed.digit]
    np.maximum(heatmap, heat, out=heatmap)
    target[at[0], at[1], CLASS_COUNT] = 1
    near = heat > 0.05
    box = (left, top, left + width, top + height)
    target[near, CLASS_COUNT + 1 : CLASS_COUNT + 5] = box
    target[near, CLASS_COUNT + 5] = heat[near] / heat.sum()


def decode_boxes(distances: tf.Tensor) -> tf.Tensor:
    """Log distances in cells, [B, h, w, 4], to left, top, right, bottom in cells."""
    shape = tf.shape(distances)
    columns = tf.cast(tf.range(shape[2]), tf.float32)[None, None, :] + 0.5
    rows = tf.cast(tf.range(shape[1]), tf.float32)[None, :, None] + 0.5
    left, top, right, bottom = tf.unstack(tf.exp(tf.clip_by_value(distances, -4, 4)), axis=-1)
    return tf.stack([columns - left, rows - top, columns + right, rows + bottom], axis=-1)


def loss(target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    """Penalty-reduced focal loss of the heatmaps plus generalised IoU loss of the boxes.

    The first is equation 1 of "Objects as Points"; the second "Generalized Intersection over
    Union" (Rezatofighi et al., CVPR 2019).
    """
    target = tf.cast(target, tf.float32)
    heat, weight = target[..., :CLASS_COUNT], target[..., CLASS_COUNT : CLASS_COUNT + 1]
    logits = output[..., :CLASS_COUNT]
    chance = tf.sigmoid(logits)
    centre = tf.cast(heat >= 0.999, tf.float32)
    found = centre * (1 - chance) ** 2 * tf.nn.softplus(-logits)
    false = (1 - centre) * (1 - heat) ** 4 * chance**2 * tf.nn.softplus(logits) * weight
    objects = tf.maximum(tf.reduce_sum(centre), 1)
    heat_loss = tf.reduce_sum(found + false) / objects

    boxes = decode_boxes(output[..., CLASS_COUNT:])
    gap = 1 - _generalised_iou(target[..., CLASS_COUNT + 1 : CLASS_COUNT + 5], boxes)
    box_loss = tf.reduce_sum(gap * target[..., CLASS_COUNT + 5]) / objects
    return heat_loss + 3 * box_loss


def _generalised_iou(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    shared = _area(
        tf.concat(
            [
                tf.maximum(first[..., :2], second[..., :2]),
                tf.minimum(first[..., 2:], second[..., 2:]),
            ],
            axis=-1,
        )
    )
    around = _area(
        tf.concat(
            [
                tf.minimum(first[..., :2], second[..., :2]),
                tf.maximum(first[..., 2:], second[..., 2:]),
            ],
            axis=-1,
        )
    )
    union = _area(first) + _area(second) - shared
    return shared / (union + 1e-6) - (around - union) / (around + 1e-6)


def _area(box: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.maximum(box[..., 2:] - box[..., :2], 0), axis=-1)
