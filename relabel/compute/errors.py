"""What can go wrong where heavy work runs."""

from __future__ import annotations

from ..errors import RelabelError


class PluginNotVisible(RelabelError):
    """The executor's FiftyOne does not see the plugin whose operators it is to run."""


class ModelNotFound(RelabelError):
    """There is no model at a path, or none of that name in FiftyOne's zoo."""


class NoOutcome(RelabelError):
    """A delegated operation has nothing to show."""


class OutOfMemory(RelabelError):
    """A single image is more than memory can take."""


class RayMissing(RelabelError):
    """A Ray cluster is configured, and Ray is not installed here."""


class RayUnreachable(RelabelError):
    """The Ray cluster that is configured does not answer, or not to this machine."""


class RayMismatch(RelabelError):
    """The Ray cluster runs another version of Ray or Python."""


class NodeLacksPackage(RelabelError):
    """A node of the Ray cluster has not installed what the work needs."""


class NodeCannotSee(RelabelError):
    """A node of the Ray cluster cannot open a file that can be opened here."""
