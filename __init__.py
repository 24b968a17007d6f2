"""Relabel: closes the loop between FiftyOne and CVAT."""

from .panels.cvat_status import CvatStatusPanel

from .operators.pull_annotations import PullAnnotations
from .operators.send_to_cvat import SendToCvat
from .operators.undo_pull import UndoPull


def register(plugin):
    """Registers every operator and panel that ``fiftyone.yml`` lists."""
    plugin.register(CvatStatusPanel)
    plugin.register(SendToCvat)
    plugin.register(PullAnnotations)
    plugin.register(UndoPull)
