"""A vector back end that takes vectors batch by batch, as those on a server do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fiftyone.brain.internal.core.sklearn import (
    SklearnSimilarity,
    SklearnSimilarityConfig,
    SklearnSimilarityIndex,
)

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "batched"
KNOWN = {"config_cls": f"{__name__}.BatchedSimilarityConfig"}


class BatchedSimilarityConfig(SklearnSimilarityConfig):
    @property
    def method(self):
        return NAME


class BatchedSimilarity(SklearnSimilarity):
    def initialize(self, samples, brain_key):
        return BatchedSimilarityIndex(samples, self.config, brain_key, backend=self)


class BatchedSimilarityIndex(SklearnSimilarityIndex):
    """Notes how many vectors come and go at once, and has something done before it takes them."""

    taken: ClassVar[list[int]] = []
    removed: ClassVar[list[int]] = []
    at: ClassVar[int] = 0
    act: ClassVar[Callable[[], object]] = lambda: None

    def add_to_index(self, embeddings, *args, **kwargs):
        self.taken.append(len(embeddings))
        if len(self.taken) == self.at:
            type(self).act()
        super().add_to_index(embeddings, *args, **kwargs)

    def remove_from_index(self, sample_ids=None, label_ids=None, **kwargs):
        self.removed.append(len(sample_ids or label_ids))
        super().remove_from_index(sample_ids=sample_ids, label_ids=label_ids, **kwargs)
