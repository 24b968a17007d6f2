"""Asks how many images go through a model together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..forms import number_of

if TYPE_CHECKING:
    from fiftyone.operators import types


def ask_for_batch_size(inputs: types.Object, usual: int) -> None:
    """Adds the question to a form.

    Args:
        inputs: the form
        usual: how many they are if it is left empty, and no GPU is at work
    """
    inputs.int(
        "batch_size",
        min=1,
        label="Images at once",
        description=f"If empty: {usual}, and on a GPU as many as make it fastest, found by "
        "trying. Fewer by itself when memory runs out",
    )


def batch_size_of(ctx: Any) -> int | None:
    """What the form says; None if it is left empty.

    Raises:
        NotANumber: if a script gave something else
    """
    return int(number_of(ctx, "batch_size", 0)) or None
