"""SQLite behind one lock: every request that changes something is one transaction."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Row = sqlite3.Row


def timestamp(moment: datetime | None = None) -> str:
    """A time as the API writes it: UTC, microseconds, ``Z``."""
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Database:
    """The state of the server.

    Args:
        path: the database file; made when it is not there
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Holds the lock; commits at the end, rolls back when an exception passes."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def all(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query, if there is one."""
        with self._lock:
            row: Row | None = self._connection.execute(sql, values).fetchone()
            return row

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row."""
        row = self.one(sql, *values)
        return None if row is None else row[0]

    def run(self, sql: str, *values: Any) -> int:
        """Executes one statement; the number of rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Executes one statement for many rows."""
        with self._lock:
            self._connection.executemany(sql, rows)

    def insert(self, table: str, **columns: Any) -> int:
        """Inserts one row into a table of ours; its id."""
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        with self._lock:
            return self._connection.execute(sql, tuple(columns.values())).lastrowid or 0

    def update(self, table: str, row_id: int, **columns: Any) -> None:
        """Changes columns of one row of a table of ours."""
        if not columns:
            return
        sets = ", ".join(f'"{name}" = ?' for name in columns)
        self.run(f"UPDATE {table} SET {sets} WHERE id = ?", *columns.values(), row_id)  # noqa: S608

    def reserve(self, counter: str, count: int) -> int:
        """Takes ``count`` new numbers; the first of them. Numbers are never given twice."""
        with self._lock:
            self.run(
                "INSERT INTO counters VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
                counter,
                count,
            )
            last: int = self.value("SELECT value FROM counters WHERE name = ?", counter)
            return last - count + 1
