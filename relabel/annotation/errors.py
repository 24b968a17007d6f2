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


class UnsupportedMedia(RoundError):
    """The media of samples cannot travel."""


class UnreadableMedia(RoundError):
    """An image is missing or cannot be read."""


class NothingToUndo(RoundError):
    """No pull is left that could be undone."""


class TooLargeToUndo(RoundError):
    """What a pull would change of one image is more than can be kept to undo it."""


class TooLargeToKeep(RoundError):
    """The labels of one image are more than can be kept of what was sent."""


class RoundBusy(RoundError):
    """The round is being sent or pulled by somebody else at this moment."""


class InvalidDivision(RoundError):
    """CVAT cannot divide the images of a round as it is asked for."""


class ProjectLacksClasses(RoundError):
    """A project lacks classes or attributes, which may not be added to it."""


class InvalidJobChange(RoundError):
    """Jobs of a round cannot be changed as it is asked for."""


class FieldGone(RoundError):
    """A field whose labels are out is not in the dataset any more."""
