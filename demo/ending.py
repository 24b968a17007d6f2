"""How the demo ends when it is told to, wherever it is at that moment."""

from __future__ import annotations

import atexit
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TERMINATED = 128 + signal.SIGTERM
_AGAIN_SECONDS = 0.5


@contextlib.contextmanager
def ends_when_told() -> Iterator[None]:
    """Lets SIGTERM end what runs meanwhile, in order.

    FiftyOne catches every error in some places, also the one that ends a program. So it is raised
    again until it is out of here; what is outside then ends undisturbed.
    """

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        sys.exit(TERMINATED)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGALRM, end)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def let_go_of_database() -> None:
    """Does what FiftyOne does when Python ends, as long as its database is there.

    Later it would wait for half a minute for one that is gone.
    """
    database = sys.modules.get("fiftyone.core.odm.database")
    if database:
        at_exit = database._delete_non_persistent_datasets_if_allowed  # noqa: SLF001 - no public way
        at_exit()
        atexit.unregister(at_exit)
