"""The fixtures of the evaluation tests, for the panel of the ledger."""

from tests.evaluation.label_errors.conftest import stored, world

__all__ = ["stored", "world"]
