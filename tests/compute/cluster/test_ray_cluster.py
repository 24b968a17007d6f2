from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from relabel.compute.cluster import ray_cluster
from relabel.compute.cluster.ray_cluster import connected
from relabel.compute.errors import ModelNotFound, NodeLacksPackage, RayMismatch, RayUnreachable
from relabel.compute.inference.zoo import require_zoo_model
from relabel.curation.distances.sharding import Shard


def test_connected__without_an_address_there_is_no_cluster():
    with connected(None) as cluster:
        assert cluster is None


def test_plugin__does_not_pay_for_ray():
    """Ray takes half a second to import: only who uses it waits."""
    script = (
        "import sys, fiftyone.operators as foo; foo.list_operators(); print('ray' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[-1] == "False"


@pytest.mark.parametrize("address", ["ray://10.0.0.5:10001", "10.0.0.5", "host:port", ":6379"])
def test_connected__no_address(address):
    with pytest.raises(RayUnreachable, match="is no address of a Ray cluster"):
        contextlib.ExitStack().enter_context(connected(address))


def test_connected__nobody_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(RayUnreachable, match=r"does not answer.*ray start --head"):
        contextlib.ExitStack().enter_context(connected(address))


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 400 Bad Request"])
def test_connected__something_else_listens(answer, monkeypatch):
    """Or a head that hangs: Ray itself would wait for minutes."""
    monkeypatch.setattr(ray_cluster, "PATIENCE_SECONDS", 0.5)
    lines = []

    def listen():
        lines.append(server.accept()[0])
        if answer:
            lines[0].sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(listen)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(RayUnreachable, match="does not answer"):
            contextlib.ExitStack().enter_context(connected(address))
    lines[0].close()


def test_connected__a_cluster_of_other_versions(ray_nodes):
    """A process of its own, whose Ray takes itself for another version."""
    script = f"""
import json, ray
ray.__version__ = "1.2.3"
from relabel.compute.cluster.ray_cluster import connected
try:
    with connected({ray_nodes.address!r}):
        pass
except Exception as error:
    print(json.dumps([type(error).__name__, str(error)]))
"""
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ
    )
    kind, message = json.loads(shown.stdout.splitlines()[-1])
    assert kind == RayMismatch.__name__
    assert "1.2.3" in message
    assert "same versions of Ray and Python" in message


def test_connected__says_what_the_cluster_has(ray_cluster, ray_nodes):
    assert len(ray_cluster.nodes) == len(ray_nodes.list_all_nodes()) == ray_cluster.cpus
    assert (ray_cluster.gpus, ray_cluster.workers) == (0, ray_cluster.cpus)


def test_connected__two_operations_share_a_connection(ray_connection):
    with connected(ray_connection), connected(ray_connection):
        pass
    with connected(ray_connection) as cluster:
        assert cluster.hold(Shard, [(np.ones((4, 2), np.float32),)])


def test_connected__another_cluster_meanwhile(ray_cluster, ray_nodes):
    """Nothing works on a cluster that it was not sent to."""
    elsewhere = ray_nodes.address.replace(ray_nodes.address.rpartition(":")[0], "localhost")
    with pytest.raises(RayUnreachable, match=f"at {ray_nodes.address} still"):
        contextlib.ExitStack().enter_context(connected(elsewhere))


def test_hold__a_node_that_lacks_a_package_says_so(ray_cluster):
    elsewhere = type("Shard", (), {"__module__": "relabel.not_shipped"})
    with pytest.raises(NodeLacksPackage, match=rf"node {socket.gethostname()} .*not_shipped"):
        ray_cluster.hold(elsewhere, [()]).each("move_nearer", [()])


def test_hold__an_error_for_the_user_comes_back_as_what_it_is(ray_cluster):
    held = ray_cluster.hold(require_zoo_model, [("no such model",)])
    with pytest.raises(ModelNotFound, match=r"The node .* says: .*no such model.*zoo models list"):
        held.each("lower", [()])
