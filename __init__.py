"""Relabel: closes the loop between FiftyOne and CVAT."""

from .operators.annotation.discard_round import DiscardRound
from .operators.annotation.pull_annotations import PullAnnotations
from .operators.annotation.resume_round import ResumeRound
from .operators.annotation.review_changes import ReviewChanges
from .operators.annotation.send_to_cvat import SendToCvat
from .operators.annotation.send_to_review import SendToReview
from .operators.annotation.show_suspects import ShowSuspects
from .operators.annotation.tag_for_annotation import TagForAnnotation
from .operators.annotation.undo_pull import UndoPull
from .operators.annotation.update_jobs import UpdateJobs
from .operators.curation.compute_similarity import ComputeSimilarity
from .operators.curation.compute_uniqueness import ComputeUniqueness
from .operators.curation.compute_visualization import ComputeVisualization
from .operators.curation.discard_selection import DiscardSelection
from .operators.curation.find_duplicates import FindDuplicates
from .operators.curation.select_for_active_learning import SelectForActiveLearning
from .operators.curation.select_unique import SelectUnique
from .operators.evaluation.apply_model import ApplyModel
from .operators.evaluation.delete_label_errors import DeleteLabelErrors
from .operators.evaluation.evaluate_detections import EvaluateDetections
from .operators.evaluation.export_ledger import ExportLedger
from .operators.evaluation.find_false_positives import FindFalsePositives
from .operators.evaluation.find_label_errors import FindLabelErrors
from .operators.running.cancel_run import CancelRun
from .operators.running.show_result import ShowResult
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
    plugin.register(ShowResult)
    plugin.register(TagForAnnotation)
