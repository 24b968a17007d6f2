"""The Ray cluster on which operators do their heavy work, if one is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...relabel.compute.cluster.ray_cluster import ADDRESS, connected
from ..forms import show_notice

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fiftyone.operators import types

    from ...relabel.compute.cluster.ray_cluster import Cluster


def cluster_of(ctx: Any) -> AbstractContextManager[Cluster | None]:
    """Connects to the cluster that is configured where the operator runs; None without one.

    Raises:
        RayMissing, RayUnreachable, RayMismatch: as said there
    """
    return connected(address_of_cluster(ctx))


def address_of_cluster(ctx: Any) -> str | None:
    """The address of the cluster that is configured where this runs; None without one."""
    address: str | None = ctx.secret(ADDRESS)
    return address or None


def tell_of_cluster(ctx: Any, inputs: types.Object) -> None:
    """Says in a form that a Ray cluster does the work; asks nobody."""
    address = address_of_cluster(ctx)
    if address:
        text = f"The work itself goes to the nodes of the Ray cluster at {address}."
        show_notice(inputs, "cluster", text)
