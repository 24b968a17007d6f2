"""How a panel's method answers: with its result or with what went wrong, never with an exception.

An exception would replace the whole panel by the App's error page.
"""

from __future__ import annotations

import functools
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..relabel.errors import RelabelError, Unforeseen

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.operators.executor import ExecutionContext

    Method = Callable[[Any, ExecutionContext], dict[str, Any]]

logger = logging.getLogger(__name__)


def now_json() -> str:
    """The present moment."""
    return datetime.now(UTC).isoformat()


def answering(method: Method) -> Method:
    """Makes a panel's method answer ``{"error": {"message", "advice"}}`` instead of raising."""

    @functools.wraps(method)
    def answer(self: Any, ctx: ExecutionContext) -> dict[str, Any]:
        try:
            return method(self, ctx)
        except RelabelError as error:
            return _described(error)
        except Exception as error:
            logger.exception("%s failed", method.__qualname__)
            return _described(Unforeseen(error))

    return answer


def _described(error: RelabelError) -> dict[str, Any]:
    return {"error": {"message": error.message, "advice": error.advice}}
