"""What a machine computes on: its GPUs as TensorFlow sees them, else its CPU cores."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

logger = logging.getLogger(__name__)

PROBE_TIMEOUT_SECONDS = 180
_PROBE = """
import json
import tensorflow as tf

gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(g).get("device_name", g.name) for g in gpus]
print(json.dumps(names))
"""
_REPORTED_PACKAGES = ("fiftyone", "fiftyone-brain", "tensorflow", "tensorflow-cpu", "numpy")


def gpu_names() -> tuple[str, ...]:
    """Asks TensorFlow for this machine's GPUs.

    A process of its own asks: TensorFlow keeps what it touches until its process ends, and an
    idle executor must not hold a GPU.

    Returns:
        one name per GPU; empty where there is none, or no TensorFlow
    """
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_SECONDS,
            check=True,
        )
        return tuple(str(name) for name in json.loads(probe.stdout.strip().splitlines()[-1]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        logger.warning("TensorFlow named no device, CPU assumed: %s", error)
        return ()


def grow_gpu_memory() -> None:
    """Has TensorFlow take GPU memory as needed: others may share the GPU."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        try:
            tf.config.experimental.set_memory_growth(gpu, True)  # noqa: FBT003
        except RuntimeError:
            return  # TensorFlow is at work already; it is too late to say so


def cpu_count() -> int:
    """The CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def package_versions() -> dict[str, str]:
    """The installed versions of the packages that decide what an executor can run."""
    versions = {}
    for package in _REPORTED_PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
