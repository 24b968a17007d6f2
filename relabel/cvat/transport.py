"""One HTTP session with a CVAT server: log-in, time-outs, retries, typed errors."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from .errors import (
    CvatConflict,
    CvatError,
    CvatForbidden,
    CvatNotFound,
    CvatRejected,
    CvatServerError,
    CvatThrottled,
    CvatTlsError,
    CvatTooLarge,
    CvatUnauthorized,
    CvatUnreachable,
    NotACvatServer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3.response import BaseHTTPResponse

    from .config import CvatConfig

logger = logging.getLogger(__name__)

PAGE_SIZE = 500
_LONGEST_REASON = 500
_LONGEST_WAIT = 60.0  # seconds; CVAT counts anonymous requests by the minute


class _SafeRetry(Retry):
    """Retries what cannot do a thing twice.

    ``urllib3`` retries connections that were never made, whatever the method, and the rest only
    for idempotent methods. A 429 was refused before it was read, so it may be sent again as well.
    """

    def is_retry(
        self,
        method: str,
        status_code: int,
        has_retry_after: bool = False,
    ) -> bool:
        return status_code == requests.codes.too_many_requests or super().is_retry(
            method, status_code, has_retry_after
        )

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """How long the server asks us to wait, but never longer than people would."""
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, _LONGEST_WAIT)


_RETRY = _SafeRetry(
    total=4,
    connect=2,
    read=2,
    other=0,  # a certificate does not get better
    backoff_factor=0.4,
    backoff_jitter=0.2,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=frozenset({"GET", "HEAD"}),
    raise_on_status=False,
)


class _HeaderAuth(requests.auth.AuthBase):
    """Sets the ``Authorization`` header, which also keeps ``requests`` from asking ``.netrc``."""

    def __init__(self, value: str | None = None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        return request


class Transport:
    """Sends requests to one CVAT server as one user.

    Args:
        config: where the server is and who we are
    """

    def __init__(self, config: CvatConfig) -> None:
        self.config = config
        self.url = config.url
        self._session = requests.Session()
        self._session.auth = _HeaderAuth()
        self._session.headers["Accept"] = "application/vnd.cvat+json"
        if config.organization is not None:
            self._session.headers["X-Organization"] = config.organization
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_RETRY))

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def about(self) -> dict[str, Any]:
        """Asks the server what it is, which needs no log-in.

        A redirect from ``http`` to ``https`` of the same host is taken over, because a POST
        does not survive one.

        Raises:
            NotACvatServer: if something else answers
        """
        wrong = NotACvatServer(
            f"{self.url} answers, but it is not a CVAT server.",
            "Check FIFTYONE_CVAT_URL: it is the address that you open in the browser, "
            "without a path.",
        )
        try:
            response = self._send("GET", "/api/server/about", auth=_HeaderAuth())
            about = response.json()
        except (CvatNotFound, CvatRejected, CvatForbidden, CvatUnauthorized) as error:
            raise wrong from error
        except requests.JSONDecodeError as error:
            raise wrong from error
        if not isinstance(about, dict) or "version" not in about:
            raise wrong
        self._follow_upgrade_to_https(response.url)
        return about

    def log_in(self) -> None:
        """Obtains a token once, so that no later request costs a password check.

        Raises:
            CvatUnauthorized: if the server does not accept the credentials
        """
        if self.config.token:
            self._session.auth = _HeaderAuth(f"Bearer {self.config.token}")
            return
        credentials = {"username": self.config.username, "password": self.config.password}
        try:
            response = self._send("POST", "/api/auth/login", auth=_HeaderAuth(), json=credentials)
        except CvatRejected as error:
            raise CvatUnauthorized(
                f"{self.url} does not accept the password of {self.config.username!r}.",
                "Check FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD.",
            ) from error
        self._session.cookies.clear()  # a session cookie would ask for CSRF tokens
        self._session.auth = _HeaderAuth(f"Token {_json(response, self.url)['key']}")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Sends one request.

        A token that was revoked meanwhile is renewed once.

        Args:
            method: the HTTP method
            path: the path below the server's address
            **options: ``params``, ``json``, ``files``, ``data``, ``headers`` and ``timeout`` as
                in :func:`requests.request`

        Raises:
            CvatError: the subclass that says what went wrong
        """
        try:
            response = self._send(method, path, **options)
        except CvatUnauthorized:
            if self.config.token:
                raise
            self.log_in()
            for _, file in options.get("files", {}).values():
                file.seek(0)  # it was read for the request that was refused
            response = self._send(method, path, **options)
        if _is_page(response):
            raise CvatServerError(
                f"Something before CVAT answered {method} {path} with a web page.",
                "A proxy may want a log-in, or be under maintenance; try again.",
            )
        return response

    def get(self, path: str, **params: Any) -> Any:
        """Gets JSON."""
        return _json(self.request("GET", path, params=params), self.url)

    def get_slowly(self, path: str) -> Any:
        """Gets JSON that the server takes long to put together."""
        return _json(self.request("GET", path, timeout=self.slow), self.url)

    def send_json(
        self,
        method: str,
        path: str,
        body: Any,
        params: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Sends JSON and gets JSON; takes the options of :meth:`request`."""
        response = self.request(method, path, json=body, params=params, **options)
        return _json(response, self.url) if response.content else None

    @property
    def slow(self) -> tuple[float, float]:
        """The time-outs of a request whose content the server takes long to digest or gather."""
        return self.config.timeouts.connect, self.config.timeouts.upload

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yields every item of a paged list, lowest id first. It may become shorter meanwhile."""
        page = 1
        while True:
            try:
                answer = self.get(path, page=page, page_size=PAGE_SIZE, sort="id", **params)
            except CvatNotFound:
                if page == 1:
                    raise
                return
            yield from answer["results"]
            if answer["next"] is None:
                return
            page += 1

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", (self.config.timeouts.connect, self.config.timeouts.read))
        # Said with each request: REQUESTS_CA_BUNDLE would win over what the session says.
        options["verify"] = self.config.verify
        # Whatever is redirected goes on as a GET, which does nothing and may look like success.
        options.setdefault("allow_redirects", method == "GET")
        try:
            response = self._session.request(method, f"{self.url}{path}", **options)
        except requests.exceptions.SSLError as error:
            raise CvatTlsError(
                f"The TLS certificate of {self.url} could not be verified.",
                "If it is signed by your own authority, set FIFTYONE_CVAT_VERIFY_TLS to the path "
                "of its CA bundle.",
            ) from error
        except requests.exceptions.Timeout as error:
            raise self._late() from error
        except requests.exceptions.RequestException as error:
            if _timed_out(error):
                raise self._late() from error
            raise CvatUnreachable(
                f"{self.url} cannot be reached.",
                "Check FIFTYONE_CVAT_URL and that the server is up.",
            ) from error
        logger.debug("%s %s: %d", method, path, response.status_code)
        if response.is_redirect:
            raise CvatServerError(
                f"{self.url} sends {method} {path} on to {response.headers['Location']}.",
                "Set FIFTYONE_CVAT_URL to the address at which the browser ends up, or log in to "
                "the proxy before CVAT.",
            )
        if not response.ok:
            raise error_of(response, self.url)
        return response

    def _late(self) -> CvatUnreachable:
        return CvatUnreachable(
            f"{self.url} did not answer in time.", "Try again; check that the server is up."
        )

    def _follow_upgrade_to_https(self, final_url: str) -> None:
        base = final_url.removesuffix("/api/server/about")
        if base == self.url:
            return
        same_host = urlsplit(base).hostname == urlsplit(self.url).hostname
        if not (same_host and urlsplit(base).scheme == "https"):
            raise NotACvatServer(
                f"{self.url} redirects to {base}.", f"Set FIFTYONE_CVAT_URL to {base}"
            )
        self.url = base


def _timed_out(error: requests.exceptions.RequestException) -> bool:
    """Whether the last of several tries was a time-out, which is no error of its own then."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), ReadTimeoutError)


_REFUSALS: dict[int, tuple[type[CvatError], str, str]] = {
    401: (
        CvatUnauthorized,
        "{url} does not accept our log-in: {reason}",
        "Check FIFTYONE_CVAT_TOKEN, or FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD.",
    ),
    403: (
        CvatForbidden,
        "CVAT does not let this user do that: {reason}",
        "Ask an administrator for the right, or use another account.",
    ),
    404: (CvatNotFound, "CVAT does not know it: {reason}", "It may have been deleted."),
    409: (CvatConflict, "CVAT refused the request (409): {reason}", ""),
    413: (
        CvatTooLarge,
        "The server does not take requests of this size.",
        "Raise the limit of the proxy before CVAT (client_max_body_size in nginx).",
    ),
    429: (CvatThrottled, "The server asks to slow down.", "Try again in a minute."),
}


def error_of(response: requests.Response, url: str) -> CvatError:
    """The typed error for an answer that is not a success."""
    reason, status = reason_of(response), response.status_code
    if status in _REFUSALS:
        kind, message, advice = _REFUSALS[status]
        return kind(message.format(url=url, reason=reason), advice)
    if status >= requests.codes.internal_server_error:
        return CvatServerError(
            f"The server failed ({status}): {reason}", "Try again; its log has the cause."
        )
    return CvatRejected(f"CVAT refused the request ({status}): {reason}")


def reason_of(response: requests.Response) -> str:
    """The server's own words. They come as any JSON, as plain text or as an HTML page."""
    if _is_page(response):
        return response.reason or "no reason given"
    try:
        text = _flat(response.json())
    except requests.JSONDecodeError:
        text = response.text
    return text.strip()[:_LONGEST_REASON] or response.reason or "no reason given"


def _is_page(response: requests.Response) -> bool:
    """Whether it is for a browser. CVAT's own answers are, if it failed at a request."""
    return "html" in response.headers.get("Content-Type", "")


def _flat(body: Any) -> str:
    """Joins the messages of an error body of whatever shape."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return " ".join(_flat(item) for item in body)
    if isinstance(body, dict):
        if set(body) == {"detail"}:
            return _flat(body["detail"])
        return " ".join(f"{key}: {_flat(value)}" for key, value in body.items())
    return json.dumps(body)


def _json(response: requests.Response, url: str) -> Any:
    try:
        return orjson.loads(response.content)  # what is drawn in a task is megabytes
    except orjson.JSONDecodeError as error:
        raise CvatServerError(
            f"{url} answered with something that is not JSON, or not all of it.", "Try again."
        ) from error
