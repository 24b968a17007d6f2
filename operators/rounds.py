"""What the operators on rounds share."""

from ..relabel.errors import RelabelError


class NoRounds(RelabelError):
    """The dataset has no round that the operator could work on."""

    def __init__(self) -> None:
        super().__init__(
            "Nothing of this dataset is out in CVAT.",
            "Select samples in the grid and press Send to CVAT.",
        )
