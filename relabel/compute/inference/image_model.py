"""What our own FiftyOne models have in common."""

from __future__ import annotations

from fiftyone.core.models import Model

PIXELS = {
    "0 to 255": (1.0, 0.0),
    "0 to 1": (1 / 255, 0.0),
    "-1 to 1": (2 / 255, -1.0),
}
"""Ranges of pixels that models expect: what they are multiplied by, and what is added then."""


class ImageModel(Model):  # type: ignore[misc]
    """A FiftyOne model that takes images of any size as they are read, many at once."""

    @property
    def media_type(self) -> str:
        """The media that it takes."""
        return "image"

    @property
    def using_gpu(self) -> bool:
        """Whether it computes on a GPU, as FiftyOne's PyTorch models say it."""
        return False

    @property
    def ragged_batches(self) -> bool:
        """False: a batch may hold images of different sizes."""
        return False

    @property
    def transforms(self) -> None:
        """None: it resizes images by itself."""
        return

    @property
    def preprocess(self) -> bool:
        """False: there is nothing to do before it."""
        return False

    @preprocess.setter
    def preprocess(self, value: bool) -> None:
        """FiftyOne sets it; without transforms it means nothing."""
