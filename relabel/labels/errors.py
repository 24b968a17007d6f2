"""What can be wrong with a label."""

from ..errors import RelabelError


class MalformedLabel(RelabelError):
    """A label in FiftyOne is not what its type says."""


class UnknownClass(RelabelError):
    """A label is of a class that its round does not offer to annotators."""
