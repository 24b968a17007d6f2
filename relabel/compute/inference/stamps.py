"""Tells whether files are still what they were."""

from __future__ import annotations

from pathlib import Path


def changed_at(path: Path | str) -> float:
    """When a file was written, or any in a folder, in seconds since 1970; 0 of what is none.

    Of a folder the time alone would not do: it stays as it is when a file in it is written anew.
    """
    found = Path(path)
    if found.is_dir():
        return max((one.stat().st_mtime for one in found.rglob("*")), default=0.0)
    return found.stat().st_mtime if found.exists() else 0.0
