"""Relabel: closes the loop between FiftyOne and CVAT."""

from .operators.apply_model import ApplyModel
from .operators.cancel_run import CancelRun
from .operators.compute_similarity import ComputeSimilarity
from .operators.compute_uniqueness import ComputeUniqueness
from .operators.compute_visualization import ComputeVisualization
from .operators.delete_label_errors import DeleteLabelErrors
from .operators.discard_round import DiscardRound
from .operators.discard_selection import DiscardSelection
from .operators.evaluate_detections import EvaluateDetections
from .operators.export_ledger import ExportLedger
from .operators.find_duplicates import FindDuplicates
from .operators.find_false_positives import FindFalsePositives
from .operators.find_label_errors import FindLabelErrors
from .operators.pull_annotations import PullAnnotations
from .operators.resume_round import ResumeRound
from .operators.review_changes import ReviewChanges
from .operators.select_for_active_learning import SelectForActiveLearning
from .operators.select_unique import SelectUnique
from .operators.send_to_cvat import SendToCvat
from .operators.send_to_review import SendToReview
from .operators.show_suspects import ShowSuspects
from .operators.tag_for_annotation import TagForAnnotation
from .operators.undo_pull import UndoPull
from .operators.update_jobs import UpdateJobs
from .panels.cvat_status import CvatStatusPanel
from .panels.improvement import ImprovementPanel
from .panels.operations import OperationsPanel


def register(plugin):
    """Registers every operator and panel that ``fiftyone.yml`` lists."""
    plugin.register(CvatStatusPanel)
    plugin.register(ImprovementPanel)
    plugin.register(OperationsPanel)
    plugin.register(SendToCvat)
    plugin.register(ResumeRound)
    plugin.register(DiscardRound)
    plugin.register(UpdateJobs)
    plugin.register(SendToReview)
    plugin.register(ReviewChanges)
    plugin.register(PullAnnotations)
    plugin.register(UndoPull)
    plugin.register(ApplyModel)
    plugin.register(ComputeSimilarity)
    plugin.register(ComputeUniqueness)
    plugin.register(ComputeVisualization)
    plugin.register(EvaluateDetections)
    plugin.register(FindFalsePositives)
    plugin.register(FindLabelErrors)
    plugin.register(DeleteLabelErrors)
    plugin.register(ExportLedger)
    plugin.register(SelectForActiveLearning)
    plugin.register(ShowSuspects)
    plugin.register(SelectUnique)
    plugin.register(FindDuplicates)
    plugin.register(DiscardSelection)
    plugin.register(CancelRun)
    plugin.register(TagForAnnotation)
