"""A stand-in for a CVAT server: answers as CVAT 2.73.0 was recorded to answer.

It lets the demo and the tests run without CVAT. It is not CVAT: it has no annotation editor, knows
images only, and listens on the own machine only. What it does not do it refuses with HTTP 501.
"""

from .running import RunningServer, running_server
from .settings import DEFAULT_ACCOUNTS, Account

__all__ = ["DEFAULT_ACCOUNTS", "Account", "RunningServer", "running_server"]
