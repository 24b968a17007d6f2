"""What can go wrong with embeddings and what is made of them."""

from __future__ import annotations

from ..errors import RelabelError


class EmbeddingsError(RelabelError):
    """There are no vectors to work with, or they do not fit together."""


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
