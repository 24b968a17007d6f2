"""/api/consensus: merges the replicas of jobs into their parents."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from . import annotation_store as store
from . import annotation_views, background, errors, rights
from .annotation_input import Annotations
from .database import timestamp
from .jobs import find_job
from .label_specs import LabelSpecs
from .labels import owner_of_task
from .reply import Reply
from .tasks import find_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .annotation_input import Item
    from .database import Database, Row
    from .web import Call

_IOU = 0.4
_REMEMBERED = timedelta(minutes=5)


@dataclass
class _Cluster:
    """What several replicas drew of one object, at most one shape of each."""

    replicas: list[int]
    shapes: list[Item]


def create_merge(call: Call) -> Reply:
    """POST /api/consensus/merges, of a job or of all jobs of a task."""
    data = call.json()
    job_id = data.get("job_id")
    if job_id is not None:
        job, task = find_job(call, job_id)
        parents, target = [job], f"target=job&target_id={job_id}"
    else:
        task = find_task(call.db, data.get("task_id") or 0)
        parents = _parents(call.db, task)
        target = f"target=task&target_id={task['id']}"
    if not rights.is_task_staff(call, task):
        raise errors.denied()
    ready = [job for job in parents if job["stage"] == "annotation" and _begun(call.db, job)]
    if not ready:
        raise errors.rejected(
            "No annotation jobs in the annotation stage or no consensus_replica jobs not in the "
            "annotation - new state found"
        )
    for job in ready:
        _merge(call.db, task, job)
    rq_id = f"action=merge&{target}"
    background.save_finished(call, rq_id, task, _REMEMBERED)
    return Reply({"rq_id": rq_id}, 202)


def _parents(db: Database, task: Row) -> list[Row]:
    return db.all("SELECT * FROM jobs WHERE task_id = ? AND type = 'annotation'", task["id"])


def _replicas(db: Database, parent: Row) -> list[Row]:
    return db.all("SELECT * FROM jobs WHERE parent_job_id = ? ORDER BY id", parent["id"])


def _begun(db: Database, parent: Row) -> list[Row]:
    return [
        job
        for job in _replicas(db, parent)
        if (job["stage"], job["state"]) != ("annotation", "new")
    ]


def _merge(db: Database, task: Row, parent: Row) -> None:
    """Replaces what the parent holds by what most of its replicas agree on."""
    replicas = _begun(db, parent)
    specs = LabelSpecs(db, owner_of_task(task))
    drawn = [store.load(db, job["id"], specs).shapes for job in replicas]
    shapes = [
        _agreed(cluster.shapes)
        for cluster in _clusters(drawn)
        if 2 * len(cluster.shapes) >= len(replicas)
    ]
    store.clear(db, parent["id"])
    annotation_views.create(db, task, parent, Annotations([], shapes, []))
    db.update("jobs", parent["id"], state="completed", updated_date=timestamp())


def _clusters(drawn: Sequence[Sequence[Item]]) -> list[_Cluster]:
    found: list[_Cluster] = []
    for replica, shapes in enumerate(drawn):
        for shape in shapes:
            fitting = [
                cluster
                for cluster in found
                if replica not in cluster.replicas and _overlap(cluster.shapes[0], shape) >= _IOU
            ]
            if fitting:
                best = max(fitting, key=lambda cluster: _overlap(cluster.shapes[0], shape))
                best.replicas.append(replica)
                best.shapes.append(shape)
            else:
                found.append(_Cluster([replica], [shape]))
    return found


def _agreed(shapes: Sequence[Item]) -> Item:
    """The shape of the last replica, with the values that most replicas gave."""
    votes: dict[int, Counter[str]] = {}
    for shape in shapes:
        for item in shape["attributes"]:
            votes.setdefault(item["spec_id"], Counter()).update([item["value"]])
    values = [
        {"spec_id": spec, "value": vote.most_common(1)[0][0]} for spec, vote in votes.items()
    ]
    return {**shapes[-1], "id": None, "source": "consensus", "attributes": values, "elements": []}


def _overlap(one: Item, other: Item) -> float:
    """Intersection over union of the boxes round two shapes; 0 for other classes or frames."""
    keys = ("frame", "label_id", "type")
    if any(one[key] != other[key] for key in keys):
        return 0.0
    boxes = [_box(shape["points"]) for shape in (one, other)]
    (left, top, right, bottom), (left2, top2, right2, bottom2) = boxes
    width = min(right, right2) - max(left, left2)
    height = min(bottom, bottom2) - max(top, top2)
    if width <= 0 or height <= 0:
        return float(boxes[0] == boxes[1])
    shared = width * height
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in boxes]
    return float(shared / (sum(areas) - shared))


def _box(points: Sequence[float]) -> tuple[float, float, float, float]:
    xs, ys = points[0::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)
