"""Outcomes as bytes: arrays in NumPy's own format, of which nothing is executed when read."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..matching.outcome import ARRAYS, Outcome, by_image
from ..matching.reading import unpacked_ids
from ..matching.tables import Detections, as_objects
from ..matching.validity import InvalidLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


def packed(outcome: Outcome, more: Mapping[str, NDArray[Any]]) -> bytes:
    """An outcome, and what is to be packed with it."""
    arrays: dict[str, Any] = {name: _small(getattr(outcome, name)) for name in ARRAYS}
    arrays |= more
    arrays["sample_ids"] = _packed_ids(outcome.sample_ids)
    arrays["invalid"] = np.frombuffer(
        json.dumps([asdict(bad) for bad in outcome.invalid]).encode(), dtype=np.uint8
    )
    for side, table in (("found", outcome.found), ("truth", outcome.truth)):
        labels = table.label.tolist()
        codes = {name: code for code, name in enumerate(dict.fromkeys(labels))}
        arrays |= {
            f"{side}.ids": _packed_ids(table.ids.tolist()),
            f"{side}.names": np.array(list(codes), dtype=str),
            f"{side}.codes": np.fromiter(map(codes.__getitem__, labels), np.int32, len(labels)),
            f"{side}.image": table.image.astype(np.int32),
            f"{side}.box": table.box,
            f"{side}.confidence": table.confidence,
            f"{side}.crowd": table.crowd,
        }
    with io.BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def _small(values: NDArray[Any]) -> NDArray[Any]:
    """Integers in as few bytes as they need."""
    if values.dtype != np.int32:
        return values
    low, high = int(values.min(initial=-1)), int(values.max(initial=0))
    return values.astype(np.min_scalar_type(min(low, -high - 1)))


def unpacked(data: bytes) -> tuple[Outcome, dict[str, NDArray[Any]]]:
    """An outcome, and what else was packed with it."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        sample_ids = tuple(unpacked_ids(arrays["sample_ids"].tobytes()))
        bad = [InvalidLabel(**one) for one in json.loads(arrays["invalid"].tobytes())]
        invalid, invalid_image = by_image(sample_ids, bad)
        outcome = Outcome(
            sample_ids=sample_ids,
            found=_table(arrays, "found"),
            truth=_table(arrays, "truth"),
            invalid=invalid,
            invalid_image=invalid_image,
            **{name: _wide(arrays[name]) for name in ARRAYS},
        )
        return outcome, {name: arrays[name] for name in ("stamps", "rows") if name in arrays}


def _wide(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.int32) if values.dtype.kind in "iu" else values


def _table(arrays: Mapping[str, NDArray[Any]], side: str) -> Detections:
    names = np.array(arrays[f"{side}.names"].tolist(), dtype=object)
    codes = arrays[f"{side}.codes"]
    return Detections(
        ids=as_objects(unpacked_ids(arrays[f"{side}.ids"].tobytes())),
        image=arrays[f"{side}.image"].astype(np.int64),
        label=names[codes] if codes.size else np.empty(0, dtype=object),
        box=arrays[f"{side}.box"],
        confidence=arrays[f"{side}.confidence"],
        crowd=arrays[f"{side}.crowd"],
    )


def _packed_ids(ids: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=np.uint8)
