"""The fixtures of the evaluation tests, for the operators that apply and evaluate."""

from __future__ import annotations

from tests.evaluation.conftest import predicted, saved_models
from tests.evaluation.label_errors.conftest import stored, world

__all__ = ["predicted", "saved_models", "stored", "world"]
