"""The round: one trip of samples to CVAT and back.

>>> client = connect()
>>> wrong = dataset.match_tags("requires_annotation")
>>> plan = make_plan(wrong, Request("fix_1", (RoundField("ground_truth", schema),)))
>>> push(dataset, plan, client)
>>> rounds_status(dataset, client)
>>> pull(dataset, "fix_1", client)
"""

from .comparing.choice import EVERYTHING, FINISHED, Choice, change_reference
from .comparing.diff import Change, ChangeKind
from .dataset.attributes import PROVENANCE
from .dataset.facts import (
    FieldFacts,
    detection_fields,
    field_facts,
    label_fields,
    travelling_fields,
)
from .dataset.survey import version_of
from .dataset.tags import ANNOTATED, IN_ANNOTATION, REQUIRES_ANNOTATION
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
    TooLargeToKeep,
    TooLargeToUndo,
    UnknownRound,
    UnreadableMedia,
    UnsupportedField,
    UnsupportedMedia,
)
from .planning.elsewhere import samples_out
from .planning.plan import Plan, check_field, check_key, make_plan
from .progress import part_of
from .pulling.comparison import review_pull
from .pulling.issues import ISSUES_FIELD, OPEN_ISSUE_TAG, IssuesReport, pull_issues
from .pulling.merge import ConflictPolicy
from .pulling.pull import pull, report_owed
from .pulling.report import PullReport
from .pulling.review import Review, ReviewedFrame
from .pulling.undo import UndoReport, undo_pull
from .record.baseline import samples_of_round
from .record.connection import SECRETS, configured, connect
from .record.following import expect_following, note_followed, note_unfollowed, rounds_owed
from .record.lease import on_behalf_of
from .record.references import MediaReference
from .record.remarks import Remark, rounds_with_unsaid
from .record.request import Request, RoundField, Validation
from .record.round import Round, RoundState
from .record.rounds import list_rounds, load_round
from .sending.discard import discard_round
from .sending.projects import project_additions
from .sending.push import push, resume_push, sent_before
from .sending.remarks import RemarksReport, add_remarks, say_remarks
from .stock.left_runs import LeftRun, other_runs
from .watching.status import JobStatus, RoundStatus, TaskStatus, rounds_status, samples_of_job
from .watching.team import NOBODY, JobChange, change_jobs, send_to_review

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
    "LeftRun",
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
    "TooLargeToKeep",
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
    "expect_following",
    "field_facts",
    "label_fields",
    "list_rounds",
    "load_round",
    "make_plan",
    "note_followed",
    "note_unfollowed",
    "on_behalf_of",
    "other_runs",
    "part_of",
    "project_additions",
    "pull",
    "pull_issues",
    "push",
    "report_owed",
    "resume_push",
    "review_pull",
    "rounds_owed",
    "rounds_status",
    "rounds_with_unsaid",
    "samples_of_job",
    "samples_of_round",
    "samples_out",
    "say_remarks",
    "send_to_review",
    "sent_before",
    "travelling_fields",
    "undo_pull",
    "version_of",
]
