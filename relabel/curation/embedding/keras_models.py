"""Keras models and TensorFlow SavedModels that turn images into vectors, as FiftyOne models."""

from __future__ import annotations

import importlib
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from fiftyone.core.models import EmbeddingsMixin

from ...compute.devices import cpu_count, grow_gpu_memory
from ...compute.errors import ModelNotFound
from ...compute.inference.image_model import PIXELS, ImageModel
from ...compute.inference.images import resized
from ...compute.inference.keras_files import load_keras_file
from ...compute.inference.mixed_precision import gpu_capabilities, in_best_precision
from ..errors import EmbeddingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ...compute.inference.images import Size

# The applications that are offered, each with the module that holds its preprocessing.
APPLICATIONS = {
    "MobileNetV3Small": "mobilenet_v3",
    "MobileNetV3Large": "mobilenet_v3",
    "MobileNetV2": "mobilenet_v2",
    "EfficientNetV2B0": "efficientnet_v2",
    "EfficientNetV2S": "efficientnet_v2",
    "ConvNeXtTiny": "convnext",
    "ConvNeXtBase": "convnext",
    "ResNet50V2": "resnet_v2",
    "DenseNet121": "densenet",
    "InceptionV3": "inception_v3",
    "Xception": "xception",
}
DOWNLOADED = "imagenet"
# The files in which Keras keeps what it downloaded; asking itself would load TensorFlow.
_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_DOWNLOADS = {
    "MobileNetV3Small": "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
    "MobileNetV3Large": "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
    "MobileNetV2": f"mobilenet_v2_{_KERNELS}_1.0_224_no_top.h5",
    "EfficientNetV2B0": "efficientnetv2-b0_notop.h5",
    "EfficientNetV2S": "efficientnetv2-s_notop.h5",
    "ConvNeXtTiny": "convnext_tiny_notop.h5",
    "ConvNeXtBase": "convnext_base_notop.h5",
    "ResNet50V2": f"resnet50v2_{_KERNELS}_notop.h5",
    "DenseNet121": f"densenet121_{_KERNELS}_notop.h5",
    "InceptionV3": f"inception_v3_{_KERNELS}_notop.h5",
    "Xception": f"xception_{_KERNELS}_notop.h5",
}
_DEFAULT_SIZE = (224, 224)
_LIKELY_OUTPUTS = ("embedding", "feature", "pooled")
# TensorFlow reads it when it starts; a worker on a node of a Ray cluster gets its core by it.
_CORES_GRANTED = "TF_NUM_INTRAOP_THREADS"


