"""Multipart forms whose files go to disk as they arrive, however many and however large."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from . import errors

if TYPE_CHECKING:
    from pathlib import Path

    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request


@dataclass(frozen=True)
class UploadedFile:
    """One file of a form.

    Attributes:
        field: name of the form's field
        name: file name as the client sent it
        path: where its bytes lie
    """

    field: str
    name: str
    path: Path


@dataclass
class Form:
    """A form that has been read.

    Attributes:
        fields: texts in the order they came
        files: files in the order they came
    """

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[UploadedFile] = field(default_factory=list)

    def discard(self) -> None:
        """Removes files that nobody has taken."""
        for file in self.files:
            file.path.unlink(missing_ok=True)


async def read_form(request: Request, folder: Path) -> Form:
    """Reads a multipart form.

    Args:
        request: the request
        folder: where files are written, under names of no meaning

    Raises:
        ApiError: 400 for a body that is no form
    """
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise errors.detail(
            400, "Multipart form parse error - Invalid boundary in multipart: None"
        )
    folder.mkdir(parents=True, exist_ok=True)
    reader = _Reader(folder)
    parser = MultipartParser(boundary, reader.callbacks())
    try:
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        reader.form.discard()
        raise errors.detail(400, f"Multipart form parse error - {error}") from error
    finally:
        reader.close()
    return reader.form


class _Reader:
    """Collects what the parser calls out."""

    def __init__(self, folder: Path) -> None:
        self.form = Form()
        self._folder = folder
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._field = ""
        self._text = bytearray()
        self._file: IO[bytes] | None = None

    def callbacks(self) -> MultipartCallbacks:
        """The functions the parser wants."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._take_header_name,
            "on_header_value": self._take_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open,
            "on_part_data": self._take_data,
            "on_part_end": self._end,
        }

    def close(self) -> None:
        """Closes a file the client left unfinished."""
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _take_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._field = options.get(b"name", b"").decode(errors="replace")
        if b"filename" not in options:
            return
        path = self._folder / f"{uuid.uuid4().hex}.part"
        name = options[b"filename"].decode(errors="replace")
        self.form.files.append(UploadedFile(self._field, name, path))
        self._file = path.open("wb")

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(memoryview(data)[start:end])
        else:
            self._text += data[start:end]

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        else:
            self.form.fields.append((self._field, self._text.decode(errors="replace")))
