"""The limit for requests without a log-in."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict, deque

_WINDOW = 60.0


class Throttle:
    """Counts the requests of each address over the last minute.

    Args:
        rate: requests a minute; 0 for no limit
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._seen: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Counts one request.

        Returns:
            0 when it may pass, else the seconds until the next may
        """
        if not self._rate:
            return 0
        now = time.monotonic()
        with self._lock:
            seen = self._seen[address]
            while seen and seen[0] <= now - _WINDOW:
                seen.popleft()
            if len(seen) >= self._rate:
                return math.ceil(_WINDOW - (now - seen[0]))
            seen.append(now)
            return 0
