"""/api/server/share and /api/cloudstorages: media that the server finds itself.

Both are folders in the data folder: ``share``, and ``buckets`` with one folder for each bucket.
What the recordings do not show follows the server's schema.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from . import errors, rights, users
from .database import timestamp
from .fields import choice_problem, text_problem
from .listing import Listing, paginate
from .reply import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .database import Database, Row
    from .settings import Settings
    from .upload_options import UploadOptions
    from .web import Call

_LISTING = Listing(
    sql="SELECT storages.*, display_name AS name, users.username AS owner "
    "FROM cloud_storages AS storages LEFT JOIN users ON users.id = owner_id",
    fields={"id": "id", "name": "text", "owner": "text", "resource": "text",
            "provider_type": "text", "credentials_type": "text", "description": "text"},
    simple=("name", "owner", "resource", "provider_type", "credentials_type"),
    search=("description", "name", "owner", "resource"),
)  # fmt: skip
_PROVIDERS = ("AWS_S3_BUCKET", "AZURE_CONTAINER", "GOOGLE_CLOUD_STORAGE")
_CREDENTIALS = ("KEY_SECRET_KEY_PAIR", "ACCOUNT_NAME_TOKEN_PAIR", "KEY_FILE_PATH",
                "ANONYMOUS_ACCESS", "CONNECTION_STRING")  # fmt: skip
_TEXTS = ("provider_type", "resource", "display_name", "credentials_type",
          "specific_attributes", "description")  # fmt: skip
_PAGE_SIZE = 500


def share_folder(settings: Settings) -> Path:
    """The share that the server mounts."""
    return settings.data / "share"


def bucket_folder(settings: Settings, resource: str) -> Path:
    """What is in a bucket."""
    return settings.data / "buckets" / resource


def list_share(call: Call) -> Reply:
    """GET /api/server/share: the files of one directory.

    Raises:
        ApiError: 400 for a directory that is not there
    """
    root = share_folder(call.server.settings)
    asked = call.query.get("directory", "/")
    folder = root / asked.lstrip("/")
    if not _is_inside(folder, root) or not (folder.is_dir() or folder == root):
        raise errors.rejected(f"{asked} is an invalid directory")
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    start = call.query.get("search", "")
    return Reply([_info(path) for path in found if path.name.startswith(start)])


def list_clouds(call: Call) -> Reply:
    """GET /api/cloudstorages."""
    return paginate(
        call,
        _LISTING,
        lambda row: rights.in_organization(call, row) and _may_use(call, row),
        lambda row: _render(call, row),
    )


def create_cloud(call: Call) -> Reply:
    """POST /api/cloudstorages.

    Raises:
        ApiError: 400 for a body with something missing, or for a bucket that is not there
    """
    data = call.json()
    problems = _problems(data)
    if problems:
        raise errors.invalid(problems)
    if data.get("manifests"):
        raise errors.unsupported("manifests")
    resource = str(data["resource"])
    buckets = bucket_folder(call.server.settings, "")
    folder = bucket_folder(call.server.settings, resource)
    if not _is_inside(folder, buckets) or not folder.is_dir():
        raise errors.rejected(f"The resource {resource} not found. It may have been deleted.")
    named = call.organization
    now = timestamp()
    row_id = call.db.insert(
        "cloud_storages",
        owner_id=call.user["id"],
        organization_id=None if named is None or isinstance(named, str) else named["id"],
        created_date=now,
        updated_date=now,
        **{key: str(data.get(key, "")) for key in _TEXTS},
    )
    return Reply(_render(call, _find(call.db, row_id)), 201)


def show_cloud(call: Call) -> Reply:
    """GET /api/cloudstorages/{id}."""
    return Reply(_render(call, _get(call)))


def delete_cloud(call: Call) -> Reply:
    """DELETE /api/cloudstorages/{id}: what is in it stays."""
    call.db.run("DELETE FROM cloud_storages WHERE id = ?", _get(call)["id"])
    return Reply(status=204)


def list_content(call: Call) -> Reply:
    """GET /api/cloudstorages/{id}/content-v2: the files whose keys begin with a prefix."""
    if call.query.get("manifest_path"):
        raise errors.unsupported("manifests")
    root = bucket_folder(call.server.settings, _get(call)["resource"])
    prefix = call.query.get("prefix", "")
    keys = sorted(
        key
        for path in root.rglob("*")
        if path.is_file() and (key := path.relative_to(root).as_posix()).startswith(prefix)
    )
    first, size = int(call.query.get("next_token") or 0), _page_size(call)
    files = [_info(root / key) for key in keys[first : first + size]]
    following = str(first + size) if first + size < len(keys) else None
    return Reply({"next": following, "content": files})


def link_files(
    settings: Settings, db: Database, options: UploadOptions, folder: Path
) -> Iterable[str]:
    """Makes the server's own files appear among those of a task, which keeps no copies.

    Yields:
        their names

    Raises:
        FileNotFoundError: for one that is not there
        ValueError: for a path that leaves the storage
    """
    root, shown = share_folder(settings), "/home/django/share"
    if options.cloud_storage_id is not None:
        resource = _find(db, options.cloud_storage_id)["resource"]
        root, shown = bucket_folder(settings, resource), resource
    for name in options.server_files:
        path = root / name.lstrip("/")
        if ".." in PurePosixPath(name).parts:
            raise ValueError(f"Bad file path: {name}")
        if not path.is_file():
            raise FileNotFoundError(2, "No such file or directory", f"{shown}/{name}")
        link = folder / name.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
        yield name.lstrip("/")


def check_server_files(call: Call, options: UploadOptions) -> None:
    """Refuses what the real server refuses at once, and folders, which it would take.

    Raises:
        ApiError: 400 for a storage that is not there, 501 for folders
    """
    if options.cloud_storage_id is not None:
        row = call.db.one("SELECT * FROM cloud_storages WHERE id = ?", options.cloud_storage_id)
        if row is None or not _may_use(call, row):
            raise errors.rejected("Cannot access cloud storage")
    if any(name.endswith("/") for name in options.server_files):
        raise errors.unsupported("folders among the files of a server")


def _problems(data: dict[str, Any]) -> dict[str, Any]:
    found = {"resource": text_problem(data, "resource", 222),
             "display_name": text_problem(data, "display_name", 63)}  # fmt: skip
    for name, choices in (("provider_type", _PROVIDERS), ("credentials_type", _CREDENTIALS)):
        found[name] = (
            choice_problem(data[name], choices) if name in data else "This field is required."
        )
    return {name: [problem] for name, problem in found.items() if problem}


def _page_size(call: Call) -> int:
    asked = call.query.get("page_size", "")
    return int(asked) if asked.isdecimal() and int(asked) else _PAGE_SIZE


def _info(path: Path) -> dict[str, str]:
    if path.is_dir():
        return {"name": path.name, "type": "DIR", "mime_type": "DIR"}
    return {"name": path.name, "type": "REG", "mime_type": "image"}


def _is_inside(path: Path, root: Path) -> bool:
    return path.resolve().is_relative_to(root.resolve())


def _find(db: Database, storage_id: int) -> Row:
    row = db.one("SELECT * FROM cloud_storages WHERE id = ?", storage_id)
    if row is None:
        raise errors.missing("CloudStorage")
    return row


def _get(call: Call) -> Row:
    row = _find(call.db, call.number("id"))
    if not _may_use(call, row):
        raise errors.denied()
    return row


def _may_use(call: Call, row: Row) -> bool:
    return bool(call.user["is_superuser"]) or row["owner_id"] == call.user["id"]


def _render(call: Call, row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "owner": users.brief(call, row["owner_id"]),
        "manifests": [],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "organization": row["organization_id"],
    } | {name: row[name] for name in _TEXTS}
