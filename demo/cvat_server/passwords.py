"""Password hashes, as costly as Django's: a log-in by password is slow on purpose."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_ITERATIONS = 600_000


def hash_password(password: str) -> str:
    """PBKDF2 with SHA-256; the text holds iterations, salt and hash."""
    salt = secrets.token_hex(11)
    return f"{_ITERATIONS}${salt}${_derive(password, salt, _ITERATIONS)}"


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the one that was hashed."""
    iterations, salt, expected = stored.split("$")
    return hmac.compare_digest(_derive(password, salt, int(iterations)), expected)


def _derive(password: str, salt: str, iterations: int) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations).hex()
