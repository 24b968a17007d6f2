"""What can go wrong with embeddings and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..compute.inference.images import Unreadable


class EmbeddingsError(RelabelError):
    """There are no vectors to work with, or they do not fit together."""


class NoVectors(EmbeddingsError):
    """None of some samples has a vector.

    Args:
        message: what happened
        advice: what the user can do about it
        missing: how many samples have none
        unreadable: the images among them that could not be read
        unusable: the samples among them whose vectors are zero or no numbers
    """

    def __init__(
        self,
        message: str,
        advice: str,
        missing: int,
        unreadable: Sequence[Unreadable] = (),
        unusable: Sequence[str] = (),
    ) -> None:
        super().__init__(message, advice)
        self.missing = missing
        self.unreadable = tuple(unreadable)
        self.unusable = tuple(unusable)


class SelectionError(RelabelError):
    """A selection of that size cannot be made."""


class BrainKeyError(RelabelError):
    """A brain run cannot have that name."""


class VectorStoreError(RelabelError):
    """A vector back end cannot be used as it is set up here."""


class NotAddable(RelabelError):
    """A run cannot take new samples; it has to be computed again."""


class PredictionsError(RelabelError):
    """Predictions are not there, or do not say how sure they are."""
