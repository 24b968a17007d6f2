"""What a delegated operation that has ended well has to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators.executor import ExecutionRunState

from .errors import NoOutcome
from .operations import collection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bson import ObjectId


@dataclass(frozen=True)
class Outcome:
    """What an operator was asked with, and what it returned.

    Args:
        operator: the URI of the operator
        params: what it was asked with
        result: what it returned; empty if that is nothing
    """

    operator: str
    params: Mapping[str, Any]
    result: Mapping[str, Any]


def outcome_of(operation: ObjectId, dataset_id: ObjectId) -> Outcome:
    """What an operation of a dataset returned.

    Args:
        operation: its id
        dataset_id: the dataset's

    Raises:
        NoOutcome: if it was deleted, is of another dataset, or has not ended well
    """
    document = collection().find_one(
        {"_id": operation, "dataset_id": dataset_id},
        {"operator": 1, "run_state": 1, "context.request_params.params": 1, "result.result": 1},
    )
    if document is None:
        raise NoOutcome(
            "This operation is not among those of the dataset.",
            "It was deleted, or is of another dataset; refresh the Operations panel.",
        )
    if document["run_state"] != ExecutionRunState.COMPLETED:
        raise NoOutcome(
            f"This operation is {document['run_state']}, so that it has no result.",
            "Look at it in the Operations panel.",
        )
    return Outcome(
        operator=document["operator"],
        params=document["context"]["request_params"].get("params") or {},
        result=(document.get("result") or {}).get("result") or {},
    )
