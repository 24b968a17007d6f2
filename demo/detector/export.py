"""The SavedModel: the network with everything around it, as the TF2 Detection Zoo signs it."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow as tf

from demo.detector.network import CELL, CLASS_COUNT, DEEPEST, REDUCTION
from demo.detector.targets import decode_boxes
from demo.truth import CLASSES

if TYPE_CHECKING:
    import keras

HERE = Path(__file__).resolve().parent
SAVED_MODEL = HERE / "saved_model"
CLASSES_FILE = HERE / "classes.txt"

CANDIDATES = 100
DETECTIONS = 50
LEAST_SCORE = 0.02
SAME_OBJECT_IOU = 0.6


class Detector(tf.Module):
    """The trained network from raw images to boxes.

    Args:
        network: from `build_network`.
        slope: with `offset`, turns a class logit into the logit of the chance that the detection
            is right (Platt scaling).
        offset: see `slope`.
    """

    def __init__(self, network: keras.Model, slope: float = 1.0, offset: float = 0.0):
        super().__init__()
        # Kept as bare variables and a function: Keras' own description of every layer would
        # make the SavedModel a third larger.
        self.weights = [variable.value for variable in network.variables]
        self._run = functools.partial(network, training=False)
        self.slope = tf.constant(slope, tf.float32)
        self.offset = tf.constant(offset, tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3], tf.uint8, "input_tensor")])
    def __call__(self, input_tensor: tf.Tensor) -> dict[str, tf.Tensor]:
        """Detects digits.

        Args:
            input_tensor: images, uint8 RGB [B, H, W, 3].

        Returns:
            `detection_boxes` [B, 50, 4], normalised ymin, xmin, ymax, xmax; `detection_classes`
            [B, 50], 1 for the first; `detection_scores` [B, 50], best first;
            `num_detections` [B]. All are floats; what lies beyond the number is zero.
        """
        shape = tf.cast(tf.shape(input_tensor)[1:3], tf.float32)
        output = self._run(self._prepare(input_tensor))
        boxes, logits = self._candidates(output)
        high, wide = shape[0] / CELL, shape[1] / CELL
        left, top, right, bottom = tf.unstack(boxes, axis=-1)
        boxes = tf.stack([top / high, left / wide, bottom / high, right / wide], axis=-1)
        kept = tf.image.combined_non_max_suppression(
            tf.clip_by_value(boxes, 0, 1)[:, :, None],
            tf.sigmoid(self.slope * logits + self.offset),
            max_output_size_per_class=DETECTIONS,
            max_total_size=DETECTIONS,
            iou_threshold=SAME_OBJECT_IOU,
            score_threshold=LEAST_SCORE,
        )
        there = tf.sequence_mask(kept.valid_detections, DETECTIONS, dtype=tf.float32)
        return {
            "detection_boxes": kept.nmsed_boxes * there[..., None],
            "detection_classes": (kept.nmsed_classes + 1) * there,
            "detection_scores": kept.nmsed_scores * there,
            "num_detections": tf.cast(kept.valid_detections, tf.float32),
        }

    @staticmethod
    def _prepare(images: tf.Tensor) -> tf.Tensor:
        """Grey, half the size, padded with black to what the deepest level needs."""
        grey = tf.reduce_mean(tf.cast(images, tf.float32), axis=-1, keepdims=True) / 255
        half = tf.nn.avg_pool2d(grey, REDUCTION, REDUCTION, "SAME")
        multiple = DEEPEST // REDUCTION
        size = tf.shape(half)
        padding = [[0, 0], [0, -size[1] % multiple], [0, -size[2] % multiple], [0, 0]]
        return tf.pad(half, padding)

    @staticmethod
    def _candidates(output: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The best peaks over all classes: boxes [B, N, 4] in cells, logits [B, N, 10].

        A peak speaks for its best class only; the logits of the others are far below any score.
        """
        logits, boxes = output[..., :CLASS_COUNT], decode_boxes(output[..., CLASS_COUNT:])
        best = tf.reduce_max(logits, axis=-1, keepdims=True)
        peak = best >= tf.nn.max_pool2d(best, 3, 1, "SAME")
        only = tf.where((logits >= best) & peak, logits, -1e4)
        batch = tf.shape(output)[0]
        flat_logits = tf.reshape(only, [batch, -1, CLASS_COUNT])
        flat_boxes = tf.reshape(boxes, [batch, -1, 4])
        count = tf.minimum(CANDIDATES, tf.shape(flat_logits)[1])
        chosen = tf.math.top_k(tf.reduce_max(flat_logits, axis=-1), count).indices
        return (
            tf.gather(flat_boxes, chosen, batch_dims=1),
            tf.gather(flat_logits, chosen, batch_dims=1),
        )


def save_detector(detector: Detector, directory: Path = SAVED_MODEL) -> int:
    """Writes the SavedModel anew, and the names of the classes beside it.

    Returns:
        Its size in bytes.
    """
    shutil.rmtree(directory, ignore_errors=True)
    tf.saved_model.save(
        detector,
        str(directory),
        signatures={"serving_default": detector.__call__.get_concrete_function()},
        options=tf.saved_model.SaveOptions(save_debug_info=False),
    )
    (directory.parent / CLASSES_FILE.name).write_text("\n".join(CLASSES) + "\n")
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
