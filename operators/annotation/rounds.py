"""What the operators on rounds share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from ...relabel.annotation import RoundState, list_rounds, other_runs
from ...relabel.errors import RelabelError
from ..forms import field_choice, show_error, show_notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.operators.message import GeneratedMessage

    from ...relabel.annotation import Round


class NoRounds(RelabelError):
    """The dataset has no round that the operator could work on."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing of this dataset is out in CVAT.",
            "Select samples in the grid and press Send to CVAT.",
        )


class NothingInterrupted(RelabelError):
    """The dataset has no round that was interrupted."""

    def __init__(self) -> None:
        super().__init__("No round of this dataset was interrupted while it was sent.")


def ask_for_interrupted_round(
    ctx: Any, inputs: types.Object, which: Callable[[list[Round]], list[Round]]
) -> None:
    """Adds the choice of a round that was interrupted, as ``key``.

    Args:
        ctx: the execution context
        inputs: the form
        which: which of the dataset's rounds can be chosen
    """
    keys = [record.key for record in reversed(which(list_rounds(ctx.dataset)))]
    if keys:
        field_choice(inputs, "key", keys, label="Round", default=keys[0])
    else:
        show_error(inputs, "error", NothingInterrupted())


def warnings_of(ctx: Any, result: dict[str, Any]) -> list[GeneratedMessage]:
    """Tells the App's user what could not be evaluated again, which would be overlooked."""
    return [ctx.ops.notify(text, variant="warning") for text in result["unmeasured"]]


def ask_for_round(ctx: Any, inputs: types.Object, *, out_only: bool = True) -> bool:
    """Adds the choice of a round, as ``key``; whether there is one.

    Runs that stock FiftyOne sent are among them. Of runs that cannot be rounds it is said why.

    Args:
        ctx: the execution context
        inputs: the form
        out_only: whether those are left out that are being sent or given up
    """
    rounds = reversed(list_rounds(ctx.dataset))
    keys = [one.key for one in rounds if one.state is RoundState.OUT or not out_only]
    unseen, left = other_runs(ctx.dataset)
    keys += reversed(unseen)
    if keys:
        field_choice(inputs, "key", keys, label="Round", default=keys[0])
    else:
        show_error(inputs, "error", NoRounds())
    for number, run in enumerate(left):
        show_notice(inputs, f"left_{number}", str(run.problem))
    return bool(keys)


def ask_for_jobs(inputs: types.Object, description: str = "") -> None:
    """Adds the ids of jobs, as ``jobs``; the CVAT panel shows them."""
    inputs.list(
        "jobs",
        types.Number(int=True),
        label="Ids of jobs",
        description=description or "As the CVAT panel shows them",
        required=not description,
    )
