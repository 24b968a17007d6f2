"""Outcomes that are cut and joined image by image."""

from __future__ import annotations

import numpy as np
import pytest
from bson import ObjectId, encode

from relabel.evaluation.matching import outcome as outcomes
from relabel.evaluation.matching.options import Comparison
from relabel.evaluation.matching.outcome import Pieces, joined, match_images, same

COMPARISON = Comparison("predictions", "ground_truth")
RANDOM = np.random.default_rng(0)


def _labels(most):
    return [
        {
            "_id": ObjectId(),
            "label": str(RANDOM.choice(["cat", "dog"])),
            "bounding_box": [*RANDOM.integers(0, 4, 2) / 8, *RANDOM.integers(0, 4, 2) / 8],
            "confidence": RANDOM.random(),
        }
        for _ in range(RANDOM.integers(0, most))
    ]


def _piece(images):
    documents = (
        {"_id": ObjectId(), "ground_truth": {"detections": _labels(4)}}
        | ({"predictions": {"detections": _labels(5)}} if RANDOM.random() < 0.9 else {})
        for _ in range(images)
    )
    return match_images([encode(document) for document in documents], COMPARISON)


@pytest.mark.parametrize("most_runs", [0, 2])
@pytest.mark.parametrize(
    "places",
    [
        range(35),
        [0, 1, 2, 20, 4, 5, 21, 22, 8, 9, 30, 11],
        [19, 20, 34, 3, 2, 1],
        [33],
        [],
    ],
)
def test_pieces__put_together_of_runs_or_one_by_one(places, most_runs, monkeypatch):
    pieces = (_piece(20), _piece(0), _piece(10), _piece(5))
    wanted = np.array(places, dtype=np.int64)
    monkeypatch.setattr(outcomes, "_MOST_RUNS", most_runs)
    found = Pieces(pieces, wanted).outcome
    assert len(joined(pieces).invalid) > 0
    assert same(found, joined(pieces).take(wanted))
    assert found.invalid_image.tolist() == joined(pieces).take(wanted).invalid_image.tolist()
