"""Who changed a label, in which job and round, and when: as attributes of the label."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import fiftyone as fo

from ..dataset.attributes import PROVENANCE

if TYPE_CHECKING:
    from ...cvat import Job
    from .merge import MergedFrame

JOB, ASSIGNEE, ROUND, AT = PROVENANCE
_FIELDS = {JOB: fo.IntField, ASSIGNEE: fo.StringField, ROUND: fo.StringField, AT: fo.DateTimeField}


def stamped(frame: MergedFrame, job: Job, key: str) -> MergedFrame:
    """Writes onto the labels that a merge changed where the change comes from.

    Args:
        frame: the outcome of a merge; labels that it did not change are the same objects as before
        job: the job that the image is in
        key: the round
    """
    untouched = {id(document) for document in frame.before or ()}
    stamp = {JOB: job.id, ASSIGNEE: job.assignee, ROUND: key, AT: job.updated_at}
    return replace(
        frame,
        after=[
            document if id(document) in untouched else {**document, **stamp}
            for document in frame.after
        ],
    )


def declare_provenance(dataset: fo.Dataset, labels: str) -> None:
    """Makes the attributes known to the App, which filters by them.

    Args:
        dataset: the dataset
        labels: the path of the labels, such as ``ground_truth.detections``
    """
    for name, field in _FIELDS.items():
        if dataset.get_field(f"{labels}.{name}") is None:
            dataset.add_sample_field(f"{labels}.{name}", field)
