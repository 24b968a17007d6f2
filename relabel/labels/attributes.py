"""Attributes of a label: FiftyOne values <-> the text that CVAT keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..cvat import AttributeSpec, InputType
from ..errors import RelabelError

_TRUE, _FALSE = "true", "false"
_NUMBER_RANGE = ("-1000000000", "1000000000", "1")
_LONGEST_TEXT = 4096  # CVAT refuses more
_NUL = chr(0)  # CVAT's database cannot hold it


class UnreadableValue(RelabelError):
    """An annotator entered something that the attribute's type cannot hold."""


class AttributeKind(StrEnum):
    """The type of an attribute's values in FiftyOne."""

    BOOL = "bool"
    BINARY = "0/1"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    CHOICE = "choice"
    RADIO = "radio"
    LIST = "list"

    OCCLUDED = "occluded"
    """A boolean that is no attribute in CVAT, but its switch of that name."""

    GROUP = "group"
    """A number that is no attribute in CVAT, but the group of the shape."""


_INPUT_TYPES = {
    AttributeKind.BOOL: InputType.CHECKBOX,
    AttributeKind.BINARY: InputType.CHECKBOX,
    AttributeKind.INT: InputType.NUMBER,
    # CVAT's number field steps and rounds; a text field keeps every digit.
    AttributeKind.FLOAT: InputType.TEXT,
    AttributeKind.TEXT: InputType.TEXT,
    AttributeKind.CHOICE: InputType.SELECT,
    AttributeKind.RADIO: InputType.RADIO,
    AttributeKind.LIST: InputType.TEXT,
}
_PART_OF_SHAPE = frozenset({AttributeKind.OCCLUDED, AttributeKind.GROUP})
_FLAGS = frozenset({AttributeKind.BOOL, AttributeKind.BINARY, AttributeKind.OCCLUDED})
_WHOLE = frozenset({AttributeKind.INT, AttributeKind.GROUP})
_CHOSEN = frozenset({AttributeKind.CHOICE, AttributeKind.RADIO})


@dataclass(frozen=True)
class Attribute:
    """An attribute that travels with the labels of a field.

    Args:
        name: its name in FiftyOne and in CVAT
        kind: the type of its values in FiftyOne
        choices: the values that annotators can choose from, if ``kind`` is a choice
        classes: the classes that have it; none means all
        unset: the text of a label that has no value, if it is not what the kind says
    """

    name: str
    kind: AttributeKind
    choices: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    unset: str | None = None

    def is_for(self, label: str) -> bool:
        """Whether labels of a class have it."""
        return not self.classes or label in self.classes

    @property
    def is_declared(self) -> bool:
        """Whether CVAT knows it as an attribute, and not as a part of the shape."""
        return self.kind not in _PART_OF_SHAPE

    @property
    def default(self) -> str:
        """The text of a label that has no value."""
        if self.unset is not None:
            return self.unset
        if self.kind in _FLAGS:
            return _FALSE
        return "0" if self.kind in _WHOLE else ""

    def to_spec(self) -> AttributeSpec:
        """The attribute as CVAT declares it."""
        values: tuple[str, ...] = ()
        if self.kind in _CHOSEN:
            values = ("", *(choice for choice in self.choices if choice))
        elif self.kind in {AttributeKind.BOOL, AttributeKind.BINARY}:
            values = (_FALSE,)
        elif self.kind is AttributeKind.INT:
            values = _NUMBER_RANGE
        return AttributeSpec(self.name, _INPUT_TYPES[self.kind], values, self.default)

    def to_text(self, value: Any) -> str:
        """The text that travels for a FiftyOne value, or the default for None.

        A list is written as JSON. Of a text that is longer than CVAT takes, the beginning travels,
        and never the spaces around it, which CVAT strips; the value in FiftyOne stays whole unless
        an annotator edits it.
        """
        if value is None:
            return self.default
        if self.kind in _FLAGS:
            return _TRUE if value else _FALSE
        if self.kind is AttributeKind.FLOAT:
            return repr(float(value))
        text = json.dumps(value) if self.kind is AttributeKind.LIST else str(value)
        return text.replace(_NUL, "").strip()[:_LONGEST_TEXT].rstrip()

    def to_value(self, text: str) -> Any:
        """The FiftyOne value for a text that came back.

        Raises:
            UnreadableValue: if the text is none of the attribute's type
        """
        kind = self.kind
        try:
            if not text and self.unset == "":
                return None
            if kind in _FLAGS:
                flag = {_TRUE: True, _FALSE: False}[text.lower()]
                return int(flag) if kind is AttributeKind.BINARY else flag
            if kind in _WHOLE:
                return int(text)
            if kind is AttributeKind.FLOAT:
                return float(text) if text else None
            if kind is AttributeKind.LIST:
                return _read_list(text)
        except (KeyError, TypeError, ValueError) as error:
            raise UnreadableValue(
                f"{text!r} is no value for the attribute {self.name!r} ({kind}).",
                "Correct it in CVAT and pull again.",
            ) from error
        return text if text or kind is AttributeKind.TEXT else None


def _read_list(text: str) -> list[Any] | None:
    if not text:
        return None
    value = json.loads(text)
    if not isinstance(value, list):
        raise TypeError(text)
    return value
