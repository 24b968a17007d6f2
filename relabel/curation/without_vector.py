"""How many samples have no vector, found out without reading any vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .filling import SKLEARN
from .similarity import samples_of
from .storing.brain_runs import collection_of_runs, stored_ids

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection


@dataclass(frozen=True)
class WithoutVector:
    """How many of some samples have no vector.

    Args:
        missing: that many
        samples: of how many; 0 if that cannot be told
    """

    missing: int = 0
    samples: int = 0

    @property
    def vectors(self) -> int:
        """How many have one."""
        return self.samples - self.missing


def without_vector_in_field(view: SampleCollection, field: str) -> WithoutVector:
    """Counts the samples of a view whose field holds nothing; the database looks at each."""
    return WithoutVector(view.match({field: None}).count(), view.count())


def without_vector_in_index(
    view: SampleCollection, brain_key: str, patches_field: str | None = None
) -> WithoutVector:
    """Counts the samples of a view that FiftyOne's own index does not hold.

    Args:
        view: the samples
        brain_key: the name of the index
        patches_field: of an index of patches the field of their labels: of the samples that have
            some, those are counted of which it holds none

    Returns:
        their number; of another back end, which would have to be asked, that it cannot be told
    """
    dataset = collection_of_runs(view)
    config = dataset.get_brain_info(brain_key).config
    if config.method != SKLEARN:
        return WithoutVector()
    field = config.embeddings_field  # FiftyOne's own index can leave its vectors there
    if field and not patches_field and view.has_field(field):
        return without_vector_in_field(view, field)
    held = stored_ids(dataset, brain_key, "label_ids" if patches_field else "sample_ids")
    if held is None:
        return WithoutVector()
    samples = samples_of(view, patches_field)
    found = {sample for key, sample in samples.items() if key in held}
    every = len(set(samples.values()))
    return WithoutVector(every - len(found), every)
