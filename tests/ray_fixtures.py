"""A real Ray cluster of three nodes on this machine, started once for all tests that want it."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster as Nodes

    from relabel.compute.ray_cluster import Cluster

NODES = 3
_NODE = {"num_cpus": 1, "object_store_memory": 100 << 20, "include_dashboard": False}


@pytest.fixture(scope="session")
def ray_nodes() -> Iterator[Nodes]:
    """The nodes, which tests may kill; see `replace_killed`."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Nodes

    # Ray puts sockets there, whose paths have to be short.
    with tempfile.TemporaryDirectory(prefix="rr-", ignore_cleanup_errors=True) as folder:
        nodes = Nodes(initialize_head=True, head_node_args={**_NODE, "temp_dir": folder})
        for _ in range(NODES - 1):
            nodes.add_node(**_NODE)
        yield nodes
        nodes.shutdown()


@pytest.fixture
def ray_cluster(ray_nodes) -> Iterator[Cluster]:
    """The cluster as operations are given it."""
    from relabel.compute.ray_cluster import connected

    with connected(ray_nodes.address) as cluster:
        yield cluster


@pytest.fixture
def killable(ray_nodes) -> Iterator[object]:
    """A node that may be killed: another takes its place afterwards."""
    node = ray_nodes.add_node(**_NODE)
    yield node
    ray_nodes.remove_node(node, allow_graceful=False)
