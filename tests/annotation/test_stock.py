"""A round of ours is an annotation run of FiftyOne's."""

from __future__ import annotations

import pytest

from relabel.annotation import load_round, rounds_status
from relabel.cvat import JobState

pytestmark = pytest.mark.cvat


def test_stock__loads_a_round_and_keeps_every_id(dataset, client, send, stock):
    from tests.annotation.test_round_trip import Annotator, documents

    record = send(images_per_job=3)
    annotator = Annotator(client, record)
    annotator.edit(annotator.on_frame(0)[0], points=(8.0, 6.0, 32.0, 24.0))
    client.set_job(record.tasks[0].jobs[0], state=JobState.COMPLETED)
    before = documents(dataset)
    answer = stock.run(
        ["load_annotations", "round_1", {"unexpected": "ignore"}],
        ["get_status", "round_1", {}],
        ["print_status", "round_1", {}],
        ["rename_annotation_run", "round_1", {"new_key": "renamed"}],
    )
    assert answer == {"states": ["completed", "new"], "runs": ["renamed"]}

    after = documents(dataset)
    for old, new in zip(before, after, strict=True):
        for was, now in zip(
            old["ground_truth"]["detections"], new["ground_truth"]["detections"], strict=True
        ):
            assert (now["_id"], now["label"]) == (was["_id"], was["label"])
    moved = after[0]["ground_truth"]["detections"][0]
    assert moved["bounding_box"] == pytest.approx([0.125, 0.125, 0.375, 0.375])

    dataset.reload()
    assert load_round(dataset, "renamed").id == record.id
    assert rounds_status(dataset, client)[0].key == "renamed"
    dataset.delete_annotation_run("renamed")
    assert rounds_status(dataset, client) == []
