"""Selects the images that add most to what is labelled already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fiftyone.operators import types

from .selecting import SelectingOperator

if TYPE_CHECKING:
    import fiftyone.operators as foo


class SelectUnique(SelectingOperator):
    """Selects so many images, tags and saves them, and shows them in the order of their choice."""

    base = "unique"

    @property
    def config(self) -> foo.OperatorConfig:
        """How FiftyOne shows it."""
        return self.long_config(
            "select_unique",
            "Select unique samples",
            description="Selects the images that differ most from one another and from the "
            "labelled ones",
            icon="filter_center_focus",
            risk_level=types.RiskLevel.LOW,
        )
