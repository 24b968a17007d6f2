"""A SavedModel with the signature of the TF2 Detection Zoo that always finds the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

BOXES = [[0.25, 0.5, 0.75, 1.0], [0.0, 0.0, 0.5, 0.25], [0.3, 0.3, 0.3, 0.6]]
CLASSES = [2.0, 1.0, 1.0]
SCORES = [0.9, 0.4, 0.8]


def save_detector(path: Path, batch: int | None, *, class_count: int | None = None) -> None:
    """Writes the model; ``class_count`` adds the scores of so many classes and background."""
    import tensorflow as tf

    def repeated(values, images):
        one = tf.constant([values], tf.float32)
        rank = len(one.shape)
        return tf.tile(one, tf.concat([tf.shape(images)[:1], tf.ones(rank - 1, tf.int32)], 0))

    class Detector(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([batch, None, None, 3], tf.uint8)])
        def __call__(self, input_tensor):
            found = {
                "detection_boxes": repeated(BOXES, input_tensor),
                "detection_classes": repeated(CLASSES, input_tensor),
                "detection_scores": repeated(SCORES, input_tensor),
                "num_detections": tf.ones(tf.shape(input_tensor)[:1]) * 3,
            }
            if class_count is not None:
                scores = [[0.1] * (class_count + 1)] * 3
                found["detection_multiclass_scores"] = repeated(scores, input_tensor)
            return found

    detector = Detector()
    tf.saved_model.save(detector, str(path), signatures=detector.__call__)
