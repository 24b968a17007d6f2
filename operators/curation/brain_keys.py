"""The brain run that an operator makes, or adds to."""

from __future__ import annotations

from typing import Any


def name_of_run(ctx: Any, default: str) -> str:
    """The name of the run, whether it can be used or not."""
    return str(ctx.params.get("brain_key", default))


def adds_to_run(ctx: Any, default: str) -> bool:
    """Whether a run is added to: the App keeps that answer when another name is given."""
    return bool(ctx.params.get("new_only")) and ctx.dataset.has_brain_run(
        name_of_run(ctx, default)
    )
