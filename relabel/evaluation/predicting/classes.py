"""The class names of a detector, from the file that came with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ClassFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CLASS_FILES = ("classes.txt", "labels.txt", "label_map.pbtxt", "classes.json")
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ITEM = re.compile(rf"""\bitem\s*:?\s*\{{((?:{_QUOTED}|[^}}"'])*)\}}""")
_ID = re.compile(r"\bid\s*:\s*(\d+)")
_NAME = re.compile(rf"\b(display_name|name)\s*:\s*({_QUOTED})")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


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


def require_class_file(model_path: Path | str, class_file: Path | str | None = None) -> Path:
    """Checks that the class file of a model is there.

    Args:
        model_path: the model
        class_file: the names of its classes; None looks for a file by `find_class_file`

    Raises:
        ClassFileError: if there is none
    """
    names = Path(class_file) if class_file else find_class_file(model_path)
    if names is None or not names.is_file():
        raise ClassFileError(
            f"There is no file '{class_file}'." if class_file else "No class file was found.",
            "Give a file with the name of one class per line.",
        )
    return names


def read_classes(path: Path | str, *, first: int = 1) -> dict[int, str]:
    """Reads a file of class names.

    Args:
        path: a text file with one name per line, a JSON list of names, or of the categories of
            COCO (``{"id": 1, "name": "cat"}``), a JSON object (ids to names), or a label map
            (``.pbtxt``) of the TF2 Detection Zoo
        first: the id of the first name of a file that says no ids

    Returns:
        the names, by id

    Raises:
        ClassFileError: if there is no such file, or no name in it
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
        names = _parse(file.suffix.lower(), text, first)
    except (OSError, ValueError, KeyError, TypeError) as error:
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


def _parse(suffix: str, text: str, first: int) -> dict[int, str]:
    if suffix == ".pbtxt":
        return _parse_label_map(text)
    if suffix != ".json":
        return _numbered(text.rstrip().splitlines(), first)
    content = json.loads(text)
    if isinstance(content, dict):
        return {int(key): _name(name) for key, name in content.items() if name}
    if content and all(isinstance(one, dict) for one in content):
        return {int(one["id"]): _name(one["name"]) for one in content}
    return _numbered(map(_name, content), first)


def _name(value: Any) -> str:
    """A name in JSON: anything else would turn up as a class."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value.strip()


def _numbered(names: Iterable[str], first: int) -> dict[int, str]:
    return {k: name.strip() for k, name in enumerate(names, start=first) if name.strip()}


def _parse_label_map(text: str) -> dict[int, str]:
    names = {}
    for item in _ITEM.findall(_COMMENT.sub("", text)):
        number = _ID.search(item)
        found = {key: _unquoted(value) for key, value in _NAME.findall(item)}
        if number and found:
            names[int(number[1])] = found.get("display_name") or found["name"]
    return names


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
