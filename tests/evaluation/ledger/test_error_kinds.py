from __future__ import annotations

import fiftyone as fo
import pytest

from relabel.evaluation.detections import evaluate_detections
from relabel.evaluation.ledger.error_kinds import ErrorKind, errors_by_image
from relabel.evaluation.matching.options import EvaluationOptions

WHOLE = [0.1, 0.1, 0.4, 0.4]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([("cat", WHOLE)], {}),
        ([("dog", WHOLE)], {ErrorKind.WRONG_CLASS: 1}),
        ([("cat", [0.1, 0.1, 0.2, 0.4])], {}),  # overlaps by exactly a half
        ([("cat", [0.1, 0.1, 0.1, 0.4])], {ErrorKind.BAD_BOX: 1}),
        ([("dog", [0.1, 0.1, 0.1, 0.4])], {ErrorKind.BOTH: 1, ErrorKind.MISSED: 1}),
        ([("cat", WHOLE), ("cat", [0.1, 0.1, 0.38, 0.4])], {ErrorKind.DUPLICATE: 1}),
        (
            [("cat", [0.8, 0.8, 0.1, 0.1])],
            {ErrorKind.BACKGROUND: 1, ErrorKind.MISSED: 1},
        ),
        ([], {ErrorKind.MISSED: 1}),
    ],
)
def test_errors_by_image__of_each_type(dataset, found, expected):
    sample = dataset.first()
    sample["ground_truth"] = fo.Detections(
        detections=[fo.Detection(label="cat", bounding_box=WHOLE)]
    )
    sample["predictions"] = fo.Detections(
        detections=[
            fo.Detection(label=label, bounding_box=box, confidence=0.9 - place / 10)
            for place, (label, box) in enumerate(found)
        ]
    )
    sample.save()
    view = dataset.select([*dataset.values("id")[3:], sample.id], ordered=True)
    for other in view[:3]:
        other["predictions"] = other.ground_truth.copy()
        for label in other.predictions.detections:
            label.confidence = 0.5
        other.save()
    done = evaluate_detections(view, "predictions", "ground_truth", eval_key="eval")
    counts = errors_by_image(done.outcome, EvaluationOptions())
    assert not any(count[:3].any() for count in counts.values())
    assert {kind: count[3] for kind, count in counts.items() if count[3]} == expected
