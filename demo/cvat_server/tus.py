"""Resumable uploads: create, PATCH, HEAD. No extensions, as the real server."""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from . import errors
from .files import incoming_folder, raw_folder
from .reply import Reply
from .tasks import get_task

if TYPE_CHECKING:
    from .database import Row
    from .web import Call

LARGEST_FILE = 25 * 2**30
HEADERS = {
    "Tus-Resumable": "1.0.0",
    "Tus-Version": "1.0.0",
    "Tus-Extension": "",
    "Tus-Max-Size": str(LARGEST_FILE),
    "Access-Control-Expose-Headers": (
        "Tus-Resumable,upload-length,upload-metadata,Location,Upload-Offset"
    ),
    "Cache-Control": "no-store",
}


def describe(_: Call) -> Response:
    """OPTIONS of the data of a task."""
    return Response(status_code=204, headers=HEADERS)


def create(call: Call, task: Row) -> Reply:
    """Begins the upload of one file.

    Raises:
        ApiError: 400 without a good name, 409 for a name that is there, 413 for too large a file
    """
    name = _file_name(call.request.headers.get("upload-metadata", ""))
    length = int(call.request.headers["upload-length"])
    if length > LARGEST_FILE:
        text = f"File size exceeds max limit of {LARGEST_FILE} bytes"
        raise errors.ApiError(413, text, headers=HEADERS)
    upload_id = f"{call.user['id']}_{uuid.uuid4()}"
    with call.db.transaction():
        taken = call.db.one(
            "SELECT 1 FROM uploaded_files WHERE task_id = ? AND name = ?", task["id"], name
        )
        if taken:
            raise errors.ApiError(409, "File with same name already exists", headers=HEADERS)
        call.db.insert("tus_uploads", id=upload_id, task_id=task["id"], name=name, length=length)
    folder = incoming_folder(call.server.media, task["id"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / upload_id).touch()
    location = f"{call.base}/api/tasks/{task['id']}/data/{upload_id}"
    headers = HEADERS | {"Location": location, "Upload-Filename": name}
    return Reply(status=201, headers=headers)


async def append(call: Call) -> Reply:
    """PATCH of one upload: the next bytes."""
    upload = await run_in_threadpool(_get, call)
    kind = call.request.headers.get("content-type", "")
    if kind != "application/offset+octet-stream":
        raise errors.detail(415, f'Unsupported media type "{kind}" in request.')
    path = incoming_folder(call.server.media, upload["task_id"]) / upload["id"]
    offset = path.stat().st_size
    if call.request.headers.get("upload-offset") != str(offset):
        return Reply(status=409, headers=HEADERS)
    with path.open("ab") as file:
        async for chunk in call.request.stream():
            offset += len(chunk)
            if offset > upload["length"]:
                return Reply(status=413, headers=HEADERS)
            file.write(chunk)
    if offset == upload["length"]:
        await run_in_threadpool(_finish, call, upload)
    return Reply(status=204, headers=HEADERS | {"Upload-Offset": str(offset)})


def tell(call: Call) -> Reply:
    """HEAD of one upload: how much is there; 404 once it is complete."""
    upload = _get(call)
    if upload["done"]:
        return Reply(status=404, headers=HEADERS)
    path = incoming_folder(call.server.media, upload["task_id"]) / upload["id"]
    sizes = {
        "Upload-Offset": str(path.stat().st_size),
        "Upload-Length": str(upload["length"]),
    }
    return Reply(headers=HEADERS | sizes)


def _get(call: Call) -> Row:
    task = get_task(call)
    upload = call.db.one(
        "SELECT * FROM tus_uploads WHERE id = ? AND task_id = ?",
        call.request.path_params["upload"],
        task["id"],
    )
    if upload is None or (upload["done"] and call.request.method != "HEAD"):
        raise errors.page_not_found()
    return upload


def _finish(call: Call, upload: Row) -> None:
    incoming = incoming_folder(call.server.media, upload["task_id"]) / upload["id"]
    folder = raw_folder(call.server.media, upload["task_id"])
    folder.mkdir(parents=True, exist_ok=True)
    with call.db.transaction():
        call.db.run("UPDATE tus_uploads SET done = 1 WHERE id = ?", upload["id"])
        call.db.insert("uploaded_files", task_id=upload["task_id"], name=upload["name"])
    # A name with a folder fails here with HTTP 500, as on the real server.
    incoming.rename(folder / upload["name"])


def _file_name(metadata: str) -> str:
    pairs = dict([*item.strip().split(" "), ""][:2] for item in metadata.split(",") if item)
    try:
        name = base64.b64decode(pairs.get("filename", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        name = ""
    if not name:
        text = "Metadata is expected to contain 'filename' key"
        raise errors.ApiError(400, text, headers=HEADERS)
    if ".." in name.split("/") or name.startswith("/"):
        text = f'"File name {name} is not allowed"'
        raise errors.ApiError(400, text, content_type="text/plain")
    return name
