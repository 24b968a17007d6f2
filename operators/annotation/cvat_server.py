"""The CVAT server as operators and panels reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...relabel.annotation import SECRETS, configured, connect

if TYPE_CHECKING:
    from ...relabel.cvat import CvatClient, CvatConfig


def secrets_of(ctx: Any) -> dict[str, str | None]:
    """The plugin's secrets, as far as they are set."""
    return {name: ctx.secret(name) for name in SECRETS}


def config_of(ctx: Any) -> CvatConfig:
    """Which server is configured, without any network.

    Raises:
        CvatNotConfigured: if none is
    """
    return configured(secrets_of(ctx))


def client_of(ctx: Any) -> CvatClient:
    """The configured server, logged in once for all operators and panels of this process.

    Raises:
        CvatError: if it is not configured or cannot be reached
    """
    return connect(secrets_of(ctx))
