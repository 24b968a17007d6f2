"""What a client says about its data when the upload ends."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from . import errors, validation
from .fields import choice_problem, integer_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .multipart import Form

SORTING_METHODS = ("lexicographical", "natural", "predefined", "random")
_LISTS = ("upload_file_order", "server_files", "remote_files", "client_files", "frames")
_VALIDATION = "validation_params."
_INDEXED = re.compile(r"(?P<name>\w+)\[(?P<first>\d+)\](\[(?P<second>\d+)\])?")
_UNSUPPORTED = {
    "remote_files": "remote files",
    "copy_data": "copies of the files of a share",
    "server_files_exclude": "files of a server that are left out",
    "filename_pattern": "patterns of file names",
}


@dataclass(frozen=True)
class UploadOptions:
    """Options of the data of a task.

    Attributes:
        image_quality: quality of compressed frames, 1 to 100; None when it was left out
        sorting_method: how the files are ordered
        upload_file_order: names in the wanted order, for ``predefined``
        job_file_mapping: names of the files of each job
        server_files: files of the share that the server mounts, or of a cloud storage
        cloud_storage_id: the cloud storage; None for the share
        chunk_size: frames in a chunk; None to choose by the size of the images
        start_frame: number of the first file to take
        stop_frame: number of the last file to take; None for the last there is
        frame_filter: ``step=n`` or nothing
        validation_params: how the yardstick is chosen; empty for none
        use_zip_chunks: whether the frames of a video travel to the editor as images
    """

    image_quality: int | None = None
    sorting_method: str = "lexicographical"
    upload_file_order: list[str] = field(default_factory=list)
    job_file_mapping: list[list[str]] = field(default_factory=list)
    server_files: list[str] = field(default_factory=list)
    cloud_storage_id: int | None = None
    chunk_size: int | None = None
    start_frame: int = 0
    stop_frame: int | None = None
    frame_filter: str = ""
    validation_params: dict[str, Any] = field(default_factory=dict)
    use_zip_chunks: bool = False

    @property
    def end(self) -> int | None:
        """The number after that of the last file to take; None for all there are."""
        return None if self.stop_frame is None else self.stop_frame + 1

    @property
    def storage(self) -> str:
        """Where the files lie, as ``data/meta`` names it."""
        if self.cloud_storage_id is not None:
            return "cloud_storage"
        return "share" if self.server_files else "local"

    @property
    def step(self) -> int:
        """Every how many files one is taken."""
        match = re.fullmatch(r"step\s*=\s*([1-9]\d*)", self.frame_filter)
        return int(match[1]) if match else 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the database."""
        return asdict(self)


def options_of_form(form: Form) -> UploadOptions:
    """Options from multipart fields.

    Lists come as ``name[0]``, ``name[1]``, objects as ``name.key``.

    Raises:
        ApiError: 400, or 501 for what the stand-in does not do
    """
    inner = [(name, value) for name, value in form.fields if name.startswith(_VALIDATION)]
    outer = [field for field in form.fields if field not in inner]
    data = _nested(outer)
    if inner:
        data["validation_params"] = _nested(
            [(name.removeprefix(_VALIDATION), value) for name, value in inner]
        )
    return options_of_json(data)


def _nested(fields: Iterable[tuple[str, str]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    mapping: dict[int, dict[int, str]] = {}
    for name, value in fields:
        match = _INDEXED.fullmatch(name)
        if match is None:
            data[name.split(".")[0]] = value
        elif match["second"] is not None:
            mapping.setdefault(int(match["first"]), {})[int(match["second"])] = value
        else:
            data.setdefault(match["name"], {})[int(match["first"])] = value
    for name in _LISTS:
        if isinstance(data.get(name), dict):
            data[name] = [data[name][index] for index in sorted(data[name])]
    if mapping:
        data["job_file_mapping"] = [
            [files[index] for index in sorted(files)] for _, files in sorted(mapping.items())
        ]
    return data


def options_of_json(data: dict[str, Any]) -> UploadOptions:
    """Options from a JSON object.

    Raises:
        ApiError: 400, or 501 for what the stand-in does not do
    """
    for key, what in _UNSUPPORTED.items():
        if data.get(key) not in (None, "", [], {}, "false", "False", False):
            raise errors.unsupported(what)
    problems = _problems(data)
    if problems:
        raise errors.invalid(problems)
    return UploadOptions(
        image_quality=_number(data, "image_quality"),
        sorting_method=data.get("sorting_method") or "lexicographical",
        upload_file_order=_names(data, "upload_file_order"),
        job_file_mapping=list(data.get("job_file_mapping") or []),
        server_files=_names(data, "server_files"),
        cloud_storage_id=_number(data, "cloud_storage_id"),
        chunk_size=_number(data, "chunk_size"),
        start_frame=_number(data, "start_frame") or 0,
        stop_frame=_number(data, "stop_frame"),
        frame_filter=str(data.get("frame_filter") or ""),
        validation_params=dict(data.get("validation_params") or {}),
        use_zip_chunks=str(data.get("use_zip_chunks") or "").lower() in {"true", "1"},
    )


def _problems(data: dict[str, Any]) -> dict[str, Any]:
    problems: dict[str, Any] = {}
    ranges = (("image_quality", 1, 100), ("chunk_size", 0, None), ("start_frame", 0, None),
              ("stop_frame", 0, None), ("cloud_storage_id", None, None))  # fmt: skip
    for name, lowest, highest in ranges:
        if data.get(name) in (None, ""):
            continue
        problem = integer_problem(data[name], lowest, highest)
        if problem:
            problems[name] = [problem]
    if data.get("sorting_method"):
        problem = choice_problem(data["sorting_method"], SORTING_METHODS)
        if problem:
            problems["sorting_method"] = [problem]
    if data.get("validation_params"):
        modes = (validation.GROUND_TRUTH, validation.POOL)
        found = validation.params_problems(data["validation_params"], modes)
        if found:
            problems["validation_params"] = found
    return problems


def _number(data: dict[str, Any], name: str) -> int | None:
    value = data.get(name)
    return None if value in (None, "") else int(value)


def _names(data: dict[str, Any], name: str) -> list[str]:
    value = data.get(name)
    return [str(item) for item in value] if isinstance(value, list) else []
