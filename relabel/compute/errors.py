"""What can go wrong where heavy work runs."""

from __future__ import annotations

from ..errors import RelabelError


class PluginNotVisible(RelabelError):
    """The executor's FiftyOne does not see the plugin whose operators it is to run."""


class ModelNotFound(RelabelError):
    """There is no model at a path, or none of that name in FiftyOne's zoo."""


class OutOfMemory(RelabelError):
    """A single image is more than memory can take."""
