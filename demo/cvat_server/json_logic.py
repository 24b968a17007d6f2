"""``filter=`` expressions: the part of JSON logic that CVAT knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import errors
from .database import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Row

Predicate = "Callable[[Row], bool]"

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def compile_filter(text: str, fields: dict[str, str]) -> Callable[[Row], bool]:
    """Turns an expression into a test of rows.

    Args:
        text: the expression, JSON
        fields: known variables and their kinds: ``id`` (a number), ``date``, ``bool``, ``text``

    Raises:
        ApiError: 400 for what is not JSON and for unknown variables and operators, 500 for values
            of a wrong type
    """
    try:
        rules = json.loads(text)
    except ValueError as error:
        raise errors.rejected(f"filter: can't parse filter expression: {error}") from error
    return _build(rules, fields)


def convert(value: Any, kind: str) -> Any:
    """A value as rows hold it.

    Raises:
        ApiError: 500 when it is none of that kind
    """
    if value is None:
        return None
    try:
        if kind == "id":
            return int(value)
        if kind == "date":
            moment = datetime.fromisoformat(str(value))
            return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
        if kind == "bool":
            return value if isinstance(value, bool) else str(value).lower() == "true"
    except ValueError as error:
        raise errors.crash() from error
    return str(value)


def _build(rules: Any, fields: dict[str, str]) -> Callable[[Row], bool]:
    if not isinstance(rules, dict) or len(rules) != 1:
        raise errors.rejected(f"filter: can't parse filter expression: {rules}")
    operator, arguments = next(iter(rules.items()))
    if operator in {"and", "or"}:
        parts = [_build(part, fields) for part in arguments]
        return lambda row: (all if operator == "and" else any)(part(row) for part in parts)
    if operator == "!":
        inner = _build(arguments, fields)
        return lambda row: not inner(row)
    if operator == "!!":
        return _build(arguments, fields)
    if operator == "var":
        name = _known(arguments, fields)
        return lambda row: row[name] is not None
    if operator in _COMPARE and isinstance(arguments, list):
        return _comparison(operator, arguments, fields)
    if operator == "in" and isinstance(arguments, list) and len(arguments) == 2:
        return _membership(arguments, fields)
    raise _unsupported(operator, arguments)


def _comparison(
    operator: str, arguments: list[Any], fields: dict[str, str]
) -> Callable[[Row], bool]:
    if operator == "<=" and len(arguments) == 3:
        name = _known(arguments[1].get("var"), fields)
        low, high = (convert(arguments[end], fields[name]) for end in (0, 2))
        return lambda row: row[name] is not None and low <= row[name] <= high
    if len(arguments) != 2 or not isinstance(arguments[0], dict):
        raise _unsupported(operator, arguments)
    name = _known(arguments[0].get("var"), fields)
    value = convert(arguments[1], fields[name])
    compare = _COMPARE[operator]
    if operator in {"==", "!="}:
        return lambda row: compare(row[name], value)
    return lambda row: row[name] is not None and compare(row[name], value)


def _membership(arguments: list[Any], fields: dict[str, str]) -> Callable[[Row], bool]:
    left, right = arguments
    if isinstance(left, dict):
        name = _known(left.get("var"), fields)
        values = {convert(value, fields[name]) for value in right}
        return lambda row: row[name] in values
    name = _known(right.get("var"), fields)
    part = str(left).lower()
    return lambda row: part in str(row[name] or "").lower()


def _known(name: Any, fields: dict[str, str]) -> str:
    if name not in fields:
        raise errors.rejected(f"filter: term '{name}' is not supported")
    return str(name)


def _unsupported(operator: str, arguments: Any) -> errors.ApiError:
    return errors.rejected(
        f"filter: operation '{operator}' with arguments '{arguments}' is not supported"
    )
