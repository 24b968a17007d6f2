"""A real Ray cluster of three nodes on this machine, started once for all tests that want it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks._executors import nodes as of_this_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster as Nodes

    from relabel.compute.cluster.ray_cluster import Cluster

NODES = 3


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[Nodes]:
    """The nodes."""
    with of_this_machine.started(NODES) as nodes:
        yield nodes


@pytest.fixture(scope="session")
def ray_connection(ray_nodes) -> Iterator[str]:
    """The cluster's address; this process stays connected, which saves each test two seconds."""
    from relabel.compute.cluster.ray_cluster import connected

    with connected(ray_nodes.address):
        yield ray_nodes.address


@pytest.fixture
def ray_cluster(ray_connection) -> Iterator[Cluster]:
    """The cluster as operations are given it."""
    from relabel.compute.cluster.ray_cluster import connected

    with connected(ray_connection) as cluster:
        yield cluster


@pytest.fixture
def one_worker(ray_cluster) -> Cluster:
    """The same, of which one model at a time is wanted: a worker starts in seconds."""
    return replace(ray_cluster, cpus=1)


@pytest.fixture
def killable(ray_nodes) -> Iterator[object]:
    """One more node, which may be killed."""
    node = of_this_machine.add(ray_nodes)
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
    of_this_machine.kill(node)
    return len(there)
