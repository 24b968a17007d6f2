"""A Ray cluster whose nodes are all on this machine, with one core each, and can be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.cluster_utils import Cluster as Nodes

# A dead node is missed after seconds, not half a minute.
_SYSTEM = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 400,
    "health_check_timeout_ms": 5000,
    "health_check_failure_threshold": 5,
}


@contextlib.contextmanager
def started(count: int, memory_mib: int = 100) -> Iterator[Nodes]:
    """A cluster while the context is open; the first node is its head.

    Args:
        count: how many nodes
        memory_mib: for the objects of each
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray._common.utils import get_default_ray_temp_dir
    from ray.cluster_utils import Cluster as Nodes

    # Ray puts sockets there, whose paths have to be short.
    with tempfile.TemporaryDirectory(prefix="rr-", ignore_cleanup_errors=True) as folder:
        head = {**_node(memory_mib), "temp_dir": folder, "_system_config": _SYSTEM}
        # Where Ray notes the address of a cluster; it takes for granted that this is there.
        Path(get_default_ray_temp_dir()).mkdir(mode=0o777, parents=True, exist_ok=True)
        nodes = Nodes(initialize_head=True, head_node_args=head)
        try:
            for _ in range(count - 1):
                add(nodes, memory_mib)
            yield nodes
        finally:
            nodes.shutdown()


def add(nodes: Nodes, memory_mib: int = 100) -> Any:
    """One more node."""
    return nodes.add_node(**_node(memory_mib))


def refill(nodes: Nodes, count: int) -> None:
    """Puts new nodes in the place of those that were killed."""
    for node in list(nodes.worker_nodes):
        if node.all_processes["raylet"][0].process.poll() is not None:
            nodes.remove_node(node, allow_graceful=False)
    for _ in range(count - 1 - len(nodes.worker_nodes)):
        add(nodes)


def kill(node: Any) -> int:
    """Kills a node as a power failure would; returns the process that was killed."""
    pid: int = node.all_processes["raylet"][0].process.pid
    os.kill(pid, signal.SIGKILL)
    return pid


def _node(memory_mib: int) -> dict[str, Any]:
    return {"num_cpus": 1, "object_store_memory": memory_mib << 20, "include_dashboard": False}
