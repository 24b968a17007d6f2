"""What detectors have in common: images in, named boxes with a confidence out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo
import numpy as np

from ...compute.inference.image_model import ImageModel
from ...compute.inference.images import resized
from ...compute.inference.mixed_precision import gpu_capabilities
from ..errors import ClassFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ...compute.inference.images import Size


@dataclass(frozen=True)
class Found:
    """What a detector says of an image.

    Args:
        corners: left, top, right, bottom, relative to the image, of shape ``(n, 4)``
        scores: how sure it is of each, of shape ``(n,)``
        classes: the id of the class of each, of shape ``(n,)``
    """

    corners: NDArray[np.float64]
    scores: NDArray[Any]
    classes: NDArray[Any]


class ImageDetector(ImageModel, ABC):
    """Detects in images of any size; those of one size go through the model together.

    Args:
        classes: the class names, by id
        confidence: scores below this are not returned
        one_at_a_time: whether the model takes one image only
        size: the height and width to which images are resized; by default they stay
    """

    def __init__(
        self,
        classes: Mapping[int, str],
        *,
        confidence: float = 0.0,
        one_at_a_time: bool = False,
        size: Size | None = None,
    ) -> None:
        self._size = size
        self._classes = dict(classes)
        self._confidence = confidence
        self._one_at_a_time = one_at_a_time

    @abstractmethod
    def detect(self, batch: NDArray[np.uint8]) -> Sequence[Found]:
        """Detects in images of one size.

        Args:
            batch: uint8 ``[B, H, W, 3]`` RGB
        """

    @property
    def using_gpu(self) -> bool:
        """Whether TensorFlow has one, and it pays to give it many images."""
        return not self._one_at_a_time and bool(gpu_capabilities())

    def predict(self, arg: NDArray[np.uint8]) -> fo.Detections:
        """Detects in one image.

        Args:
            arg: the image, ``[H, W, 3]`` RGB
        """
        return self.predict_all([arg])[0]

    def predict_all(self, args: Sequence[NDArray[np.uint8]]) -> list[fo.Detections]:
        """Detects in several images.

        Args:
            args: the images, each ``[H, W, 3]`` RGB

        Returns:
            the detections of each image, with confidence

        Raises:
            ClassFileError: if the model finds a class that has no name
        """
        images = [resized(one, self._size) for one in args] if self._size else args
        found: dict[int, fo.Detections] = {}
        for indices in self._batches(images):
            batch = np.stack([images[index] for index in indices])
            for index, one in zip(indices, self.detect(batch), strict=True):
                found[index] = self._as_detections(one)
        return [found[index] for index in range(len(images))]

    def _batches(self, images: Sequence[NDArray[np.uint8]]) -> list[list[int]]:
        if self._one_at_a_time:
            return [[index] for index in range(len(images))]
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, image in enumerate(images):
            by_shape.setdefault(image.shape, []).append(index)
        return list(by_shape.values())

    def _as_detections(self, found: Found) -> fo.Detections:
        keep = np.flatnonzero(found.scores >= self._confidence)
        boxes = _as_fiftyone_boxes(found.corners[keep])
        detections = [
            fo.Detection(
                label=self._name(int(found.classes[index])),
                bounding_box=box.tolist(),
                confidence=float(found.scores[index]),
            )
            for index, box in zip(keep, boxes, strict=True)
            if (box[2:] > 0).all()
        ]
        return fo.Detections(detections=detections)

    def _name(self, class_id: int) -> str:
        try:
            return self._classes[class_id]
        except KeyError:
            raise ClassFileError(
                f"The model found class {class_id}, which the class file does not name "
                f"(it names {len(self._classes)}, from {min(self._classes)} "
                f"to {max(self._classes)}).",
                "Use the class file that came with the model.",
            ) from None


def _as_fiftyone_boxes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns corners into left, top, width, height, cut to the image."""
    left, top, right, bottom = np.clip(corners, 0.0, 1.0).reshape(-1, 4).T
    return np.stack([left, top, right - left, bottom - top], axis=1)