class TensorFlowEmbedder(EmbeddingsMixin, ImageModel):  # type: ignore[misc]
    """Embeds images with TensorFlow.

    Args:
        embed: takes a uint8 tensor ``[B, H, W, 3]`` and returns a tensor ``[B, D]``,
            ``[B, T, D]`` of T tokens, or ``[B, h, w, D]``; of the last two the mean is taken
        size: the height and width of the images that it takes
    """

    def __init__(self, embed: Callable[[Any], Any], size: Size = _DEFAULT_SIZE) -> None:
        import tensorflow as tf

        self.input_size = size
        shape = tf.TensorSpec([None, *size, 3], tf.uint8)
        self._embed = tf.function(lambda batch: _as_vectors(embed(batch)), input_signature=[shape])
        self._calls_at_once = _calls_at_once()
        self._last: NDArray[np.float32] | None = None

    @property
    def has_embeddings(self) -> bool:
        """True: vectors are all that it makes."""
        return True

    @property
    def using_gpu(self) -> bool:
        """Whether TensorFlow has one."""
        return bool(gpu_capabilities())

    def embed(self, arg: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeds one image, uint8 ``[H, W, 3]`` RGB."""
        vector: NDArray[np.float32] = self.embed_all([arg])[0]
        return vector

    def embed_all(self, args: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Embeds several images, each uint8 ``[H, W, 3]`` RGB of any size.

        Returns:
            the vectors, float32 ``[N, D]``
        """
        batch = np.stack([resized(image, self.input_size) for image in args])
        self._last = self.embed_side_by_side(batch)
        return self._last

    def embed_side_by_side(self, batch: Any) -> NDArray[np.float32]:
        """Embeds images ``[B, H, W, 3]`` of the right size; on CPU cores both halves at once.

        Returns:
            the vectors, float32 ``[B, D]``
        """
        count = len(batch)
        calls = min(count, self._calls_at_once)
        cuts = [count * number // calls for number in range(calls + 1)]
        parts = [batch[start:end] for start, end in pairwise(cuts)]
        with ThreadPoolExecutor(calls) as threads:  # none is left at work, whatever fails
            return np.concatenate(list(threads.map(self._vectors_of, parts)))

    def _vectors_of(self, batch: Any) -> NDArray[np.float32]:
        return np.asarray(self.embed_ready(batch), dtype=np.float32)

    @staticmethod
    def as_tensor(batch: NDArray[np.uint8]) -> Any:
        """Images ``[B, H, W, 3]`` where the model wants them, on a GPU if there is one."""
        import tensorflow as tf

        return tf.constant(batch)

    def embed_ready(self, batch: Any) -> Any:
        """Embeds images that are one uint8 tensor ``[B, H, W, 3]`` of the right size already."""
        return self._embed(batch)

    def get_embeddings(self) -> NDArray[np.float32]:
        """The vectors made last."""
        if self._last is None:
            raise ValueError("Nothing was embedded yet")
        return self._last


def load_application(name: str, weights: str | None = DOWNLOADED) -> TensorFlowEmbedder:
    """Makes a Keras application without its classes; its features are averaged over the image.

    Args:
        name: as in ``keras.applications``
        weights: a file; ``imagenet``, for which Keras may need the network; None for none

    Raises:
        ModelNotFound: if there is no such application, or its weights cannot be had
    """
    import keras

    grow_gpu_memory()
    preprocess = importlib.import_module(
        f"keras.applications.{APPLICATIONS[require_application(name)]}"
    ).preprocess_input
    try:
        model = getattr(keras.applications, name)(
            include_top=False, pooling="avg", weights=weights or None
        )
    except Exception as error:  # Keras raises bare ones, for lack of network too
        raise ModelNotFound(
            f"The weights of {name} cannot be had from "
            f"{'the network' if weights == DOWNLOADED else repr(weights)}: {error}",
            "Give a file of weights without the top, or use the built-in descriptor.",
        ) from error

    size = _size_of(model.input_shape)
    quick = in_best_precision(model, size, preprocess)

    def embed(batch: Any) -> Any:
        return quick(preprocess(_as_floats(batch)), training=False)

    return TensorFlowEmbedder(embed, size)


def load_model_file(
    path: str, *, output: str | None = None, pixels: str = "0 to 255"
) -> TensorFlowEmbedder:
    """Loads a ``.keras`` file or the folder of a SavedModel.

    Args:
        path: where it is
        output: the layer, or of a SavedModel the output, that holds the vectors; by default the
            last one
        pixels: the range in which the model expects the pixels, one of `PIXELS`

    Raises:
        ModelNotFound: if it cannot be loaded
        EmbeddingsError: if it does not take images, or has no such output
    """
    grow_gpu_memory()
    scale, offset = PIXELS[require_pixels(pixels)]

    def prepare(batch: Any) -> Any:
        return batch * scale + offset

    if require_model_file(path).is_dir():
        embed, size = _load_saved_model(path, output)
    else:
        embed, size = _load_keras_file(path, output, prepare)
    return TensorFlowEmbedder(lambda batch: embed(prepare(_as_floats(batch))), size)


def require_application(name: str | None) -> str:
    """Checks that an application is one of those known; loads nothing.

    Returns:
        its name

    Raises:
        ModelNotFound: if it is not
    """
    if name not in APPLICATIONS:
        raise ModelNotFound(
            f"'{name or ''}' is no Keras application that is known here.",
            f"Choose one of: {', '.join(APPLICATIONS)}.",
        )
    return str(name)


def is_downloaded(name: str) -> bool:
    """Whether Keras has downloaded ImageNet's weights of an application to this machine."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    return (home / "models" / _DOWNLOADS[name]).is_file()


def require_weights(weights: str) -> str:
    """Checks that weights are a file, or `DOWNLOADED`; reads nothing.

    Returns:
        the path, or that

    Raises:
        ModelNotFound: if there is no such file
    """
    if weights != DOWNLOADED and not Path(weights).is_file():
        raise ModelNotFound(
            f"There is no file of weights '{weights}'.",
            "Give another, or none: Keras then takes ImageNet's.",
        )
    return weights


def require_model_file(path: str | None) -> Path:
    """Checks that a path is that of a ``.keras`` file or a SavedModel; loads neither.

    Raises:
        ModelNotFound: if it is not
    """
    found = Path(path or "")
    is_saved_model = any(
        (found / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")
    )
    if not (is_saved_model or (found.is_file() and found.suffix in (".keras", ".h5"))):
        raise ModelNotFound(
            f"'{path or ''}' is neither a .keras file nor the folder of a SavedModel.",
            "Give one of them.",
        )
    return found


def require_pixels(name: str) -> str:
    """Checks that a range of pixels is known.

    Returns:
        its name

    Raises:
        EmbeddingsError: if it is not
    """
    if name not in PIXELS:
        raise EmbeddingsError(
            f"'{name}' is no range of pixels.", f"Use one of: {', '.join(PIXELS)}."
        )
    return name


def _load_keras_file(
    path: str, output: str | None, prepare: Callable[[Any], Any]
) -> tuple[Callable[[Any], Any], Size]:
    import keras

    model = load_keras_file(path)
    if not isinstance(getattr(model, "input_shape", None), tuple) or len(model.input_shape) != 4:
        raise EmbeddingsError(f"'{path}' does not take images.", "Choose another model.")
    if output:
        names = [layer.name for layer in model.layers]
        if output not in names:
            raise EmbeddingsError(
                f"'{path}' has no layer '{output}'.", f"Its last layers: {', '.join(names[-5:])}."
            )
        model = keras.Model(model.inputs, model.get_layer(output).output)
    size = _size_of(model.input_shape)
    quick = in_best_precision(model, size, prepare)
    return lambda batch: quick(batch, training=False), size


def _load_saved_model(path: str, output: str | None) -> tuple[Callable[[Any], Any], Size]:
    import tensorflow as tf

    try:
        model = tf.saved_model.load(path)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ModelNotFound(
            f"TensorFlow cannot load '{path}': {error}", "Export it as a SavedModel again."
        ) from error
    infer: Any = getattr(model, "signatures", {}).get("serving_default")
    inputs = infer.structured_input_signature[1] if infer is not None else {}
    if len(inputs) != 1 or next(iter(inputs.values())).shape.rank != 4:
        raise EmbeddingsError(
            f"'{path}' has no serving_default signature that takes images [B, H, W, 3].",
            "Export it with one.",
        )
    name, spec = next(iter(inputs.items()))
    chosen = _output_of(infer.structured_outputs, output, path)

    def embed(batch: Any) -> Any:
        assert model is not None  # noqa: S101 - it must outlive its signature
        return infer(**{name: tf.cast(batch, spec.dtype)})[chosen]

    return embed, _size_of(tuple(spec.shape))


def _output_of(outputs: dict[str, Any], wanted: str | None, path: str) -> str:
    """The output of a signature that holds the vectors."""
    likely = [name for name in outputs if any(word in name.lower() for word in _LIKELY_OUTPUTS)]
    chosen = wanted or next(iter(outputs if len(outputs) == 1 else likely), None)
    if chosen not in outputs:
        raise EmbeddingsError(
            f"Which output of '{path}' holds the vectors?"
            if chosen is None
            else f"'{path}' has no output '{chosen}'.",
            f"Name one of: {', '.join(sorted(outputs))}.",
        )
    return chosen


def _size_of(shape: Sequence[int | None]) -> Size:
    height, width = shape[1:3]
    return (height or _DEFAULT_SIZE[0], width or _DEFAULT_SIZE[1])


def _calls_at_once() -> int:
    """How many calls pay: two on CPU cores, which within one call wait for each other's layers."""
    one_core = cpu_count() == 1 or os.environ.get(_CORES_GRANTED) == "1"
    return 1 if one_core or gpu_capabilities() else 2


def _as_floats(batch: Any) -> Any:
    import tensorflow as tf

    return tf.cast(batch, tf.float32)


def _as_vectors(outputs: Any) -> Any:
    import tensorflow as tf

    inner = list(range(1, len(outputs.shape) - 1))
    vectors = tf.reduce_mean(outputs, axis=inner) if inner else outputs
    return tf.cast(vectors, tf.float32)
