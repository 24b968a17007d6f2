"""Arrays on a GPU, by whichever library of TensorFlow, PyTorch and JAX Keras works with here."""

from __future__ import annotations

import contextlib
import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .devices import grow_gpu_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

_DRIVERS = ("/dev/nvidiactl", "/dev/kfd")


# The CPU takes about as long for so many numbers as a library for GPUs takes to be imported.
_WORTH_A_GPU = 1 << 26


def gpu_arrays_for(numbers: int) -> Any | None:
    """As `gpu_arrays` where there is enough to do, else None.

    Args:
        numbers: how many numbers there are to compute with
    """
    return gpu_arrays() if numbers >= _WORTH_A_GPU else None


@functools.cache
def gpu_arrays() -> Any | None:
    """The functions of ``keras.ops`` if they compute on a GPU, else None.

    Where there is no driver nothing is imported.
    """
    if not has_gpu_driver():
        return None
    try:
        import keras
    except ImportError:
        return None
    if keras.backend.backend() == "tensorflow":
        grow_gpu_memory()
    return keras.ops if _has_gpu(keras) else None


def has_gpu_driver() -> bool:
    """Whether this machine runs a driver of GPUs, be there a library that uses it or not."""
    return any(Path(driver).exists() for driver in _DRIVERS)


def _has_gpu(keras: Any) -> bool:
    if keras.backend.backend() == "torch":  # of which Keras lists no devices
        return bool(importlib.import_module("torch").cuda.is_available())
    return bool(keras.distribution.list_devices("gpu"))


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Has products of matrices computed in float32, not in the 19 bits that a GPU prefers."""
    import keras

    library = keras.backend.backend()
    if library == "tensorflow":
        from tensorflow.config import experimental

        before = experimental.tensor_float_32_execution_enabled()
        experimental.enable_tensor_float_32_execution(False)  # noqa: FBT003
        try:
            yield
        finally:
            experimental.enable_tensor_float_32_execution(before)
    elif library == "jax":
        with importlib.import_module("jax").default_matmul_precision("highest"):
            yield
    else:
        yield  # PyTorch does so unless told otherwise
