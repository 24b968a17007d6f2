"""Models of FiftyOne's zoo, by name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .errors import ModelNotFound

if TYPE_CHECKING:
    from fiftyone.core.models import Model


@lru_cache(maxsize=1)
def zoo_models() -> tuple[str, ...]:
    """The names in FiftyOne's model zoo; asked for once per process."""
    import fiftyone.zoo as foz

    return tuple(foz.list_zoo_models())


def require_zoo_model(name: str | None) -> str:
    """Checks that FiftyOne's zoo lists a model; loads nothing.

    Returns:
        the name

    Raises:
        ModelNotFound: if it does not
    """
    if not name or name not in zoo_models():
        raise ModelNotFound(
            f"FiftyOne's zoo has no model '{name or ''}'.", "See: fiftyone zoo models list"
        )
    return name


def load_zoo_model(name: str) -> Model:
    """Loads a model of FiftyOne's zoo; its weights may be fetched from the network.

    Raises:
        ModelNotFound: if the zoo has no such model, or it cannot be loaded here
    """
    import fiftyone.zoo as foz

    require_zoo_model(name)
    try:
        return foz.load_zoo_model(name)
    except Exception as error:  # whatever the model's own package raises
        raise ModelNotFound(
            f"The zoo's model '{name}' could not be loaded: {error}",
            f"See what it needs with: fiftyone zoo models requirements {name}",
        ) from error
