"""Models of FiftyOne's zoo, by name."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..errors import ModelNotFound

if TYPE_CHECKING:
    from fiftyone.core.models import Model

# FiftyOne's class for PyTorch models imports both.
_OF_TORCH = {"torch": "PyTorch", "torchvision": "torchvision"}


@lru_cache(maxsize=1)
def zoo_models() -> tuple[str, ...]:
    """The names in FiftyOne's model zoo; asked for once per process."""
    import fiftyone.zoo as foz

    return tuple(foz.list_zoo_models())


@lru_cache(maxsize=1)
def zoo_embedders() -> tuple[str, ...]:
    """The names in FiftyOne's model zoo that make embeddings and whose packages are here."""
    import fiftyone.zoo as foz

    names = foz.list_zoo_models(tags="embeddings")
    return tuple(name for name in names if _lacks(name) is None)


def require_zoo_embedder(name: str | None, *, here: bool = True) -> str:
    """Checks that a model of FiftyOne's zoo makes embeddings and could be loaded here.

    It loads nothing; of packages it checks those that no model of its kind does without.

    Args:
        name: its name
        here: whether it is to be loaded here; packages that another machine has are not known

    Returns:
        the name

    Raises:
        ModelNotFound: if it does not, or what it needs is not installed
    """
    import fiftyone.zoo as foz

    known = require_zoo_model(name)
    if not foz.get_zoo_model(known).has_tag("embeddings"):
        raise ModelNotFound(
            f"The zoo's model '{known}' makes no embeddings.",
            "See those that do with: fiftyone zoo models list --tags embeddings",
        )
    lacking = _lacks(known) if here else None
    if lacking:
        raise ModelNotFound(
            f"The zoo's model '{known}' needs {lacking}, which is not installed here.",
            "Install it where the operator runs, or choose a Keras application.",
        )
    return known


def _lacks(name: str) -> str | None:
    """What a model of the zoo needs and is not here, of PyTorch, torchvision and TensorFlow 1."""
    import fiftyone.zoo as foz

    tags = foz.get_zoo_model(name).tags or []
    for package, known_as in _OF_TORCH.items() if "torch" in tags else ():
        if find_spec(package) is None:
            return known_as
    if "tf1" in tags:
        return "tensorflow<2"
    return None


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


def is_zoo_model_here(name: str) -> bool:
    """Whether the weights of a model of the zoo are on this machine, as far as the zoo knows."""
    import fiftyone.zoo as foz

    return foz.is_zoo_model_downloaded(name) is not False


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
