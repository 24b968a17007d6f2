"""What can go wrong with a round."""

from ..errors import RelabelError


class RoundError(RelabelError):
    """Anything that went wrong with a round."""


class EmptySelection(RoundError):
    """There is nothing to send."""


class RoundNameTaken(RoundError):
    """Another round has the name already."""


class InvalidRoundName(RoundError):
    """FiftyOne cannot keep a run under the name."""


class UnknownRound(RoundError):
    """The dataset has no such round, or one that Relabel did not make."""


class UnsupportedField(RoundError):
    """The labels of a field cannot travel."""


class UnreadableMedia(RoundError):
    """An image is missing or cannot be read."""


class NothingToUndo(RoundError):
    """No pull is left that could be undone."""


class RoundBusy(RoundError):
    """The round is being sent or pulled by somebody else at this moment."""
