"""What a machine computes on: its GPUs as TensorFlow sees them, else its CPU cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROBE_TIMEOUT_SECONDS = 180
_PROBE = """
import json
import tensorflow as tf

gpus = tf.config.list_physical_devices("GPU")
names = [tf.config.experimental.get_device_details(g).get("device_name", g.name) for g in gpus]
print(json.dumps({"gpus": names, "cuda": tf.test.is_built_with_gpu_support()}))
"""
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
_NVIDIA_DEVICE = Path("/dev/nvidiactl")
_REPORTED_PACKAGES = ("fiftyone", "fiftyone-brain", "tensorflow", "tensorflow-cpu", "numpy", "ray")


@dataclass(frozen=True)
class Gpus:
    """What TensorFlow can compute on besides the CPU.

    Args:
        names: one name per GPU
        none_because: why there is none, and what to do, in one line; empty where there is one
    """

    names: tuple[str, ...]
    none_because: str = ""

    def __str__(self) -> str:
        return f"GPU: {', '.join(self.names)}" if self.names else f"GPU: none, {self.none_because}"


def find_gpus() -> Gpus:
    """Asks TensorFlow for this machine's GPUs.

    A process of its own asks: TensorFlow keeps what it touches until its process ends, and an
    idle executor must not hold a GPU.
    """
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=PROBE_TIMEOUT_SECONDS,
            check=True,
        )
        found = json.loads(probe.stdout.strip().splitlines()[-1])
    except subprocess.CalledProcessError as error:
        last_words = (error.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Gpus((), f"because TensorFlow does not run here: {last_words}")
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        return Gpus((), f"because TensorFlow did not answer: {error}")
    if found["gpus"]:
        return Gpus(tuple(str(name) for name in found["gpus"]))
    return Gpus((), _why_none(built_for_gpus=found["cuda"]))


def _why_none(
    *, built_for_gpus: bool, driver: Path = _NVIDIA_DRIVER, device: Path = _NVIDIA_DEVICE
) -> str:
    """What of driver, TensorFlow, device and CUDA is missing; the first that is."""
    if not driver.is_file():
        return "because this machine runs no NVIDIA driver"
    if not built_for_gpus:
        return (
            "because this TensorFlow is built for CPUs: pip uninstall tensorflow-cpu, "
            "pip install 'tensorflow[and-cuda]'"
        )
    if not device.exists():  # the driver of its host is seen in every container
        return (
            "because this container was given none: start it with --device nvidia.com/gpu=all, "
            "or with --gpus all"
        )
    return (
        "because TensorFlow finds no CUDA libraries that fit the driver: "
        "pip install 'tensorflow[and-cuda]', and compare nvidia-smi"
    )


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
