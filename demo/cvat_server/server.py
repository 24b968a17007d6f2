"""What all addresses share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .database import Database, timestamp
from .passwords import hash_password, verify_password
from .throttle import Throttle

if TYPE_CHECKING:
    from pathlib import Path

    from .settings import Account, Settings


@dataclass(frozen=True)
class Server:
    """Database, media folder, background worker, limits.

    Attributes:
        settings: as the server was started
        db: the state
        media: folder with one folder for each task
        throttle: the limit for requests without a log-in
        worker: runs the background requests; two at once, as the stock server does
    """

    settings: Settings
    db: Database
    media: Path
    throttle: Throttle
    worker: ThreadPoolExecutor

    @classmethod
    def open(cls, settings: Settings) -> Server:
        """Opens or makes the data folder, and the users named in the settings."""
        settings.data.mkdir(parents=True, exist_ok=True)
        media = settings.data / "media"
        media.mkdir(exist_ok=True)
        db = Database(settings.data / "cvat.sqlite3")
        _ensure_accounts(db, settings.accounts)
        _fail_interrupted(db)
        worker = ThreadPoolExecutor(2, thread_name_prefix="import")
        return cls(settings, db, media, Throttle(settings.anonymous_rate), worker)

    def close(self) -> None:
        """Waits for the background requests and closes the database."""
        self.worker.shutdown(cancel_futures=True)
        self.db.close()


def _ensure_accounts(db: Database, accounts: tuple[Account, ...]) -> None:
    """Makes users that are missing and sets passwords that differ."""

    def new_hash(account: Account) -> str | None:
        stored = db.value("SELECT password FROM users WHERE username = ?", account.name)
        if stored is not None and verify_password(account.password, stored):
            return None
        return hash_password(account.password)

    with ThreadPoolExecutor(4) as pool:
        hashes = list(pool.map(new_hash, accounts))
    with db.transaction():
        for account, hashed in zip(accounts, hashes, strict=True):
            if hashed is not None:
                _save_account(db, account, hashed)


def _save_account(db: Database, account: Account, hashed: str) -> None:
    known = db.value("SELECT id FROM users WHERE username = ?", account.name)
    if known is not None:
        db.update("users", known, password=hashed)
        return
    db.insert(
        "users",
        username=account.name,
        email=f"{account.name}@example.com",
        password=hashed,
        is_superuser=account.admin,
        date_joined=timestamp(),
    )


def _fail_interrupted(db: Database) -> None:
    with db.transaction():
        db.run("UPDATE media SET state = 'failed' WHERE state = 'processing'")
        db.run(
            "UPDATE background SET status = 'failed', finished_date = ?, expiry_date = '9999', "
            "message = 'Work-horse terminated unexpectedly' "
            "WHERE status IN ('queued', 'started')",
            timestamp(),
        )
