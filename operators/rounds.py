"""What the operators on rounds share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..relabel.annotation import RoundState, list_rounds
from ..relabel.errors import RelabelError
from .forms import field_choice, show_error

if TYPE_CHECKING:
    from fiftyone.operators import types


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


def ask_for_interrupted_round(ctx: Any, inputs: types.Object) -> None:
    """Adds the choice of a round that was never sent to its end, as ``key``."""
    rounds = reversed(list_rounds(ctx.dataset))
    keys = [record.key for record in rounds if record.state is not RoundState.OUT]
    if keys:
        field_choice(inputs, "key", keys, label="Round", default=keys[0])
    else:
        show_error(inputs, "error", NothingInterrupted())
