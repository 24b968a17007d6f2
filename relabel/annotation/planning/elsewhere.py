"""What of the samples of a plan is out in another round already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..record.baseline import places_out
from ..record.rounds import list_rounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import fiftyone as fo

    from ..record.request import Request


@dataclass(frozen=True)
class Elsewhere:
    """What is out in one other round.

    Args:
        sample_ids: the samples, in the order of the view
        labels: how many labels they have there, of the fields in question
    """

    sample_ids: tuple[str, ...]
    labels: int

    def describe(self, key: str, *, sent: bool) -> str:
        """Says so in a sentence."""
        count = len(self.sample_ids)
        labels = f"{self.labels:,} label{'' if self.labels == 1 else 's'}"
        what = "sent all the same" if sent else "left out"
        verb = "is" if count == 1 else "are"
        return f'{count:,} of them {verb} out in round "{key}" with {labels}, and {what}.'


def find_elsewhere(
    dataset: fo.Dataset, sample_ids: Iterable[str], request: Request
) -> dict[str, Elsewhere]:
    """Finds which samples are out, with one of the fields, in rounds that are not finished.

    Returns:
        round -> what is out in it; a sample that is out in several is counted in each
    """
    names = {item.name for item in request.fields}
    rounds = [
        record
        for record in list_rounds(dataset)
        if record.schemas.keys() & names and not record.finished and record.key != request.key
    ]
    if not rounds:
        return {}
    counts: dict[str, dict[str, int]] = {record.key: {} for record in rounds}
    for place in places_out(rounds):
        labels = counts[place.key]
        taken = place.labels if place.field in names else 0
        labels[place.sample_id] = labels.get(place.sample_id, 0) + taken
    wanted = list(sample_ids)
    return {key: found for key, labels in counts.items() if (found := _among(wanted, labels))}


def samples_out(dataset: fo.Dataset) -> set[str]:
    """The samples that are out in any round that is not finished."""
    rounds = [record for record in list_rounds(dataset) if not record.finished]
    return {place.sample_id for place in places_out(rounds)} if rounds else set()


def without(sample_ids: Sequence[str], elsewhere: Mapping[str, Elsewhere]) -> list[str]:
    """Leaves out the samples that are out."""
    out = {sample_id for found in elsewhere.values() for sample_id in found.sample_ids}
    return [sample_id for sample_id in sample_ids if sample_id not in out]


def why_empty(elsewhere: Iterable[str]) -> tuple[str, str]:
    """Says why nothing is left to send, and what to do."""
    rounds = ", ".join(map(repr, elsewhere))
    if rounds:
        return (
            f"All of these images are out already in {rounds}.",
            "Pull them and finish that round, or choose other images.",
        )
    return "There are no images to send.", "Select some in the grid, or change the view."


def _among(sample_ids: Iterable[str], labels: Mapping[str, int]) -> Elsewhere | None:
    found = tuple(sample_id for sample_id in sample_ids if sample_id in labels)
    return Elsewhere(found, sum(labels[sample_id] for sample_id in found)) if found else None
