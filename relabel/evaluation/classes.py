"""The class names of a detector, from the file that came with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ClassFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASS_FILES = ("classes.txt", "labels.txt", "label_map.pbtxt", "classes.json")
_ITEM = re.compile(r"item\s*\{(.*?)\}", re.DOTALL)
_ID = re.compile(r"\bid\s*:\s*(\d+)")
_NAME = re.compile(r"\b(display_name|name)\s*:\s*[\"']([^\"']*)[\"']")


def find_class_file(model_path: Path | str) -> Path | None:
    """Looks for a class file in a model's folder, in its assets, then beside it.

    Args:
        model_path: the folder of a SavedModel

    Returns:
        the file, or None
    """
    model = Path(model_path)
    for folder in (model, model / "assets", model.parent):
        for name in CLASS_FILES:
            if (folder / name).is_file():
                return folder / name
    return None


def read_classes(path: Path | str) -> dict[int, str]:
    """Reads a file of class names.

    Args:
        path: a text file (line k names class k), a JSON list or object (ids to names), or a label
            map (``.pbtxt``) of the TF2 Detection Zoo

    Returns:
        the names, by id; ids start at 1

    Raises:
        ClassFileError: if there is no such file, or no name in it
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        names = _parse(file.suffix.lower(), text)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ClassFileError(
            f"'{path}' cannot be read as a file of class names.",
            "Give a text file with one name per line, a JSON list, or a label map (.pbtxt).",
        ) from error
    if not names:
        raise ClassFileError(f"'{path}' holds no class names.", "Write one name per line.")
    return names


def require_fit(classes: Mapping[int, str], class_count: int | None) -> None:
    """Checks class names against the number of classes that a model was built for.

    Args:
        classes: the names, by id
        class_count: how many classes the model scores; None if it does not say

    Raises:
        ClassFileError: if they differ
    """
    if class_count is not None and max(classes) != class_count:
        raise ClassFileError(
            f"The class file names ids up to {max(classes)}, the model has {class_count} classes.",
            "Use the class file that came with the model.",
        )


def _parse(suffix: str, text: str) -> dict[int, str]:
    if suffix == ".pbtxt":
        return _parse_label_map(text)
    if suffix == ".json":
        content = json.loads(text)
        if isinstance(content, list):
            return _numbered(content)
        return {int(key): str(name) for key, name in content.items()}
    lines = text.rstrip().splitlines()
    return _numbered(lines)


def _numbered(names: list[str]) -> dict[int, str]:
    return {k: str(name).strip() for k, name in enumerate(names, start=1) if str(name).strip()}


def _parse_label_map(text: str) -> dict[int, str]:
    names = {}
    for item in _ITEM.findall(text):
        number = _ID.search(item)
        found = dict(_NAME.findall(item))
        if number and found:
            names[int(number[1])] = found.get("display_name") or found["name"]
    return names
