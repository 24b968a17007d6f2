"""Everything around the demo: a database, a CVAT, and the settings that point FiftyOne at both."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.cvat_server import running_server
from demo.ending import let_go_of_database
from demo.services import fiftyone_environment, free_port, is_free, link_plugin, mongod

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ADMIN = "lead"
_TEAM = ("ann.a", "ann.b", "ann.c")


@dataclass(frozen=True)
class Person:
    """Somebody with an account on the CVAT server."""

    name: str
    password: str | None = None
    token: str | None = None

    def __repr__(self) -> str:
        return f"Person({self.name!r})"


@dataclass(frozen=True)
class World:
    """What the demo runs in.

    Args:
        directory: where its files are
        environment: the settings of every FiftyOne process of it
        cvat_url: the address of the CVAT server
        lead: who sends and pulls
        team: who annotates
    """

    directory: Path
    environment: dict[str, str]
    cvat_url: str
    lead: Person
    team: tuple[Person, ...]


@contextlib.contextmanager
def demo_world(directory: Path) -> Iterator[World]:
    """Starts what the demo needs, and points this process's FiftyOne at it.

    FiftyOne must not have been imported before. A CVAT server of one's own is taken from
    ``FIFTYONE_CVAT_URL`` with ``FIFTYONE_CVAT_TOKEN``, or ``_USERNAME`` and ``_PASSWORD``; its
    one user then annotates as well. A database of one's own is taken from
    ``FIFTYONE_DATABASE_URI``.

    Args:
        directory: where its files may be
    """
    with contextlib.ExitStack() as stack:
        uri = os.environ.get("FIFTYONE_DATABASE_URI") or stack.enter_context(
            mongod(directory / "database")
        )
        stack.callback(let_go_of_database)
        environment = fiftyone_environment(
            uri, directory / "home", link_plugin(directory / "plugins")
        )
        url, lead, team = _cvat(stack, directory)
        environment |= {"FIFTYONE_CVAT_URL": url}
        if lead.password:
            environment |= {
                "FIFTYONE_CVAT_USERNAME": lead.name,
                "FIFTYONE_CVAT_PASSWORD": lead.password,
            }
        os.environ.update(environment)
        yield World(directory, environment, url, lead, team)


def _cvat(stack: contextlib.ExitStack, directory: Path) -> tuple[str, Person, tuple[Person, ...]]:
    url = os.environ.get("FIFTYONE_CVAT_URL")
    if url:
        lead = Person(
            os.environ.get("FIFTYONE_CVAT_USERNAME", ""),
            os.environ.get("FIFTYONE_CVAT_PASSWORD"),
            os.environ.get("FIFTYONE_CVAT_TOKEN"),
        )
        return url.rstrip("/"), lead, (lead,)
    port = _same_port(directory / "cvat-port")
    server = stack.enter_context(running_server(directory / "cvat", port=port))
    people = {name: Person(name, password) for name, password in server.users.items()}
    return server.url, people[_ADMIN], tuple(people[name] for name in _TEAM)


def _same_port(file: Path) -> int:
    """The port of the last time, if it is free: a round knows its server by the address."""
    port = int(file.read_text()) if file.exists() else free_port()
    if not is_free(port):
        port = free_port()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(port))
    return port
