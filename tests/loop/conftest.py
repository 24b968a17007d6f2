"""A round of all images, in whose first job a label is put right."""

from __future__ import annotations

import pytest

from relabel.annotation import (
    Request,
    RoundField,
    connect,
    field_facts,
    make_plan,
    push,
)
from relabel.evaluation.detections import evaluate_detections
from tests.annotator import Annotator

WRONG_BY = 5  # pixels of 64


@pytest.fixture
def client(cvat, monkeypatch):
    monkeypatch.setenv("FIFTYONE_CVAT_URL", cvat.url)
    monkeypatch.setenv("FIFTYONE_CVAT_USERNAME", "lead")
    monkeypatch.setenv("FIFTYONE_CVAT_PASSWORD", cvat.users["lead"])
    monkeypatch.delenv("FIFTYONE_CVAT_TOKEN", raising=False)
    return connect()


@pytest.fixture
def evaluated(dataset):
    """A model that finds all there is, and a first label that lies too far to the right."""
    dataset.clone_sample_field("ground_truth", "predictions")
    labels = dataset.values("predictions.detections.label")
    dataset.set_values("predictions.detections.confidence", [[0.9] * len(one) for one in labels])
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box[0] += WRONG_BY / 64
    sample.save()
    evaluate_detections(dataset, "predictions", "ground_truth", eval_key="eval")
    return dataset


@pytest.fixture
def jobs(evaluated, client, cvat):
    """The jobs of a round of all images, two in each; in the first the label is put right."""
    field = RoundField("ground_truth", field_facts(evaluated, "ground_truth").to_schema())
    record = push(
        evaluated, make_plan(evaluated, Request("r", (field,), images_per_job=2)), client
    )
    annotator = Annotator(cvat, "lead")
    ids = [job["id"] for job in annotator.jobs(record.tasks[0].id)]
    annotator.move_first_box(ids[0], -WRONG_BY)
    annotator.set_state(ids[0], "completed")
    yield ids
    for task in record.tasks:
        client.delete_task(task.id)
