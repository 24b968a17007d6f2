"""Pages for people: look at the boxes of a job, correct a label, complete the job.

They act as the first administrator without a log-in, which a server on the own machine may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from . import annotation_store as store
from . import annotation_views, errors, frames, page_views
from .annotation_input import Annotations
from .auth import Identity
from .jobs import find_job, set_progress
from .label_specs import LabelSpecs
from .labels import labels_of, owner_of_task
from .tasks import find_task
from .web import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from .server import Server


class Page:
    """An ASGI application for one page.

    Args:
        server: the state shared by all addresses
        show: gives the page
        submit: takes a form and changes something; the page is shown again
    """

    def __init__(
        self,
        server: Server,
        show: Callable[[Call], Response],
        submit: Callable[[Call, dict[str, str]], None] | None = None,
    ) -> None:
        self._server = server
        self._show = show
        self._submit = submit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        response = await run_in_threadpool(self._answer, request, form)
        await response(scope, receive, send)

    def _answer(self, request: Request, form: dict[str, str]) -> Response:
        db = self._server.db
        admin = db.one("SELECT * FROM users WHERE is_superuser AND is_active ORDER BY id")
        if admin is None:
            return HTMLResponse(page_views.problem("There is no administrator."), 404)
        call = Call(self._server, request, Identity(admin))
        try:
            if request.method != "POST":
                return self._show(call)
            if self._submit is None or not _is_own_form(request):
                return HTMLResponse(page_views.problem("This form is not from this page."), 403)
            with db.transaction():
                self._submit(call, form)
            return RedirectResponse(request.url.path, 303)
        except errors.ApiError:
            return HTMLResponse(page_views.problem("There is no such page."), 404)


def _is_own_form(request: Request) -> bool:
    """Whether the form comes from a page of this server, not from another site."""
    origin = request.headers.get("origin")
    return origin is None or origin == str(request.base_url).rstrip("/")


def show_tasks(call: Call) -> Response:
    """The list of tasks."""
    rows = call.db.all("SELECT * FROM tasks ORDER BY id DESC")
    return HTMLResponse(page_views.task_list(rows))


def show_task(call: Call) -> Response:
    """The jobs of a task."""
    task = find_task(call.db, call.number("id"))
    jobs = call.db.all(
        "SELECT jobs.*, users.username AS assignee FROM jobs "
        "LEFT JOIN users ON users.id = assignee_id WHERE task_id = ? ORDER BY jobs.id",
        task["id"],
    )
    return HTMLResponse(page_views.task_page(task, jobs))


def show_job(call: Call) -> Response:
    """The images of a job with their boxes."""
    job, task = find_job(call, call.number("job_id"))
    owner = owner_of_task(task)
    found = store.load(call.db, job["id"], LabelSpecs(call.db, owner))
    rows = call.db.all(
        "SELECT * FROM frames WHERE task_id = ? AND number BETWEEN ? AND ? ORDER BY number",
        task["id"],
        job["start_frame"],
        job["stop_frame"],
    )
    assignee = call.db.value("SELECT username FROM users WHERE id = ?", job["assignee_id"])
    page = page_views.job_page(
        task,
        job,
        assignee=assignee,
        frames=rows,
        shapes=found.shapes,
        labels=labels_of(call.db, owner),
    )
    return HTMLResponse(page)


def change_job(call: Call, form: dict[str, str]) -> None:
    """Sets the state of a job, or changes or deletes one shape."""
    job, task = find_job(call, call.number("job_id"))
    if "state" in form:
        set_progress(call.db, job, task, state=form["state"])
        return
    specs = LabelSpecs(call.db, owner_of_task(task))
    shapes = store.load(call.db, job["id"], specs).shapes
    shape = next((s for s in shapes if str(s["id"]) == form.get("shape")), None)
    if shape is None:
        return
    change = annotation_views.remove
    if "label" in form:
        _relabel(shape, int(form["label"]))
        change = annotation_views.update
    sent = Annotations(shapes=[shape])
    specs.check(sent)
    change(call.db, task, job, sent)


def show_frame(call: Call) -> Response:
    """One image, as it was uploaded."""
    media = frames.finished_media(call, find_task(call.db, call.number("id"))["id"])
    return frames.original(call, media, call.number("number"))


def _relabel(shape: dict[str, Any], label_id: int) -> None:
    """The attributes go with the old label."""
    if shape["label_id"] != label_id:
        shape |= {"label_id": label_id, "attributes": []}
