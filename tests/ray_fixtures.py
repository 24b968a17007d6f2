"""A real Ray cluster of three nodes on this machine, started once for all tests that want it."""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster as Nodes

    from relabel.compute.ray_cluster import Cluster

NODES = 3
# A dead node is missed after seconds, not half a minute.
_SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 400,
    "health_check_timeout_ms": 5000,
    "health_check_failure_threshold": 5,
}
_NODE = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[Nodes]:
    """The nodes."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Nodes

    # Ray puts sockets there, whose paths have to be short.
    with tempfile.TemporaryDirectory(prefix="rr-", ignore_cleanup_errors=True) as folder:
        head = {**_NODE, "temp_dir": folder, "_system_config": _SYSTEM}
        nodes = Nodes(initialize_head=True, head_node_args=head)
        for _ in range(NODES - 1):
            nodes.add_node(**_NODE)
        yield nodes
        nodes.shutdown()


@pytest.fixture(scope="session")
def ray_connection(ray_nodes) -> Iterator[str]:
    """The cluster's address; this process stays connected, which saves each test two seconds."""
    from relabel.compute.ray_cluster import connected

    with connected(ray_nodes.address):
        yield ray_nodes.address


@pytest.fixture
def ray_cluster(ray_connection) -> Iterator[Cluster]:
    """The cluster as operations are given it."""
    from relabel.compute.ray_cluster import connected

    with connected(ray_connection) as cluster:
        yield cluster


@pytest.fixture
def one_worker(ray_cluster) -> Cluster:
    """The same, of which one model at a time is wanted: a worker starts in seconds."""
    return replace(ray_cluster, cpus=1)


@pytest.fixture
def killable(ray_nodes) -> Iterator[object]:
    """One more node, which may be killed."""
    node = ray_nodes.add_node(**_NODE)
    yield node
    ray_nodes.remove_node(node, allow_graceful=False)


def kill(node: object) -> int:
    """Kills a node as a power failure would; returns how many actors were on it."""
    from ray._private import state

    there = [
        actor
        for actor in state.actors().values()
        if actor["Address"]["NodeID"] == node.node_id and actor["State"] == "ALIVE"
    ]
    os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
    return len(there)
