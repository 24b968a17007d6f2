"""How models are loaded, on whatever machine; a process keeps the last one that it loaded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .stamps import changed_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.models import Model


@dataclass(frozen=True)
class Recipe:
    """How a model is loaded.

    Args:
        load: one of our functions that load models, or classes that are one
        args: what it is called with: plain data
        named: the same of its keywords
        changed: when the file was written that it reads; 0 if it reads none
    """

    load: Callable[..., Model]
    args: tuple[Any, ...] = ()
    named: tuple[tuple[str, Any], ...] = ()
    changed: float = 0.0


def recipe(
    load: Callable[..., Model], *args: Any, reads: str | None = None, **named: Any
) -> Recipe:
    """How a model is loaded.

    Args:
        load: one of our functions that load models, or classes that are one
        *args: what it is called with: plain data
        reads: the file or folder that it reads, if any
        **named: the same as ``args`` of its keywords
    """
    changed = changed_at(reads) if reads else 0.0
    return Recipe(load, args, tuple(named.items()), changed)


def loaded(model: Model | Recipe) -> Model:
    """A model, loaded if it is not."""
    return _cooked(model) if isinstance(model, Recipe) else model


def require_recipe(model: Model | Recipe) -> Recipe:
    """Checks that a model can be loaded on another machine.

    Raises:
        TypeError: if all that is known of it is that it is loaded here
    """
    if not isinstance(model, Recipe):
        raise TypeError("A cluster loads models by itself: give a recipe, not a model")
    return model


@lru_cache(maxsize=1)
def _cooked(recipe: Recipe) -> Model:
    return recipe.load(*recipe.args, **dict(recipe.named))
