"""TensorFlow SavedModels that detect, as FiftyOne models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...compute.devices import grow_gpu_memory
from ...compute.errors import ModelNotFound
from ..errors import NotADetector
from .classes import read_classes, require_class_file, require_fit
from .image_detector import Found, ImageDetector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

OUTPUTS = ("detection_boxes", "detection_classes", "detection_scores", "num_detections")
_CLASS_SCORES = "detection_multiclass_scores"  # one column per class, and one for background


class SavedModelDetector(ImageDetector):
    """A TensorFlow SavedModel with the signature of the TF2 Detection Zoo.

    Input: uint8 ``[B, H, W, 3]``; a model may insist on ``B = 1``. Outputs: ``detection_boxes``
    (ymin, xmin, ymax, xmax in [0, 1]), ``detection_classes`` (from 1), ``detection_scores``,
    ``num_detections``.

    Args:
        path: the SavedModel's folder
        classes: the class names, by id
        confidence: scores below this are not returned

    Raises:
        ModelNotFound: if TensorFlow cannot load it
        NotADetector: if it has another signature
        ClassFileError: if the class names do not fit the model
    """

    def __init__(
        self, path: Path | str, classes: Mapping[int, str], *, confidence: float = 0.0
    ) -> None:
        self._model, self._infer = _load_signature(str(path))  # the model must outlive its call
        self._input, one_at_a_time = _input_of(self._infer, str(path))
        require_fit(classes, _class_count(self._infer, str(path)))
        super().__init__(classes, confidence=confidence, one_at_a_time=one_at_a_time)

    def detect(self, batch: NDArray[np.uint8]) -> list[Found]:
        """Detects in images of one size, uint8 ``[B, H, W, 3]`` RGB."""
        import tensorflow as tf

        outputs = self._infer(**{self._input: tf.constant(batch)})
        boxes, classes, scores, counts = (np.asarray(outputs[name]) for name in OUTPUTS)
        corners = boxes.astype(np.float64)[..., [1, 0, 3, 2]]
        return [
            Found(corners[row, :count], scores[row, :count], classes[row, :count])
            for row, count in enumerate(counts.astype(int).tolist())
        ]


def load_detector(
    path: Path | str, class_file: Path | str | None = None, *, confidence: float = 0.0
) -> SavedModelDetector:
    """Loads a SavedModel with its class names.

    Args:
        path: the SavedModel's folder
        class_file: the names of its classes; None looks for one in the folder and beside it
        confidence: scores below this are not returned

    Raises:
        ModelNotFound, NotADetector, ClassFileError: as said there
    """
    classes = read_classes(require_saved_model(path, class_file))
    return SavedModelDetector(path, classes, confidence=confidence)


def require_saved_model(path: Path | str, class_file: Path | str | None = None) -> Path:
    """Checks that a SavedModel and its class file are there; loads neither.

    Args:
        path: the SavedModel's folder
        class_file: the names of its classes; None looks for one

    Returns:
        the class file

    Raises:
        ModelNotFound: if there is no SavedModel
        ClassFileError: if there is no class file
    """
    folder = Path(path)
    if not folder.exists():
        raise ModelNotFound(f"There is no '{path}'.", "Give the folder of a SavedModel.")
    if not any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
        raise ModelNotFound(
            f"'{path}' is not a SavedModel.", "Give the folder that holds saved_model.pb."
        )
    return require_class_file(folder, class_file)


def _load_signature(path: str) -> tuple[Any, Any]:
    import tensorflow as tf

    grow_gpu_memory()
    try:
        model = tf.saved_model.load(path)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ModelNotFound(
            f"TensorFlow cannot load '{path}': {error}", "Export the model as a SavedModel again."
        ) from error
    signatures = getattr(model, "signatures", {})
    if "serving_default" not in signatures:
        raise NotADetector(
            f"'{path}' has no serving_default signature.", "Export it with the one of a detector."
        )
    return model, signatures["serving_default"]


def _input_of(infer: Any, path: str) -> tuple[str, bool]:
    """The name of the signature's input, and whether it takes one image at a time only."""
    inputs = infer.structured_input_signature[1]
    missing = [name for name in OUTPUTS if name not in infer.structured_outputs]
    if len(inputs) != 1 or missing:
        raise NotADetector(
            f"'{path}' is not a detector: it lacks {', '.join(missing) or 'a single input'}.",
            "Export it with the signature of the TF2 Detection Zoo.",
        )
    name, spec = next(iter(inputs.items()))
    if spec.dtype.name != "uint8" or spec.shape.rank != 4:
        raise NotADetector(
            f"'{path}' takes {spec.dtype.name} {spec.shape}, not uint8 [B, H, W, 3].",
            "Export it with the signature of the TF2 Detection Zoo.",
        )
    return name, spec.shape[0] == 1


def _class_count(infer: Any, path: str) -> int | None:
    """How many classes the model scores, background apart; None if its signature hides it."""
    scores = infer.structured_outputs.get(_CLASS_SCORES)
    if scores is None or scores.shape.rank != 3 or scores.shape[2] is None:
        return None
    count = int(scores.shape[2]) - 1
    if count < 1:
        raise NotADetector(f"'{path}' scores no class.", "Export the model again.")
    return count
