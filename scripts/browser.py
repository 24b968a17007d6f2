"""Finds the browser that the tests drive, and installs one where that is ours to do."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from scripts.system import apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
MISSING = (
    "There is no Chrome or Chromium on this machine, and the browser tests need one. Install it"
    " (Debian: apt install chromium) or set CHROME_PATH."
)


def find_browser() -> Path | None:
    """Returns the program of a Chrome or Chromium, or None if there is none."""
    chosen = os.environ.get("CHROME_PATH")
    if chosen:
        return Path(chosen) if Path(chosen).is_file() else None
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return Path(found)
    return next((path for path in APPLICATIONS if path.is_file()), None)


def main() -> None:
    """Installs Chromium if there is no browser; the tests say so if there still is none."""
    if find_browser() is None and not apt_install("chromium"):
        sys.stderr.write(f"{MISSING}\n")


if __name__ == "__main__":
    main()
