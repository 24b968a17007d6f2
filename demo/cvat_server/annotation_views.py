"""/api/tasks/{id}/annotations and /api/jobs/{id}/annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import annotation_store as store
from . import errors, tracks
from .annotation_input import Annotations, Item, check_late, read_annotations
from .database import timestamp
from .jobs import get_job
from .label_specs import LabelSpecs
from .labels import owner_of_task
from .reply import Reply
from .tasks import get_task, touch_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from .database import Database, Row
    from .web import Call


def show_job(call: Call) -> Reply:
    """GET of a job."""
    _refuse_format(call)
    job, task = get_job(call)
    specs = LabelSpecs(call.db, owner_of_task(task))
    return Reply(store.load(call.db, job["id"], specs).as_json())


def show_task(call: Call) -> Reply:
    """GET of a task: its annotation jobs joined, without ground truth."""
    _refuse_format(call)
    task = get_task(call)
    jobs = _annotation_jobs(call.db, task)
    if not jobs:
        raise errors.plain(400, "Exporting annotations from a task without data is not allowed")
    specs = LabelSpecs(call.db, owner_of_task(task))
    parts = [store.load(call.db, job["id"], specs) for job in jobs]
    return Reply(_joined(task, jobs, parts).as_json())


def put_job(call: Call) -> Reply:
    """PUT of a job: everything goes, everything is new."""
    job, task = get_job(call)
    sent = read_annotations(call.json(), with_ids=False)
    return Reply(_replace(call, task, [job], [sent])[0].as_json())


def put_task(call: Call) -> Reply:
    """PUT of a task."""
    task = get_task(call)
    jobs = _jobs_with_data(call, task)
    sent = read_annotations(call.json(), with_ids=False)
    parts = _replace(call, task, jobs, [_slice(sent, job) for job in jobs])
    return Reply(_joined(task, jobs, parts).as_json())


def patch_job(call: Call) -> Reply:
    """PATCH of a job with ``action=create``, ``update`` or ``delete``."""
    job, task = get_job(call)
    change = _asked_change(call)
    sent = read_annotations(call.json(), with_ids=change is not create)
    with call.db.transaction():
        _check(call, task, sent)
        return Reply(change(call.db, task, job, sent).as_json())


def patch_task(call: Call) -> Reply:
    """PATCH of a task: each job gets what lies on its frames."""
    task = get_task(call)
    change = _asked_change(call)
    jobs = _jobs_with_data(call, task)
    sent = read_annotations(call.json(), with_ids=change is not create)
    with call.db.transaction():
        _check(call, task, sent)
        parts = [change(call.db, task, job, _slice(sent, job)) for job in jobs]
        return Reply(_joined(task, jobs, parts).as_json())


def delete_job(call: Call) -> Reply:
    """DELETE of the annotations of a job."""
    job, task = get_job(call)
    _replace(call, task, [job], [Annotations()])
    return Reply(status=204)


def delete_task(call: Call) -> Reply:
    """DELETE of the annotations of a task."""
    task = get_task(call)
    jobs = _jobs_with_data(call, task)
    _replace(call, task, jobs, [Annotations() for _ in jobs])
    return Reply(status=204)


def post(call: Call) -> Reply:
    """POST: the import of a file, which is not supported."""
    name = call.query.get("format", "")
    if not name:
        raise errors.rejected("Unknown input format ''")
    raise errors.unsupported("importing annotations from a file")


def _check(call: Call, task: Row, sent: Annotations) -> None:
    check_late(sent)
    LabelSpecs(call.db, owner_of_task(task)).check(sent)


def _refuse_format(call: Call) -> None:
    if "format" in call.query:
        raise errors.plain(
            410,
            "This endpoint is no longer supported.\n"
            "To initiate the export process, use POST /api/tasks/id/dataset/export.",
        )


def _asked_change(
    call: Call,
) -> Callable[[Database, Row, Row, Annotations], Annotations]:
    change = {"create": create, "update": update, "delete": remove}.get(
        call.query.get("action", "")
    )
    if change is None:
        raise errors.rejected("Please specify a correct 'action' for the request")
    return change


def _replace(
    call: Call, task: Row, jobs: list[Row], parts: list[Annotations]
) -> list[Annotations]:
    """Deletes, then creates, as two steps.

    As on the real server, what is refused in the second step has cleared the jobs, and two
    clients who replace at the same moment may both find their annotations stored.
    """
    db = call.db
    with db.transaction():
        removed = [store.clear(db, job["id"]) for job in jobs]
    with db.transaction():
        for part in parts:
            _check(call, task, part)
        results = [
            store.create(db, job["id"], part) for job, part in zip(jobs, parts, strict=True)
        ]
        for job, count, part in zip(jobs, removed, parts, strict=True):
            _touch(db, task, job, changed=bool(count) or bool(part))
    return results


def create(db: Database, task: Row, job: Row, sent: Annotations) -> Annotations:
    """Adds to a job."""
    result = store.create(db, job["id"], sent)
    _touch(db, task, job, changed=bool(sent))
    return result


def update(db: Database, task: Row, job: Row, sent: Annotations) -> Annotations:
    """Replaces what has the same id in the job; creates the rest, with the id that was sent."""
    store.delete(db, job["id"], sent)
    return create(db, task, job, sent)


def remove(db: Database, task: Row, job: Row, sent: Annotations) -> Annotations:
    """Deletes by id; what is gone already is no error."""
    removed = store.delete(db, job["id"], sent)
    _touch(db, task, job, changed=bool(removed))
    return sent


def _touch(db: Database, task: Row, job: Row, *, changed: bool) -> None:
    """A save of nothing moves no date."""
    if changed:
        now = timestamp()
        db.update("jobs", job["id"], updated_date=now)
        touch_task(db, task, now)


def _annotation_jobs(db: Database, task: Row) -> list[Row]:
    return db.all(
        "SELECT * FROM jobs WHERE task_id = ? AND type = 'annotation' ORDER BY start_frame, id",
        task["id"],
    )


def _jobs_with_data(call: Call, task: Row) -> list[Row]:
    jobs = _annotation_jobs(call.db, task)
    if not jobs:
        raise errors.crash()
    return jobs


def _slice(sent: Annotations, job: Row) -> Annotations:
    """What lies on the frames of a job; frames after the last are dropped without a word."""
    start, stop = job["start_frame"], job["stop_frame"]

    def inside(items: list[Item]) -> list[Item]:
        return [_copied(item) for item in items if start <= item["frame"] <= stop]

    parts = [tracks.cut(track, start, stop) for track in sent.tracks]
    return Annotations(
        inside(sent.tags), inside(sent.shapes), [part for part in parts if part is not None]
    )


def _copied(item: Item) -> Item:
    """A copy that can get its own id, as a shape in an overlap is stored once for each job."""
    if "elements" not in item:
        return dict(item)
    return {**item, "elements": [dict(element) for element in item["elements"]]}


def _joined(task: Row, jobs: list[Row], parts: list[Annotations]) -> Annotations:
    """The jobs as one; equal items in the overlap are shown once."""
    overlap = task["overlap"] or 0
    result = parts[0]
    for job, part in zip(jobs[1:], parts[1:], strict=True):
        start = job["start_frame"]
        shared = range(start, start + overlap)
        result = Annotations(
            result.tags + _new_ones(result.tags, part.tags, shared),
            result.shapes + _new_ones(result.shapes, part.shapes, shared),
            tracks.join(result.tracks, part.tracks, start, overlap),
        )
    return result


def _new_ones(known: list[Item], items: list[Item], shared: range) -> list[Item]:
    if not shared:
        return items
    seen = {_identity(item) for item in known if item["frame"] in shared}
    return [item for item in items if item["frame"] not in shared or _identity(item) not in seen]


def _identity(item: Item) -> tuple[object, ...]:
    points = tuple(item.get("points", ()))
    inner = tuple(tuple(element.get("points", ())) for element in item.get("elements", ()))
    return item["frame"], item["label_id"], item.get("type"), points, inner
