"""Tells whether files are still what they were."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


def changed_at(path: Path | str) -> float:
    """When a file was written, or any in a folder, in seconds since 1970; 0 of what is none.

    Of a folder the time alone would not do: it stays as it is when a file in it is written anew.
    """
    found = Path(path)
    if found.is_dir():
        return max((one.stat().st_mtime for one in found.rglob("*")), default=0.0)
    return found.stat().st_mtime if found.exists() else 0.0


def contents_of(path: Path | str) -> str:
    """A hash of what a file holds, or all files in a folder with their names; SHA-256.

    A process remembers it for as long as nothing is written there.

    Raises:
        OSError: if it cannot be read
    """
    return _hash(str(path), changed_at(path))


def size_of(path: Path | str) -> int:
    """How many bytes a file has, or all in a folder.

    Raises:
        OSError: if it is not there
    """
    found = Path(path)
    files = found.rglob("*") if found.is_dir() else (found,)
    return sum(one.stat().st_size for one in files)


@functools.lru_cache(maxsize=16)
def _hash(path: str, changed: float) -> str:  # noqa: ARG001 - the time is a part of the key
    found = Path(path)
    if not found.is_dir():
        with found.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for one in sorted(one for one in found.rglob("*") if one.is_file()):
        with one.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{one.relative_to(found).as_posix()} {digest}\n".encode())
    return total.hexdigest()
