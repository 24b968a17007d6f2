"""The round: one trip of samples to CVAT and back.

>>> client = connect()
>>> wrong = dataset.match_tags("requires_annotation")
>>> plan = make_plan(wrong, Request("fix_1", (RoundField("ground_truth", schema),)))
>>> push(dataset, plan, client)
>>> rounds_status(dataset, client)
>>> pull(dataset, "fix_1", client)
"""

from .choice import EVERYTHING, FINISHED, Choice, change_reference
from .connection import SECRETS, configured, connect
from .diff import Change, ChangeKind
from .discard import discard_round
from .elsewhere import samples_out
from .errors import (
    EmptySelection,
    FieldGone,
    InvalidDivision,
    InvalidJobChange,
    InvalidRoundName,
    NothingToUndo,
    ProjectLacksClasses,
    RoundBusy,
    RoundError,
    RoundNameTaken,
    TooLargeToUndo,
    UnknownRound,
    UnreadableMedia,
    UnsupportedField,
    UnsupportedMedia,
)
from .facts import FieldFacts, detection_fields, field_facts, label_fields, travelling_fields
from .issues import ISSUES_FIELD, OPEN_ISSUE_TAG, IssuesReport, pull_issues
from .merge import ConflictPolicy
from .plan import Plan, check_field, check_key, make_plan
from .projects import project_additions
from .provenance import PROVENANCE
from .pull import PullReport, pull
from .push import push, resume_push
from .references import MediaReference
from .remarks import Remark, RemarksReport, add_remarks
from .request import Request, RoundField, Validation
from .review import Review, ReviewedFrame, review_pull
from .rounds import Round, RoundState, list_rounds, load_round
from .status import JobStatus, RoundStatus, TaskStatus, rounds_status, samples_of_job
from .tags import ANNOTATED, IN_ANNOTATION, REQUIRES_ANNOTATION
from .team import NOBODY, JobChange, change_jobs, send_to_review
from .undo import UndoReport, undo_pull

__all__ = [
    "ANNOTATED",
    "EVERYTHING",
    "FINISHED",
    "IN_ANNOTATION",
    "ISSUES_FIELD",
    "NOBODY",
    "OPEN_ISSUE_TAG",
    "PROVENANCE",
    "REQUIRES_ANNOTATION",
    "SECRETS",
    "Change",
    "ChangeKind",
    "Choice",
    "ConflictPolicy",
    "EmptySelection",
    "FieldFacts",
    "FieldGone",
    "InvalidDivision",
    "InvalidJobChange",
    "InvalidRoundName",
    "IssuesReport",
    "JobChange",
    "JobStatus",
    "MediaReference",
    "NothingToUndo",
    "Plan",
    "ProjectLacksClasses",
    "PullReport",
    "Remark",
    "RemarksReport",
    "Request",
    "Review",
    "ReviewedFrame",
    "Round",
    "RoundBusy",
    "RoundError",
    "RoundField",
    "RoundNameTaken",
    "RoundState",
    "RoundStatus",
    "TaskStatus",
    "TooLargeToUndo",
    "UndoReport",
    "UnknownRound",
    "UnreadableMedia",
    "UnsupportedField",
    "UnsupportedMedia",
    "Validation",
    "add_remarks",
    "change_jobs",
    "change_reference",
    "check_field",
    "check_key",
    "configured",
    "connect",
    "detection_fields",
    "discard_round",
    "field_facts",
    "label_fields",
    "list_rounds",
    "load_round",
    "make_plan",
    "project_additions",
    "pull",
    "pull_issues",
    "push",
    "resume_push",
    "review_pull",
    "rounds_status",
    "samples_of_job",
    "samples_out",
    "send_to_review",
    "travelling_fields",
    "undo_pull",
]
