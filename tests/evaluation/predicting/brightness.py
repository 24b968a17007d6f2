"""A FiftyOne model of somebody else's: nothing but what the base class asks for."""

from __future__ import annotations

import fiftyone as fo
from fiftyone.core.models import Model


class Brightness(Model):
    """Says something of the whole image, as sure as that is bright.

    Args:
        label: makes what it says of a confidence; by default detections
    """

    def __init__(self, label=None) -> None:
        self._label = label or self._detections

    @property
    def media_type(self) -> str:
        return "image"

    def predict(self, arg):
        return self._label(float(arg.mean()) / 255)

    @staticmethod
    def _detections(sure):
        box = [0.0, 0.0, 1.0, 1.0]
        return fo.Detections(
            detections=[fo.Detection(label="cat", bounding_box=box, confidence=sure)]
        )
