"""Which executors are alive: each announces itself in FiftyOne's database, everyone may ask.

An executor's entry is one key of one global execution store. Ages are measured by the database's
clock alone, so machines whose clocks differ do not take each other for dead.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import psutil  # type: ignore[import-untyped]
from fiftyone.operators.store import ExecutionStore
from pymongo.errors import PyMongoError

from .devices import Gpus, cpu_count, find_gpus, package_versions

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

STORE = "relabel_executors"
HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
FORGOTTEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Executor:
    """A process that runs delegated operations.

    Args:
        id: names the process, and no other, e.g. ``"gpu@host:123456789"``
        targets: the delegation targets whose operations it takes
        also_untargeted: whether it also takes operations without a target
        host: the machine's name
        pid: the process on that machine
        gpus: the names of its GPUs, as TensorFlow gives them
        no_gpu_because: why it has none; empty where it has, or does not know yet
        cpus: the CPU cores it may use
        memory_bytes: the machine's memory
        versions: installed package versions, by package
        operation: the URI of the operator that it is running; None when idle
        silent_seconds: how long ago it last showed that it is alive, by the database's clock
    """

    id: str
    targets: tuple[str, ...]
    also_untargeted: bool
    host: str
    pid: int
    gpus: tuple[str, ...]
    no_gpu_because: str
    cpus: int
    memory_bytes: int
    versions: Mapping[str, str]
    operation: str | None
    silent_seconds: float

    def takes(self, target: str | None) -> bool:
        """Whether it takes the operations of a target; None for those without."""
        return self.also_untargeted if target is None else target in self.targets

    @property
    def hardware(self) -> str:
        """E.g. ``"2 GPUs"``, ``"8 CPUs"``."""
        count, unit = (len(self.gpus), "GPU") if self.gpus else (self.cpus, "CPU")
        return f"{count} {unit}" if count == 1 else f"{count} {unit}s"

    def __str__(self) -> str:
        return f"{', '.join(self.targets)} ({self.host}, {self.hardware})"


def alive(within_seconds: float = STALE_SECONDS) -> list[Executor]:
    """The executors that showed a sign of life lately, those with GPUs first.

    One read of the database.

    Args:
        within_seconds: how long ago the last sign of life may be
    """
    age_ms = {"$subtract": ["$$NOW", {"$toDate": "$value.heartbeat"}]}
    entries = _entries().find(
        {
            "store_name": STORE,
            "dataset_id": None,
            "value.heartbeat": {"$type": "string"},
            "value.targets": {"$type": "array"},
            "$expr": {"$lt": [age_ms, within_seconds * 1000]},
        },
        {"key": 1, "value": 1, "age_ms": age_ms},
    )
    found = [_as_executor(one["key"], one["value"], one["age_ms"] / 1000) for one in entries]
    return sorted(found, key=lambda executor: (not executor.gpus, executor.id))


def lately_alive() -> list[Executor]:
    """The executors of the last day that did not leave in order."""
    return alive(FORGOTTEN_SECONDS)


def takers(target: str | None, *, other_than: str) -> list[Executor]:
    """The executors alive that take the operations of a target, but for one."""
    return [found for found in alive() if found.id != other_than and found.takes(target)]


def heartbeats() -> dict[str, datetime]:
    """The last sign of life of every executor that did not leave in order, by its id."""
    query = {"store_name": STORE, "dataset_id": None}
    entries = _entries().find(query, {"key": 1, "value.heartbeat": 1})
    return {entry["key"]: datetime.fromisoformat(entry["value"]["heartbeat"]) for entry in entries}


class Announcement:
    """Keeps one executor's entry fresh from a thread of its own, as a context manager.

    Args:
        targets: the delegation targets whose operations the executor takes
        also_untargeted: whether it also takes operations without a target
    """

    def __init__(self, *targets: str, also_untargeted: bool = False) -> None:
        # Containers may share the host's name, and number their processes alike.
        self.id = f"{'+'.join(targets)}@{socket.gethostname()}:{secrets.randbelow(10**9)}"
        self._targets = targets
        self._also_untargeted = also_untargeted
        self._store = ExecutionStore.create(STORE)
        self._clock_offset = _database_now() - datetime.now(UTC)
        self._gpus = Gpus(())
        self._versions = package_versions()
        self._operation: str | None = None
        self._write = threading.Lock()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat_until_ended, daemon=True)

    def __enter__(self) -> Announcement:
        _forget_the_long_dead(self._store)
        self.beat()
        self._heart.start()
        threading.Thread(target=self._probe_devices, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._heart.join(timeout=HEARTBEAT_SECONDS)
        with self._write:
            self._store.delete(self.id)

    def busy_with(self, operation: str | None) -> None:
        """Announces the operation now running, or None when idle again."""
        self._operation = operation
        self.beat()

    def beat(self) -> None:
        """Writes the entry, with a new heartbeat."""
        with self._write:
            if not self._ended.is_set():
                self._store.set(self.id, self._entry())

    def _beat_until_ended(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            try:
                self.beat()
            except PyMongoError as error:
                logger.warning("A heartbeat was not written: %s", error)

    def _probe_devices(self) -> None:
        self._gpus = find_gpus()
        logger.info("%s", self._gpus)

    def _entry(self) -> dict[str, Any]:
        return {
            "targets": list(self._targets),
            "also_untargeted": self._also_untargeted,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "gpus": list(self._gpus.names),
            "no_gpu_because": self._gpus.none_because,
            "cpus": cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "versions": self._versions,
            "operation": self._operation,
            # A text, because the App's server sends every change of a store on as JSON.
            "heartbeat": (datetime.now(UTC) + self._clock_offset).isoformat(),
        }


def _as_executor(key: str, value: Mapping[str, Any], silent_seconds: float) -> Executor:
    return Executor(
        id=key,
        targets=tuple(value["targets"]),
        also_untargeted=value["also_untargeted"],
        host=value["host"],
        pid=value["pid"],
        gpus=tuple(value["gpus"]),
        no_gpu_because=value.get("no_gpu_because", ""),
        cpus=value["cpus"],
        memory_bytes=value["memory_bytes"],
        versions=dict(value["versions"]),
        operation=value["operation"],
        silent_seconds=max(0.0, silent_seconds),
    )


def _forget_the_long_dead(store: ExecutionStore) -> None:
    remembered = {found.id for found in alive(FORGOTTEN_SECONDS)}
    for key in store.list_keys():
        if key not in remembered:
            store.delete(key)


def _database_now() -> datetime:
    now: datetime = foo.get_db_conn().command("hello")["localTime"]
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def _entries() -> Any:
    """The collection of FiftyOne's execution stores; its store reads one key at a time."""
    from fiftyone.factory.repos.execution_store import MongoExecutionStoreRepo

    return foo.get_db_conn()[MongoExecutionStoreRepo.COLLECTION_NAME]
