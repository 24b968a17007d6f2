"""What can be chosen when the stand-in starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SERVER_VERSION = "2.73.0"


@dataclass(frozen=True)
class Account:
    """A user that exists from the start."""

    name: str
    password: str
    admin: bool = False

    @classmethod
    def parse(cls, text: str) -> Account:
        """Reads ``name:password`` or ``name:password:admin``."""
        parts = text.split(":")
        if len(parts) not in (2, 3) or not parts[0] or (len(parts) == 3 and parts[2] != "admin"):
            raise ValueError("a user is given as name:password or name:password:admin")
        return cls(parts[0], parts[1], admin=len(parts) == 3)

    def __str__(self) -> str:
        return f"{self.name}:{self.password}{':admin' if self.admin else ''}"


DEFAULT_ACCOUNTS = (
    Account("lead", "lead-demo", admin=True),
    Account("ann.a", "ann.a-demo"),
    Account("ann.b", "ann.b-demo"),
    Account("ann.c", "ann.c-demo"),
)


@dataclass(frozen=True)
class Settings:
    """Where the data lies and how strict the server is.

    Attributes:
        data: the folder of the database and of the media files
        accounts: users made at the start, if they are not there yet
        anonymous_rate: requests a minute that one address may send without a log-in, 0 for no
            limit
        finished_request_ttl: seconds for which a finished background request can be asked for
    """

    data: Path
    accounts: tuple[Account, ...] = field(default=DEFAULT_ACCOUNTS)
    anonymous_rate: int = 100
    finished_request_ttl: int = 500
