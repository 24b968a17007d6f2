"""POST /api/tasks/{id}/data: one request, Upload-Start / -Multiple / -Finish, and TUS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from . import background, errors, rights, storages, tus, videos
from .files import base_name, incoming_folder, raw_folder
from .multipart import Form, read_form
from .reply import Reply
from .tasks import find_task, get_task, touch_task
from .upload_options import UploadOptions, options_of_form, options_of_json
from .web import parse_object

if TYPE_CHECKING:
    from .database import Database, Row
    from .web import Call

_OTHER_MEDIA = frozenset((".bin", ".pcd", ".pdf"))


async def post_data(call: Call) -> Reply:
    """Takes files, or the word that there are no more."""
    task = await run_in_threadpool(_open, call)
    headers = call.request.headers
    if "upload-start" in headers:
        return Reply(status=202)
    if "upload-length" in headers:
        return await run_in_threadpool(tus.create, call, task)
    kind = headers.get("content-type", "").split(";")[0].strip()
    if kind == "multipart/form-data":
        folder = incoming_folder(call.server.media, task["id"])
        form = await read_form(call.request, folder)
    elif kind == "application/json" or not kind:
        form = None
    else:
        raise errors.detail(415, f'Unsupported media type "{kind}" in request.')
    body = b"" if form is not None else await call.request.body()
    return await run_in_threadpool(_take, call, task, form, body)


def _open(call: Call) -> Row:
    """The task, ready for data."""
    db = call.db
    with db.transaction():
        task = find_task(db, call.number("id"))
        if not rights.is_task_staff(call, task):
            raise errors.denied()
        media = db.one("SELECT * FROM media WHERE task_id = ?", task["id"])
        if media is None:
            db.insert("media", task_id=task["id"])
            touch_task(db, task)
        else:
            _check_open(media)
    return task


def _check_open(media: Row) -> None:
    if media["state"] in {"processing", "finished"}:
        raise errors.rejected("Adding more data is not supported")
    if media["state"] == "failed":
        raise errors.crash()


def _take(call: Call, task: Row, form: Form | None, body: bytes) -> Reply:
    try:
        with call.db.transaction():
            if form is not None:
                _keep_files(call, task["id"], form)
            if "upload-multiple" in call.request.headers:
                return Reply()
            if form is not None:
                options = options_of_form(form)
            else:
                options = options_of_json(parse_object(body) if body else {})
            return _start(call, task, options)
    finally:
        if form is not None:
            form.discard()


def _keep_files(call: Call, task_id: int, form: Form) -> None:
    """Moves files to the media folder. Folders in names are dropped; a name twice is a crash."""
    folder = raw_folder(call.server.media, task_id)
    folder.mkdir(parents=True, exist_ok=True)
    for file in form.files:
        if not file.field.startswith("client_files["):
            continue
        name = base_name(file.name)
        if not name:
            continue
        register_file(call.db, task_id, name)
        file.path.rename(folder / name)


def register_file(db: Database, task_id: int, name: str) -> None:
    """Notes the name of an uploaded file.

    Raises:
        ApiError: 500 when the task has a file of that name, as on the real server
    """
    if db.one("SELECT 1 FROM uploaded_files WHERE task_id = ? AND name = ?", task_id, name):
        raise errors.crash()
    db.insert("uploaded_files", task_id=task_id, name=name)


def _start(call: Call, task: Row, options: UploadOptions) -> Reply:
    """Queues the reading of the files."""
    db = call.db
    media = db.one("SELECT * FROM media WHERE task_id = ?", task["id"])
    assert media is not None  # noqa: S101
    _check_open(media)
    if options.sorting_method == "predefined" and options.upload_file_order:
        _check_order(db, task["id"], options.upload_file_order)
    storages.check_server_files(call, options)
    _refuse_other_media(db, task["id"], options)
    db.update("media", media["id"], state="processing", options=json.dumps(options.as_dict()))
    return Reply({"rq_id": background.queue_import(call, task)}, 202)


def _refuse_other_media(db: Database, task_id: int, options: UploadOptions) -> None:
    for row in db.all("SELECT name FROM uploaded_files WHERE task_id = ?", task_id):
        if Path(row["name"]).suffix.lower() in _OTHER_MEDIA:
            raise errors.unsupported(f"{row['name']}: it takes images and videos only")
        if options.validation_params and videos.is_video(row["name"]):
            raise errors.unsupported("validation parameters for a video")


def _check_order(db: Database, task_id: int, order: list[str]) -> None:
    rows = db.all("SELECT name FROM uploaded_files WHERE task_id = ?", task_id)
    there = {row["name"] for row in rows}
    extra = sorted(there - set(order))
    absent = sorted(set(order) - there)
    if extra or absent:
        names = [f"{name} (extra)" for name in extra] + [f"{name} (missing)" for name in absent]
        raise errors.rejected(
            "Uploaded files do not match the 'upload_file_order' field contents. Please check "
            "the uploaded data and the list of uploaded files. "
            f"Mismatching files: {', '.join(names)}"
        )


def show_status(call: Call) -> Reply:
    """GET /api/tasks/{id}/status: the deprecated state, "Finished" while nothing happens."""
    task = get_task(call)
    row = call.db.one("SELECT * FROM background WHERE id = ?", background.request_id(task["id"]))
    state, message = "Finished", ""
    if row is not None and row["status"] != "finished":
        state, message = row["status"].capitalize(), _long_message(row["message"].strip())
    body = {"state": state, "message": message, "progress": 0.0}
    return Reply(body, headers={"deprecation": "true"})


def _long_message(message: str) -> str:
    """The old address shows the text of a refusal, and a stack trace for all else."""
    refusal = re.fullmatch(r".*ValidationError: \[ErrorDetail\(string=\"(.*)\", code=.*", message)
    if refusal or not message:
        return refusal[1] if refusal else ""
    return f"Traceback (most recent call last):\n  (left out)\n{message}"
