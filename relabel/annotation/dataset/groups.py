"""Which samples a dataset has where they are in groups, and which of them can be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.core.media as fom

from ..errors import UnsupportedField, UnsupportedMedia

if TYPE_CHECKING:
    from collections.abc import Sequence

    import fiftyone as fo


def every_sample(samples: fo.SampleCollection) -> fo.SampleCollection:
    """All samples of a dataset or view, those of every slice where they are in groups."""
    if samples.media_type != fom.GROUP:
        return samples
    return samples.select_group_slices(_allow_mixed=True)


def chosen_samples(samples: fo.SampleCollection, slices: Sequence[str]) -> fo.SampleCollection:
    """The samples of some slices, by default of the one that the App shows.

    Raises:
        UnsupportedMedia: if a slice is not there, or holds what cannot be sent
    """
    if samples.media_type != fom.GROUP:
        if slices:
            raise UnsupportedMedia("The samples are not in groups.", "Leave out the slices.")
        return samples
    kinds: dict[str, str] = samples.group_media_types
    wanted = list(slices) or [samples.group_slice]
    sendable = sorted(name for name, kind in kinds.items() if kind == fom.IMAGE)
    for name in wanted:
        if kinds.get(name) != fom.IMAGE:
            what = f"holds {kinds[name]}s" if name in kinds else "does not exist"
            raise UnsupportedMedia(
                f"The slice {name!r} {what}.",
                f"Images can be sent: {', '.join(sendable)}."
                if sendable
                else "Only slices of images can be sent, and there are none.",
            )
    return samples.select_group_slices(wanted)


def check_media_field(dataset: fo.Dataset, name: str) -> None:
    """Holds that a field names the files of samples.

    Raises:
        UnsupportedField: if it does not
    """
    fields = dataset.app_config.media_fields
    if name not in fields:
        raise UnsupportedField(
            f"{name!r} is no media field of the dataset.",
            f"Choose one of {', '.join(fields)}, or add it to dataset.app_config.media_fields.",
        )
