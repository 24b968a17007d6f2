"""An answer before it is encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """What a function of an address gives back.

    It is encoded after the transaction has ended: a body that cannot be written as JSON gives
    HTTP 500 although it is stored, as on the real server.

    Attributes:
        body: what is sent as JSON; None for an empty body
        status: the HTTP status
        headers: headers to add
        cookies: values of Set-Cookie headers
    """

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
