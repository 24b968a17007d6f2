"""Models in files of Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ModelNotFound

if TYPE_CHECKING:
    from pathlib import Path


def load_keras_file(path: Path | str) -> Any:
    """Loads a ``.keras`` or ``.h5`` file, without code that came with it.

    Raises:
        ModelNotFound: if Keras cannot load it
    """
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever its layers raise
        raise ModelNotFound(
            f"Keras cannot load '{path}': {error}", "Save the model again."
        ) from error
