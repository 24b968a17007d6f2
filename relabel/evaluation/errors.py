"""What can go wrong with models and evaluations."""

from __future__ import annotations

from ..errors import RelabelError


class NotADetector(RelabelError):
    """A model loads, but does not speak the signature of a detector."""


class NotALabel(RelabelError):
    """A model says something of an image that is not one of FiftyOne's labels."""


class ClassFileError(RelabelError):
    """The file of class names is missing, unreadable, or does not fit the model."""


class EvaluationError(RelabelError):
    """An evaluation cannot be run, or is not there."""


class LabelsAtRisk(RelabelError):
    """A model would overwrite labels that no model made."""


class PredictionsLost(RelabelError):
    """Predictions that a run had made are not where it kept them."""
