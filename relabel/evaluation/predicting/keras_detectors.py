"""Keras models that detect, as FiftyOne models; how they say what they found is stated."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.devices import grow_gpu_memory
from ...compute.errors import ModelNotFound
from ...compute.inference.image_model import PIXELS
from ...compute.inference.keras_files import load_keras_file
from ...compute.inference.mixed_precision import gpu_capabilities, is_faster_mixed, mixed_copy
from ..errors import NotADetector
from ..matching.matching import box_iou
from .classes import read_classes, require_class_file
from .image_detector import Found, ImageDetector
from .output_format import USUAL_NAMES, OutputFormat, found_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

SURE = 0.3
"""Detections below are not compared between 32 and 16 bits: they come and go with the noise."""
_SAME_IOU, _SAME_SCORE = 0.9, 0.05


class KerasDetector(ImageDetector):
    """A Keras model that detects.

    Where a GPU is much faster at it, it computes with 16 bits, once that has found the same in
    images as 32 bits do.

    Args:
        model: takes images ``[B, H, W, 3]``, which are resized if it takes one size only
        classes: the class names, by id
        output: how it says what it found
        confidence: scores below this are not returned
        capabilities: of the GPUs; by default asks TensorFlow for them

    Raises:
        NotADetector: if it does not take images
    """

    def __init__(
        self,
        model: Any,
        classes: Mapping[int, str],
        output: OutputFormat,
        *,
        confidence: float = 0.0,
        capabilities: Sequence[tuple[int, int] | None] | None = None,
    ) -> None:
        shape = _input_shape(model)
        size = (shape[1], shape[2]) if shape[1] and shape[2] else None
        super().__init__(classes, confidence=confidence, one_at_a_time=shape[0] == 1, size=size)
        self._output = output
        self._names = tuple(getattr(model, "output_names", ()))
        self._call = _compiled(model)
        mixed = _mixed(model, gpu_capabilities() if capabilities is None else capabilities)
        self._on_trial = _compiled(mixed) if mixed is not None else None

    def detect(self, batch: NDArray[np.uint8]) -> Sequence[Found]:
        """Detects in images of one size, uint8 ``[B, H, W, 3]`` RGB."""
        found = self._found(self._call, batch)
        if self._on_trial and any((one.scores >= SURE).any() for one in found):
            mixed, self._on_trial = self._on_trial, None
            if find_the_same(found, self._found(mixed, batch)):
                self._call = mixed
            else:
                logger.info("The detector stays in float32: with 16 bits it finds something else")
        return found

    def _found(self, call: Any, batch: NDArray[np.uint8]) -> list[Found]:
        scale, offset = PIXELS[self._output.pixels]
        returned = call(batch.astype(np.float32) * scale + offset)
        outputs = _arrays(returned, self._names, self._output.names)
        return found_in(outputs, self._output, batch.shape[1:3])


def load_keras_detector(
    path: Path | str,
    class_file: Path | str | None = None,
    *,
    boxes: str = "xyxy",
    names: tuple[str, ...] = (),
    first_class: int = 0,
    pixels: str = "0 to 255",
    confidence: float = 0.0,
) -> KerasDetector:
    """Loads a ``.keras`` file with its class names.

    Args:
        path: the file
        class_file: the names of its classes; None looks for one beside it
        boxes: see :class:`OutputFormat`, like the next three
        names: the outputs
        first_class: the id of the first class
        pixels: the range of the pixels
        confidence: scores below this are not returned

    Raises:
        ModelNotFound, NotADetector, ClassFileError: as said there
    """
    output = OutputFormat(boxes, tuple(names), first_class, pixels)
    classes = read_classes(require_keras_file(path, class_file), first=first_class)
    grow_gpu_memory()
    model = load_keras_file(path)
    return KerasDetector(model, classes, output, confidence=confidence)


def require_keras_file(path: Path | str, class_file: Path | str | None = None) -> Path:
    """Checks that a ``.keras`` file and its class file are there; loads neither.

    Args:
        path: the file
        class_file: the names of its classes; None looks for one beside it

    Returns:
        the class file

    Raises:
        ModelNotFound: if there is no such file
        ClassFileError: if there is no class file
    """
    file = Path(path)
    if not file.is_file() or file.suffix not in (".keras", ".h5"):
        raise ModelNotFound(f"'{path}' is not a .keras file.", "Give the file of a Keras model.")
    return require_class_file(file, class_file)


def find_the_same(exact: Sequence[Found], other: Sequence[Found]) -> bool:
    """Whether two say the same of some images: of each other's sure detections, all are there."""
    return all(_has_all_of(a, b) and _has_all_of(b, a) for a, b in zip(exact, other, strict=True))


def _has_all_of(one: Found, other: Found) -> bool:
    sure, count = np.flatnonzero(other.scores >= SURE + _SAME_SCORE), len(one.scores)
    first, second = np.repeat(sure, count), np.tile(np.arange(count), sure.size)
    iou = box_iou(_as_boxes(other.corners[first]), _as_boxes(one.corners[second]), first < 0)
    same = (iou >= _SAME_IOU) & (other.classes[first] == one.classes[second])
    same &= np.abs(other.scores[first].astype(float) - one.scores[second]) <= _SAME_SCORE
    return bool(same.reshape(sure.size, count).any(axis=1).all())


def _as_boxes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def _arrays(
    outputs: Any, names: Sequence[str], stated: Sequence[str]
) -> dict[str, NDArray[Any]] | list[NDArray[Any]]:
    """What a model returned, by the names of its outputs if these are meant, else in its order."""
    if isinstance(outputs, dict):
        return {name: np.asarray(value) for name, value in outputs.items()}
    tensors = [np.asarray(one) for one in outputs] if isinstance(outputs, list | tuple) else None
    if tensors is None:
        return [np.asarray(outputs)]
    usual = {name for group in USUAL_NAMES for name in group}
    meant = bool(stated) or not usual.isdisjoint(names)
    # Keras names an output after its layer: all that one layer returns have one name.
    telling = len(set(names)) == len(names) == len(tensors)
    return dict(zip(names, tensors, strict=True)) if meant and telling else tensors


def _compiled(model: Any) -> Any:
    import tensorflow as tf

    # What a model does at the end of a prediction, as of KerasHub's detectors, belongs to it.
    return tf.function(model.predict_step, reduce_retracing=True)


def _mixed(model: Any, capabilities: Sequence[tuple[int, int] | None]) -> Any | None:
    """A copy that computes with 16 bits, where that is faster and the model can be copied."""
    if not is_faster_mixed(capabilities):
        return None
    try:
        return mixed_copy(model)
    except (TypeError, ValueError, NotImplementedError) as error:  # of layers that are not cloned
        logger.info("%s stays in float32: %s", model.name, error)
        return None


def _input_shape(model: Any) -> tuple[int | None, ...]:
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] not in (3, None):
        raise NotADetector(
            f"The model takes {shape}, not images [B, H, W, 3].", "Choose another model."
        )
    return shape
