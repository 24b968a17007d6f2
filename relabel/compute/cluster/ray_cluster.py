"""A Ray cluster on which operations work; Ray is imported where one is used, and nowhere else."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import pickle
import pkgutil
import socket
import threading
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NodeLacksPackage, RayMismatch, RayMissing, RayUnreachable
from . import ray_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ADDRESS = "RELABEL_RAY_ADDRESS"
PATIENCE_SECONDS = 5.0
# FiftyOne's package is on the nodes for its models; its database is not theirs.
_NODE_VARIABLES = {"FIFTYONE_DISABLE_SERVICES": "1", "FIFTYONE_DO_NOT_TRACK": "1"}
# This package under the name that it has here, and under the name that it has on the nodes.
_HERE, _THERE = str(__package__).removesuffix(".compute.cluster"), "relabel"
_BLOCKS = 4096
# How a conversation in gRPC begins: both sides send a frame of settings (RFC 9113, 3.4).
_HTTP2_SETTINGS = b"\x04"
_HTTP2_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + _HTTP2_SETTINGS + b"\0" * 5

_lock = threading.Lock()
_users = 0
_connected_here = False
_connected_to = ""


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster that this process is connected to.

    Args:
        address: the host and port of its head
        nodes: Ray's ids of its nodes that compute
        cpus: the CPU cores of all nodes
        gpus: the GPUs of all nodes
    """

    address: str
    nodes: tuple[str, ...]
    cpus: int
    gpus: int

    @property
    def workers(self) -> int:
        """How many models work at the same time: one on each GPU, else on each CPU core."""
        return max(1, self.gpus or self.cpus)

    def hold(self, holder: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> Held:
        """Makes an object for each part, one on each node as long as there are nodes.

        Ray makes an object anew, elsewhere, when its node dies, and repeats the call that it was
        in: what its methods return must follow from their arguments and the part alone.

        Args:
            holder: the class of the objects, one of ours
            parts: what each is made with: plain data and arrays
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        actor = ray.remote(max_restarts=-1, max_task_retries=-1)(ray_node.Hands)
        stored = [tuple(map(ray.put, part)) for part in parts]
        actors = [
            actor.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True)
            ).remote(name_there(holder), part)
            for node, part in zip(cycle(self.nodes), stored, strict=False)
        ]
        return Held(actors, stored)

    def work(
        self, worker: Callable[..., Any], args: tuple[Any, ...], chunks: Iterable[Any]
    ) -> Iterator[Any]:
        """Has every chunk worked on by one of several workers, which Ray Data feeds and restarts.

        There are no more workers than there is work for. A chunk that was not finished when its
        node died is worked on again.

        Args:
            worker: the class of the workers, one of ours; its method ``work`` takes a chunk and
                yields parts
            args: what each is made with: plain data
            chunks: plain data; each is small beside what it stands for

        Yields:
            the parts, in the order of the chunks, as they come
        """
        import ray

        rows = [{"chunk": pickle.dumps(chunk)} for chunk in chunks]
        if not rows:
            return
        most = min(self.workers, len(rows))
        data = ray.data.from_items(rows, override_num_blocks=min(len(rows), _BLOCKS)).flat_map(
            ray_node.HandsOnChunks,
            fn_constructor_args=(name_there(worker), args, max(1, self.cpus // self.workers)),
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
            **({"num_gpus": 1} if self.gpus else {"num_cpus": 1}),
        )
        data.context.execution_options.preserve_order = True
        data.context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        data.context.print_on_execution_start = False
        for row in data.iter_rows():
            yield _result(pickle.loads(row["answer"]))  # noqa: S301 - our own nodes'


class Held:
    """Objects on the nodes of a cluster.

    Args:
        actors: Ray's handles of them
        made_with: what they are made with, which must be there to make them anew
    """

    def __init__(self, actors: list[Any], made_with: list[Any]) -> None:
        self._actors = actors
        self._made_with = made_with

    def __len__(self) -> int:
        return len(self._actors)

    def each(self, method: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Calls a method of every object, all at the same time.

        Args:
            method: its name
            arguments: those of each object

        Returns:
            what each returned
        """
        import ray

        calls = zip(self._actors, arguments, strict=True)
        answers = ray.get([actor.call.remote(method, *given) for actor, given in calls])
        return [_result(answer) for answer in answers]

    def share(self, value: Any) -> Any:
        """Stores an argument that several calls are given, so that it travels once per node."""
        import ray

        return ray.put(value)


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Cluster | None]:
    """Connects this process to a Ray cluster while operations of it use one.

    Args:
        address: the host and port of its head; None for no cluster

    Yields:
        the cluster; None without an address

    Raises:
        RayMissing: if Ray is not installed here
        RayUnreachable: if the cluster does not answer in time, or not to this machine
        RayMismatch: if it runs another version of Ray or Python
    """
    if not address:
        yield None
        return
    _enter(address)
    try:
        yield _cluster(address)
    finally:
        _leave()


