"""What an evaluation, or a search for label errors, has left out, sample by sample."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...relabel.evaluation.matching.validity import InvalidLabel

_LISTED = 100


def left_out(invalid: Sequence[InvalidLabel], unpredicted: Sequence[str]) -> dict[str, Any]:
    """What an operator's result says of it; of many the first ones are named.

    Args:
        invalid: labels that cannot be evaluated
        unpredicted: samples without predictions
    """
    return {
        "invalid": len(invalid),
        "invalid_labels": [asdict(bad) for bad in invalid[:_LISTED]],
        "unpredicted": len(unpredicted),
        "unpredicted_samples": list(unpredicted[:_LISTED]),
    }


def show_left_out(outputs: types.Object, results: Mapping[str, Any]) -> None:
    """Adds to an output form which labels and which samples were left out."""
    if results.get("invalid_labels"):
        table = types.TableView()
        for name, label in (
            ("sample_id", "Sample"),
            ("label_id", "Label"),
            ("field", "Field"),
            ("reason", "Why"),
        ):
            table.add_column(name, label=label)
        outputs.list(
            "invalid_labels",
            types.Object(),
            label=_title("Labels left out", results["invalid"]),
            view=table,
        )
    if results.get("unpredicted_samples"):
        outputs.list(
            "unpredicted_samples",
            types.String(),
            label=_title("Samples without predictions", results["unpredicted"]),
        )


def _title(what: str, count: int) -> str:
    return f"{what}: the first {_LISTED} of {count:,}" if count > _LISTED else what
