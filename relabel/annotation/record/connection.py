"""Which CVAT server the plugin talks to, logged in once."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import fiftyone as fo

from ...cvat import CvatClient, CvatConfig
from ..errors import RoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .round import Round

SECRETS = tuple(
    f"FIFTYONE_CVAT_{name}"
    for name in (
        "URL",
        "USERNAME",
        "PASSWORD",
        "TOKEN",
        "ORGANIZATION",
        "VERIFY_TLS",
        "READING_MINUTES",
    )
)
"""The settings that are read, from plugin secrets or from the environment."""

_clients: dict[CvatConfig, CvatClient] = {}
_lock = threading.Lock()


def configured(secrets: Mapping[str, str | None] | None = None) -> CvatConfig:
    """Reads the configuration, without any network.

    A secret wins over FiftyOne's own annotation config (``~/.fiftyone/annotation_config.json``).

    Args:
        secrets: the plugin's secrets, or None for the environment

    Raises:
        CvatNotConfigured: if something needed is missing
    """
    settings: dict[str, str | None] = {}
    backend = fo.annotation_config.backends.get("cvat", {})
    for name in ("url", "username", "password"):
        settings[f"FIFTYONE_CVAT_{name.upper()}"] = backend.get(name)
    for name in SECRETS:
        value = (secrets or {}).get(name) or os.environ.get(name)
        if value:
            settings[name] = value
    return CvatConfig.from_mapping(settings)


def connect(secrets: Mapping[str, str | None] | None = None) -> CvatClient:
    """Connects to the configured server. One log-in serves all later calls of this process.

    Different credentials never share a connection.

    Args:
        secrets: the plugin's secrets, or None for the environment

    Raises:
        CvatError: if that is not possible; the message says why and what to do
    """
    config = configured(secrets)
    with _lock:
        if config not in _clients:
            _clients[config] = CvatClient(config)
        return _clients[config]


def check_server(record: Round, client: CvatClient) -> None:
    """Holds that a round is on the server that we are connected to.

    Raises:
        RoundError: if it is on another one
    """
    if record.url != client.server.url:
        raise RoundError(
            f"The round {record.key!r} is on {record.url}, but we are connected to "
            f"{client.server.url}.",
            "Set FIFTYONE_CVAT_URL to its address.",
        )
