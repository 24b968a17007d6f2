"""A queue of label errors: labels that are probably wrong, the most probable first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .suspicion import ErrorType

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

    from ..matching.validity import InvalidLabel


@dataclass(frozen=True)
class LabelError:
    """A label that is probably wrong.

    Args:
        type: what is probably wrong
        probability: that it is, in [0, 1]
        sample_id: the sample that holds it
        label_id: the label, or None if it is missing
        prediction_id: the prediction that speaks against it, or None
        label: the class of the label, or of the prediction if the label is missing
        box: its left, top, width, height, relative to the image
        instead: the class, or the value of the attribute, that it should have
        attribute: the attribute whose value is doubted, or None
        value: that value
        twin_id: the better label of the same object, or None
    """

    type: ErrorType
    probability: float
    sample_id: str
    label_id: str | None
    prediction_id: str | None
    label: str
    box: tuple[float, float, float, float]
    instead: Any = None
    attribute: str | None = None
    value: Any = None
    twin_id: str | None = None

    @property
    def question(self) -> str:
        """What a person who looks at it is to decide, in words."""
        asked = {
            ErrorType.WRONG_CLASS: f"Is this {self.instead} and not {self.label}?",
            ErrorType.BAD_BOX: f"Does this box fit the {self.label}?",
            ErrorType.MISSING: f"Is there {self.label} without a label?",
            ErrorType.DUPLICATE: f"Is this {self.label} labelled twice?",
            ErrorType.SPURIOUS: f"Is there {self.label} here at all?",
            ErrorType.ATTRIBUTE: f"Should {self.attribute} be {self.instead}?",
        }
        return f"{asked[self.type]} ({self.type}, {self.probability:.0%})"


@dataclass(frozen=True)
class TypeSummary:
    """What is in the queue of one type of error.

    Args:
        type: the type
        count: how many suspicions
        expected: how many of them are right, by their probabilities
        map_fixed: the mean average precision if all of them were right, and fixed
    """

    type: ErrorType
    count: int
    expected: float
    map_fixed: float | None


@dataclass(frozen=True)
class LabelErrors:
    """A queue of label errors, the most probable first.

    Args:
        key: the run that holds it
        ground_truth: the field of the labels
        predictions: the field of the predictions
        errors: the queue
        map_now: the mean average precision of the predictions on the labels as they are
        summaries: the queue type by type
        invalid: labels and predictions that could not be judged
        unpredicted: samples that have no predictions, not even none; their labels are not judged
    """

    key: str
    ground_truth: str
    predictions: str
    errors: tuple[LabelError, ...]
    map_now: float | None = None
    summaries: tuple[TypeSummary, ...] = ()
    invalid: tuple[InvalidLabel, ...] = field(default=(), compare=False)
    unpredicted: tuple[str, ...] = field(default=(), compare=False)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """The samples, each once, ordered by its most probable error."""
        return tuple(dict.fromkeys(error.sample_id for error in self.errors))

    def view(self, dataset: fo.Dataset) -> SampleCollection:
        """The samples, worst first: whole images with all their labels.

        Not patches: sending those to be annotated would leave the other labels behind.
        """
        return dataset.select(list(self.sample_ids), ordered=True)
