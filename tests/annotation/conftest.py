"""A client of the CVAT server under test, and rounds on it."""

from __future__ import annotations

import pytest

from relabel.annotation import Request, RoundField, field_facts, make_plan, push
from relabel.cvat import CvatClient
from relabel.labels import LabelSchema
from tests.annotation.stock.stock_labels import KINDS, boxes
from tests.annotation.stock.stock_rounds import Stock


@pytest.fixture(scope="session")
def client(cvat_config):
    with CvatClient(cvat_config) as client:
        yield client


@pytest.fixture
def send(dataset, client):
    """Sends samples of the dataset; whatever was made in CVAT is removed after the test."""
    task_ids = []

    def send(key="round_1", samples=None, field="ground_truth", classes=None, **options):
        kind = options.pop("kind", "detections")
        facts = field_facts(dataset, field) if dataset.has_field(field) else None
        schema = facts.to_schema(classes) if facts else LabelSchema(tuple(classes), kind=kind)
        fields = options.pop("fields", (RoundField(field, schema),))
        request = Request(key, fields, **options)
        record = push(dataset, make_plan(samples or dataset, request), client)
        task_ids.extend(task.id for task in record.tasks)
        return record

    yield send
    for task_id in task_ids:
        if client.task_exists(task_id):
            client.delete_task(task_id)


@pytest.fixture
def stock(dataset, client, cvat_config, cvat_admin):
    """Stock FiftyOne; the tasks and projects that it made in CVAT are removed after the test."""
    stock = Stock(dataset, cvat_config)
    yield stock
    for task_id in stock.task_ids:
        client.delete_task(task_id)
    for name in stock.projects:
        project = client.projects.find(name)
        assert project is None or client.projects.delete_if_empty(project)


@pytest.fixture
def fill(dataset):
    """Gives every second sample a label of a kind in the field ``labels``."""

    def fill(name):
        for sample in dataset.match_tags("even"):
            sample["labels"] = KINDS[name][0]()
            sample.save()
        dataset.add_dynamic_sample_fields()
        return KINDS[name][1]

    return fill


@pytest.fixture
def odd(dataset):
    """Boxes that are not on whole pixels."""
    for sample in dataset:
        sample["ground_truth"] = boxes()
        sample.save()
    dataset.add_dynamic_sample_fields()
