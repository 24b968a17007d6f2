"""What reviewers remark in CVAT: its issues and their comments, as labels of a field of their own.

An issue is a box over the image in the App, and its sample is tagged as long as it is open. Issues
belong to CVAT: they are shown here and not sent back, and undoing a pull does not touch them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...labels import kind_named
from ..dataset import storage
from ..record.baseline import load_numbered
from ..record.connection import check_server
from ..record.places import Place
from ..sending.remarks import is_unanswered_remark
from ..stock.adoption import find_round

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...cvat import CvatClient, Issue
    from ..record.baseline import SentFrame

ISSUES_FIELD = "cvat_issues"
OPEN_ISSUE_TAG = "cvat_issue"
_KINDS = {ISSUES_FIELD: kind_named("detections")}
_OPEN, _RESOLVED = "open", "resolved"


@dataclass(frozen=True)
class IssuesReport:
    """What reviewers remarked on a round.

    Args:
        key: the round
        open: how many issues are open
        resolved: how many are resolved
        sample_ids: the samples that have an open issue
    """

    key: str
    open: int
    resolved: int
    sample_ids: tuple[str, ...]


def pull_issues(dataset: fo.Dataset, key: str, client: CvatClient) -> IssuesReport:
    """Brings the issues of a round and their comments to the samples that they are about.

    Two requests, and only samples whose issues changed are written.

    Args:
        dataset: the dataset
        key: the round
        client: the server that has it

    Raises:
        UnknownRound: if there is no such round
        CvatError: if the server cannot be asked
    """
    record = find_round(dataset, key)
    check_server(record, client)
    task_of = {job.id: job.task_id for job in client.jobs(task.id for task in record.tasks)}
    issues = [
        issue
        for issue in client.issues(task_of)
        if issue.job_id in task_of and not is_unanswered_remark(issue)
    ]
    places = {(task_of[issue.job_id], issue.frame) for issue in issues}
    frames = {(f.task_id, f.frame): f for f in load_numbered(record.id, places)}
    by_sample: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for issue in issues:
        frame = frames.get((task_of[issue.job_id], issue.frame))
        if frame is not None:  # an issue may name a frame that is not there
            by_sample[frame.sample_id].append(_label(issue, frame, key))
    _write(dataset, key, by_sample)
    found = [label for labels in by_sample.values() for label in labels]
    still_open = [
        sample_id
        for sample_id, labels in by_sample.items()
        if any(label["label"] == _OPEN for label in labels)
    ]
    return IssuesReport(
        key=key,
        open=sum(label["label"] == _OPEN for label in found),
        resolved=sum(label["label"] == _RESOLVED for label in found),
        sample_ids=tuple(still_open),
    )


def _label(issue: Issue, frame: SentFrame, key: str) -> dict[str, Any]:
    width, height = frame.size
    columns, rows = issue.position[0::2], issue.position[1::2]
    left, top = min(columns) / width, min(rows) / height
    return {
        "label": _RESOLVED if issue.resolved else _OPEN,
        "bounding_box": [left, top, max(columns) / width - left, max(rows) / height - top],
        "issue": issue.id,
        "cvat_job": issue.job_id,
        "cvat_round": key,
        "reviewer": issue.owner,
        "comments": [f"{comment.owner}: {comment.text}" for comment in issue.comments],
    }


def _write(
    dataset: fo.Dataset, key: str, by_sample: Mapping[str, Sequence[dict[str, Any]]]
) -> None:
    """Brings the field and the tag up to date where they are not."""
    had = _samples_with_issues(dataset, key)
    places = [Place(sample_id, ISSUES_FIELD) for sample_id in {*by_sample, *had}]
    present = storage.read_labels(dataset, places, _KINDS)
    changes: dict[Place, tuple[storage.Labels, storage.Labels]] = {}
    tag: list[str] = []
    untag: list[str] = []
    for place, labels in present.items():
        others = [label for label in labels or () if label.get("cvat_round") != key]
        known = {label["issue"]: label for label in labels or () if label not in others}
        found = by_sample.get(place.sample_id, ())
        wanted = [_updated(known.get(new["issue"]), new) for new in found]
        after = [*others, *wanted]
        if list(labels or ()) != after:
            changes[place] = (labels, after)
        is_open = any(label["label"] == _OPEN for label in after)
        (tag if is_open else untag).append(place.sample_id)
    storage.write_labels(dataset, changes, _KINDS)
    if tag:
        dataset.select(tag).match_tags(OPEN_ISSUE_TAG, bool=False).tag_samples(OPEN_ISSUE_TAG)
    if untag:
        dataset.select(untag).match_tags(OPEN_ISSUE_TAG).untag_samples(OPEN_ISSUE_TAG)


def _samples_with_issues(dataset: fo.Dataset, key: str) -> list[str]:
    if dataset.get_field(ISSUES_FIELD) is None:
        return []
    mine = dataset._sample_collection.find(  # noqa: SLF001 - FiftyOne would load the samples
        {f"{ISSUES_FIELD}.detections.cvat_round": key}, {"_id": 1}
    )
    return [str(document["_id"]) for document in mine]


def _updated(known: Mapping[str, Any] | None, new: dict[str, Any]) -> Mapping[str, Any]:
    """The label of an issue; it keeps its id, and its tags, from one pull to the next."""
    if known is None:
        fields = fo.Detection(label=new["label"], bounding_box=new["bounding_box"]).to_dict()
        known = {**fields, "_id": fields.get("_id") or storage.new_id()}
    updated = {**known, **new}
    return known if updated == known else updated
