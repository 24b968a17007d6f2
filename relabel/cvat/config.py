"""Where a CVAT server is and who we are to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .errors import CvatNotConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

_FALSE = frozenset({"0", "false", "no", "off"})
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True)
class Timeouts:
    """How long a request may take, in seconds.

    Args:
        connect: until the server accepts the connection
        read: between two bytes of its answer
        upload: the same of files and of all that is drawn, which servers digest and gather slowly
        processing: until the server has made a task out of the files; of several tasks, until it
            is done with the next
    """

    connect: float = 10.0
    read: float = 60.0
    upload: float = 300.0
    processing: float = 3600.0


@dataclass(frozen=True)
class CvatConfig:
    """Address and credentials of a CVAT server.

    Either ``token`` (a personal access token) or ``username`` and ``password`` are needed.

    Args:
        url: for example ``https://app.cvat.ai``
        username: the user's name
        password: the user's password; never shown
        token: a personal access token, which wins over a password; never shown
        organization: the slug of the organization to work in, or None for all that is visible
        verify: whether TLS certificates are verified, or the path of a CA bundle to verify with
        timeouts: how long requests may take
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    organization: str | None = None
    verify: bool | str = True
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CvatNotConfigured(
                f"{_without_credentials(self.url)!r} is not the address of a CVAT server.",
                "Give it with its scheme, for example https://app.cvat.ai",
            )
        if parts.username or parts.password:
            raise CvatNotConfigured(
                "The address of the CVAT server contains credentials.",
                "Give them as FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD.",
            )
        object.__setattr__(self, "url", self.url.strip().rstrip("/"))
        if not self.token and not (self.username and self.password):
            raise CvatNotConfigured(
                f"There are no credentials for the CVAT server {self.url}.",
                "Set FIFTYONE_CVAT_TOKEN, or FIFTYONE_CVAT_USERNAME and FIFTYONE_CVAT_PASSWORD, "
                "where the App runs, and restart it.",
            )

    @classmethod
    def from_mapping(cls, settings: Mapping[str, str | None]) -> CvatConfig:
        """Reads a configuration from environment variables or plugin secrets.

        Args:
            settings: values of ``FIFTYONE_CVAT_URL``, ``_USERNAME``, ``_PASSWORD``, ``_TOKEN``,
                ``_ORGANIZATION``, ``_VERIFY_TLS`` (``false``, or the path of a CA bundle) and
                ``_READING_MINUTES`` (how long the server may take to read the files of a task)

        Raises:
            CvatNotConfigured: if something needed is missing
        """

        def get(name: str) -> str | None:
            return settings.get(f"FIFTYONE_CVAT_{name}") or None

        url = get("URL")
        if url is None:
            raise CvatNotConfigured(
                "No CVAT server is configured.",
                "Set FIFTYONE_CVAT_URL and FIFTYONE_CVAT_TOKEN (or FIFTYONE_CVAT_USERNAME and "
                "FIFTYONE_CVAT_PASSWORD) where the App runs, and restart it.",
            )
        return cls(
            url=url,
            username=get("USERNAME"),
            password=get("PASSWORD"),
            token=get("TOKEN"),
            organization=get("ORGANIZATION"),
            verify=_parse_verify(get("VERIFY_TLS")),
            timeouts=_parse_timeouts(get("READING_MINUTES")),
        )


def _parse_verify(text: str | None) -> bool | str:
    """Reads ``true``, ``false`` or the path of a CA bundle."""
    if text is None or text.lower() in _TRUE:
        return True
    return False if text.lower() in _FALSE else text


def _parse_timeouts(minutes: str | None) -> Timeouts:
    if minutes is None:
        return Timeouts()
    try:
        seconds = 60 * float(minutes)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise CvatNotConfigured(
            f"FIFTYONE_CVAT_READING_MINUTES is {minutes!r}.", "Give a number of minutes, as 240."
        )
    return Timeouts(processing=seconds)


def _without_credentials(url: str) -> str:
    """Cuts what stands before an @, which may be a password."""
    return url.rpartition("@")[2]