def name_there(ours: Callable[..., Any]) -> str:
    """The name under which a node finds one of our classes or functions."""
    return f"{_THERE}{ours.__module__.removeprefix(_HERE)}:{ours.__qualname__}"


def _enter(address: str) -> None:
    """Connects the first that needs it; all operations of this process share a connection."""
    global _users, _connected_here, _connected_to  # noqa: PLW0603
    _require_ray(address)
    _require_listening(address)
    with _lock:
        if _users and address != _connected_to:
            raise RayUnreachable(
                f"An operation of this process works on the Ray cluster at {_connected_to} still.",
                "Start this one again when that has ended.",
            )
        if not _users:
            _connected_here, _connected_to = _connect(address), address
        _users += 1


def _leave() -> None:
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        if not _users and _connected_here:
            import ray

            ray.shutdown()


def _connect(address: str) -> bool:
    """Connects, unless this process is connected; returns whether it was not."""
    import ray
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(ray_node)
    if ray.is_initialized():
        return False  # by a notebook, say, which goes on with it
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level="error",
            runtime_env={
                "py_modules": [str(Path(__file__).parents[2])],
                "excludes": ["__pycache__"],
                "env_vars": _NODE_VARIABLES,
            },
        )
    except RuntimeError as error:
        if "ersion mismatch" not in str(error):
            raise
        raise RayMismatch(
            f"The Ray cluster at {address} runs other versions: {_one_line(error)}",
            "Install the same versions of Ray and Python here and on its nodes.",
        ) from error
    except (ConnectionError, TimeoutError, ValueError) as error:
        raise RayUnreachable(
            f"The Ray cluster at {address} refuses this machine: {_one_line(error)}",
            "Run the operation on an executor on one of its nodes, and give the address that "
            "`ray start --head` printed.",
        ) from error
    return True


def _require_ray(address: str) -> None:
    if importlib.util.find_spec("ray") is None:
        raise RayMissing(
            f"The Ray cluster at {address} is configured, and Ray is not installed here.",
            'Install the cluster\'s version of it: pip install "ray[data]==..."',
        )


def _require_listening(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        raise RayUnreachable(
            f"'{address}' is no address of a Ray cluster.",
            f"Set {ADDRESS} to the host and port of its head, e.g. 10.0.0.5:6379. Ray's client "
            "(ray://) is not used: run an executor on a node of the cluster.",
        )
    try:
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as line:
            _require_grpc(line)
    except OSError as error:
        raise RayUnreachable(
            f"The Ray cluster at {address} does not answer ({error}).",
            f"Start it (ray start --head), or take {ADDRESS} away to work on this machine.",
        ) from error


def _require_grpc(line: socket.socket) -> None:
    """Checks that a head is alive at the other end, for which Ray itself would wait minutes."""
    if os.environ.get("RAY_USE_TLS") == "1":
        return
    line.sendall(_HTTP2_HELLO)
    answer = line.recv(9)
    if answer[3:4] != _HTTP2_SETTINGS:
        raise ConnectionError("something else listens there")


def _cluster(address: str) -> Cluster:
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]
    computing = [node for node in alive if node["Resources"].get("CPU")]
    return Cluster(
        address,
        tuple(node["NodeID"] for node in computing),
        int(sum(node["Resources"]["CPU"] for node in computing)),
        int(sum(node["Resources"].get("GPU", 0) for node in alive)),
    )


def _result(answer: ray_node.Answer) -> Any:
    """What a node returned; what it could not do is raised here as what it is."""
    kind, what = answer
    if kind == ray_node.DONE:
        return what
    if kind == ray_node.LACKING:
        node, package = what
        raise NodeLacksPackage(
            f"The node {node} has no package '{package}'.",
            "Install on every node what the plugin's requirements.txt lists, as it is here.",
        )
    name, node, message, advice = what
    error = pkgutil.resolve_name(f"{_HERE}{name.removeprefix(_THERE)}")
    raise error(f"The node {node} says: {message}", advice)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
