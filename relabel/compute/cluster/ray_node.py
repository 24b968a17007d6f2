"""What a node of a Ray cluster is sent: hands that make an object by name and call it.

Only this module travels as it is, so it imports nothing of ours: FiftyOne loads the plugin under
a package name of its own, which means nothing on a node. There the package ``relabel`` is the one
that was shipped when the driver connected; hands find in it what the driver names. For the same
reason only plain data and arrays travel, and errors as data.
"""

from __future__ import annotations

import os
import pickle
import pkgutil
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DONE, FAILED, LACKING = "done", "failed", "lacking"
Answer = tuple[str, Any]


class Hands:
    """An actor that holds one object and calls its methods.

    Args:
        name: the object's class, e.g. ``"relabel.curation.distances.sharding:Shard"``
        args: what the class is called with, as it is stored in the cluster
    """

    def __init__(self, name: str, args: Sequence[Any]) -> None:
        self._name, self._args = name, args
        self._held: Any = None

    def call(self, method: str, *args: Any) -> Answer:
        """Calls a method; returns whether it went well, and what came of it."""
        try:
            return DONE, getattr(self._object(), method)(*args)
        except Exception as error:  # noqa: BLE001 - told to the driver, which raises it
            return _as_answer(error)

    def _object(self) -> Any:
        if self._held is None:
            self._held = pkgutil.resolve_name(self._name)(*self._arguments())
        return self._held

    def _arguments(self) -> Sequence[Any]:
        import ray

        return [ray.get(stored) for stored in self._args]


class HandsOnChunks(Hands):
    """The same as a step of Ray Data: its object's ``work`` takes a chunk and yields parts.

    Args:
        name: the object's class
        args: what the class is called with
        cpus: how many cores libraries may use
    """

    def __init__(self, name: str, args: tuple[Any, ...], cpus: int) -> None:
        super().__init__(name, args)
        for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[variable] = str(cpus)

    def _arguments(self) -> Sequence[Any]:
        return self._args

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Works on one chunk."""
        for answer in self._answers(pickle.loads(row["chunk"])):  # noqa: S301 - the driver's own
            yield {"answer": pickle.dumps(answer)}

    def _answers(self, chunk: Any) -> Iterator[Answer]:
        try:
            for part in self._object().work(chunk):
                yield DONE, part
        except Exception as error:  # noqa: BLE001 - told to the driver, which raises it
            yield _as_answer(error)


def node_name() -> str:
    """The machine, as the messages of errors name it."""
    import ray

    return f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"


def _as_answer(error: Exception) -> Answer:
    """An error as data, if it is one that the user can act on.

    Raises:
        Exception: the error itself otherwise; Ray brings it to the driver
    """
    if isinstance(error, ModuleNotFoundError):
        return LACKING, (node_name(), error.name or str(error))
    if not hasattr(error, "advice"):
        raise error
    kind = f"{type(error).__module__}:{type(error).__qualname__}"
    return FAILED, (kind, node_name(), str(error.args[0]), error.advice)
