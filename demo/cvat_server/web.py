"""What every address has in common: log-in, methods, body, transaction, answer."""

from __future__ import annotations

import gzip
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from . import auth, errors, organizations
from .errors import ApiError
from .reply import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from .auth import Identity
    from .database import Database, Row
    from .server import Server

JSON_TYPE = "application/vnd.cvat+json"
_SMALLEST_GZIP = 200
_logger = logging.getLogger(__name__)


@dataclass
class Call:
    """One request, with its user and its organization.

    Attributes:
        server: database, media folder and background worker
        request: the request itself
        identity: who asks; None when nobody is logged in
        organization: None when no organization is named, "" for the personal workspace, else the
            organization
        body: the raw body, empty for addresses that stream it
    """

    server: Server
    request: Request
    identity: Identity | None
    organization: Row | str | None = None
    body: bytes = b""

    @property
    def db(self) -> Database:
        """The database of the server."""
        return self.server.db

    @property
    def user(self) -> Row:
        """The user who asks; only where a log-in is required."""
        assert self.identity is not None  # noqa: S101
        return self.identity.user

    @property
    def query(self) -> dict[str, str]:
        """The query; of a key given twice the last counts."""
        return dict(self.request.query_params.multi_items())

    @property
    def base(self) -> str:
        """Address of the server as the client wrote it."""
        return str(self.request.base_url).rstrip("/")

    def number(self, name: str) -> int:
        """A number that is part of the path."""
        value: int = self.request.path_params[name]
        return value

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        content_type = self.request.headers.get("content-type", "")
        if not self.body and not content_type:
            return {}
        kind = content_type.split(";")[0].strip()
        if kind not in {"application/json", JSON_TYPE}:
            raise errors.detail(415, f'Unsupported media type "{content_type}" in request.')
        return parse_object(self.body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Reads a JSON object strictly.

    Raises:
        ApiError: 400 for text that is no JSON, 500 for a list (as the real server does)
    """
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except ValueError as error:
        raise errors.detail(400, f"JSON parse error - {error}") from error
    if not isinstance(value, dict):
        raise errors.crash()
    return value


def _refuse_constant(text: str) -> float:
    raise ValueError(f"Out of range float values are not JSON compliant: '{text}'")


class Resource:
    """An ASGI application for one address.

    Args:
        server: the state shared by all addresses
        handlers: HTTP method to function; a plain function runs in a thread, inside a
            transaction
        streaming: HTTP method to coroutine that reads the body itself
        public: whether the address answers without a log-in
        exclusive: False when the functions open transactions themselves
    """

    def __init__(
        self,
        server: Server,
        handlers: Mapping[str, Callable[[Call], Reply | Response]],
        streaming: Mapping[str, Callable[[Call], Awaitable[Reply | Response]]] | None = None,
        *,
        public: bool = False,
        exclusive: bool = True,
    ) -> None:
        self._server = server
        self._handlers = handlers
        self._streaming = streaming or {}
        self._public = public
        self._exclusive = exclusive
        methods = {*handlers, *self._streaming, "OPTIONS"}
        if "GET" in methods:
            methods.add("HEAD")
        order = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
        self._allow = ", ".join(method for method in order if method in methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ApiError as error:
            response = encode_error(error)
        except Exception:
            _logger.exception("%s %s failed", request.method, request.url.path)
            response = encode_error(errors.crash())
        await _drain(request)
        response.headers["allow"] = self._allow
        response.headers["vary"] = "Accept, Origin, Cookie"
        response.headers["x-content-type-options"] = "nosniff"
        if "gzip" in request.headers.get("accept-encoding", ""):
            await run_in_threadpool(compress, response)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        call = await run_in_threadpool(self._identify, request)
        method = request.method
        if method in self._streaming:
            result = await self._streaming[method](call)
        else:
            handler = self._handlers.get("GET" if method == "HEAD" else method)
            if method == "OPTIONS" and handler is None:
                return encode(Reply({"name": "CVAT stand-in", "parses": ["application/json"]}))
            if handler is None:
                raise errors.detail(405, f'Method "{method}" not allowed.')
            call.body = await request.body()
            result = await run_in_threadpool(self._run, handler, call)
        if isinstance(result, Response):
            return result
        return await run_in_threadpool(encode, result)

    def _identify(self, request: Request) -> Call:
        db = self._server.db
        identity = auth.authenticate(db, request)
        call = Call(self._server, request, identity)
        if identity is None:
            if not self._public:
                raise errors.detail(
                    401,
                    "Authentication credentials were not provided.",
                    www_authenticate="Token",
                )
            seconds = self._server.throttle.wait(request.client.host if request.client else "")
            if seconds:
                unit = "second" if seconds == 1 else "seconds"
                raise errors.detail(
                    429,
                    f"Request was throttled. Expected available in {seconds} {unit}.",
                    retry_after=str(seconds),
                )
        else:
            if identity.read_only and request.method not in {"GET", "HEAD", "OPTIONS"}:
                raise errors.denied()
            call.organization = organizations.named_in(db, request, identity.user)
        _check_version(request)
        return call

    def _run(self, handler: Callable[[Call], Reply | Response], call: Call) -> Reply | Response:
        if not self._exclusive:
            return handler(call)
        with self._server.db.transaction():
            return handler(call)


async def _drain(request: Request) -> None:
    """Reads what is left of a body, so that a client who still sends it gets the answer."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):  # gone, or all is read
        return


def _check_version(request: Request) -> None:
    accept = request.headers.get("accept", "")
    if "version=" in accept and "version=2.0" not in accept.replace(" ", ""):
        raise errors.detail(406, 'Invalid version in "Accept" header.')


def encode(reply: Reply) -> Response:
    """The HTTP answer of a reply."""
    headers = dict(reply.headers)
    content = b""
    if reply.body is not None:
        text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        content = text.encode()
        headers.setdefault("content-type", JSON_TYPE)
    response = Response(content, status_code=reply.status, headers=headers)
    for cookie in reply.cookies:
        response.headers.append("set-cookie", cookie)
    return response


def encode_error(error: ApiError) -> Response:
    """The HTTP answer of a refusal."""
    if error.content_type is None:
        return encode(Reply(error.body, error.status, error.headers))
    headers = {"content-type": error.content_type} | error.headers
    return Response(str(error.body).encode(), status_code=error.status, headers=headers)


def compress(response: Response) -> None:
    """Compresses texts that are worth it."""
    content_type = response.headers.get("content-type", "")
    body = getattr(response, "body", b"")
    if len(body) < _SMALLEST_GZIP or not content_type.startswith((JSON_TYPE, "text/")):
        return
    response.body = gzip.compress(body, compresslevel=6)
    response.headers["content-encoding"] = "gzip"
    response.headers["content-length"] = str(len(response.body))
    response.headers["vary"] = "Accept, Accept-Encoding, Origin, Cookie"
