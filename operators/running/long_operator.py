"""Operators that may take long: at once they stream to the App, later they run on an executor."""

from __future__ import annotations

from typing import Any

import fiftyone.operators as foo


class LongOperator(foo.Operator):
    """Base of operators whose ``execute`` is a :func:`run_with_progress`."""

    def long_config(
        self, name: str, label: str, *, delegable: bool = True, **kwargs: Any
    ) -> foo.OperatorConfig:
        """A configuration that allows execution at once and, if delegable, on an executor."""
        return foo.OperatorConfig(
            name=name,
            label=label,
            dynamic=True,
            execute_as_generator=True,
            allow_immediate_execution=True,
            allow_delegated_execution=delegable,
            **kwargs,
        )

    def resolve_run_name(self, ctx: Any) -> str:  # noqa: ARG002
        """What a queued operation is called; FiftyOne gives it the operator's bare name."""
        return str(self.config.label)
