"""Checks of single values, worded as the real serializers word them."""

from __future__ import annotations

from typing import Any


def text_problem(data: dict[str, Any], name: str, longest: int) -> str | None:
    """What is wrong with a required text, or None."""
    if name not in data:
        return "This field is required."
    value = data[name]
    if value is None:
        return "This field may not be null."
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return "Not a valid string."
    text = str(value).strip()
    if not text:
        return "This field may not be blank."
    if len(text) > longest:
        return f"Ensure this field has no more than {longest} characters."
    return None


def choice_problem(value: Any, choices: tuple[str, ...]) -> str | None:
    """What is wrong with a choice, or None."""
    return None if value in choices else f'"{value}" is not a valid choice.'


def number_problem(
    value: Any, lowest: float | None = None, highest: float | None = None
) -> str | None:
    """What is wrong with a number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "A valid number is required."
    if lowest is not None and value < lowest:
        return f"Ensure this value is greater than or equal to {lowest}."
    if highest is not None and value > highest:
        return f"Ensure this value is less than or equal to {highest}."
    return None


def integer_problem(
    value: Any, lowest: int | None = None, highest: int | None = None
) -> str | None:
    """What is wrong with a whole number (a text of digits is taken too), or None."""
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        return "A valid integer is required."
    if isinstance(number, bool) or not isinstance(number, int):
        return "A valid integer is required."
    return number_problem(number, lowest, highest)
