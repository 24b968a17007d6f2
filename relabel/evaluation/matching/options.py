"""How detections are matched and scored."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import fiftyone.utils.eval.coco as fouec

from ..errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Mapping

IOUS = tuple(x / 100 for x in range(50, 100, 5))
"""The thresholds of COCO's mean average precision."""

CROWD = "iscrowd"
MOST_PREDICTIONS = 100


@dataclass(frozen=True)
class EvaluationOptions:
    """The options of FiftyOne's COCO evaluation, as far as they concern detections.

    Args:
        iou: from which IoU on a prediction counts as true
        classwise: whether only labels of one class are matched. False links a prediction of the
            wrong class to what it lies on; precision and recall are those of classes either way
        iscrowd: the attribute that says whether ground truth stands for a crowd
        use_masks: whether masks are compared in place of boxes
        tolerance: in pixels; masks are compared as polygons that are this close to them. None
            compares them pixel by pixel
        iou_threshs: over which thresholds precision is averaged
        max_preds: how many predictions of a class count in an image, the most confident first
        classes: the classes to score, in the order to show; None for all that are there
        missing: what stands for the missing partner of a label in a confusion matrix
        error_level: what becomes of masks that make no polygon: 0 raises, 1 warns, 2 ignores
        custom_metrics: FiftyOne's operators of metrics to compute as well: their names, or name ->
            parameters
        dynamic: whether what is written on labels is declared, so that the App can filter by it
    """

    iou: float = 0.5
    classwise: bool = True
    iscrowd: str = CROWD
    use_masks: bool = False
    tolerance: float | None = None
    iou_threshs: tuple[float, ...] = IOUS
    max_preds: int = MOST_PREDICTIONS
    classes: tuple[str, ...] | None = None
    missing: str | None = None
    error_level: int = 1
    custom_metrics: tuple[str, ...] | dict[str, dict[str, Any] | None] = ()
    dynamic: bool = True

    def __post_init__(self) -> None:
        limits = (self.iou, *self.iou_threshs)
        if not self.iou_threshs or not all(0 < limit <= 1 for limit in limits):
            raise EvaluationError(
                "A match needs an IoU over 0 and up to 1.", "Give thresholds such as 0.5."
            )
        if self.tolerance is not None and find_spec("shapely") is None:
            raise EvaluationError(
                "Masks are compared as polygons with shapely, which is not installed.",
                "Run pip install shapely, or leave the tolerance empty to compare pixels.",
            )
        if self.max_preds < 1:
            raise EvaluationError("No prediction would count.", "Let one or more count.")

    @property
    def thresholds(self) -> tuple[float, ...]:
        """All IoUs at which labels are matched: those of the curves, then that of the run."""
        return (*self.iou_threshs, self.iou)

    def config(self, predictions: str, ground_truth: str) -> fouec.COCOEvaluationConfig:
        """What FiftyOne keeps of a run."""
        metrics = self.custom_metrics
        return fouec.COCOEvaluationConfig(
            predictions,
            ground_truth,
            iou=self.iou,
            classwise=self.classwise,
            iscrowd=self.iscrowd,
            use_masks=self.use_masks,
            tolerance=self.tolerance,
            compute_mAP=True,
            iou_threshs=list(self.iou_threshs),
            max_preds=self.max_preds,
            error_level=self.error_level,
            custom_metrics=(metrics if isinstance(metrics, dict) else list(metrics)) or None,
        )


@dataclass(frozen=True)
class Comparison:
    """What is compared, and how.

    Args:
        predictions: the field of the predictions
        ground_truth: the field of the ground truth
        options: how labels are matched and scored
    """

    predictions: str
    ground_truth: str
    options: EvaluationOptions = EvaluationOptions()

    @property
    def fields(self) -> tuple[str, str]:
        """Both fields."""
        return self.predictions, self.ground_truth

    @property
    def config(self) -> fouec.COCOEvaluationConfig:
        """What FiftyOne keeps of a run."""
        return self.options.config(self.predictions, self.ground_truth)


def read_options(document: Mapping[str, Any]) -> EvaluationOptions:
    """The options that were kept with :func:`dataclasses.asdict`."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in document.items()
    }
    return EvaluationOptions(**values)
