"""What the machine offers. Runs before anything is installed: standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def apt_install(*packages: str) -> bool:
    """Installs system packages where that is ours to do: as root, where there is apt-get.

    Args:
        *packages: names of Debian packages

    Returns:
        whether they are installed now
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    if subprocess.run(install, env=environment, check=False, stdout=sys.stderr).returncode == 0:
        return True
    update = ["apt-get", "update", "-q"]
    subprocess.run(update, env=environment, check=False, stdout=sys.stderr)
    return subprocess.run(install, env=environment, check=False, stdout=sys.stderr).returncode == 0


def has_nvidia_gpu() -> bool:
    """Returns whether NVIDIA's driver sees a GPU."""
    if not shutil.which("nvidia-smi"):
        return False
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return listing.returncode == 0 and "GPU" in listing.stdout
