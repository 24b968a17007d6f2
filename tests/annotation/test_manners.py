"""A CVAT that answers otherwise within what it promises: every step comes to the same."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import fiftyone as fo
import pytest
import requests

from demo.cvat_server import running_server
from relabel.annotation import (
    EVERYTHING,
    Request,
    RoundField,
    discard_round,
    field_facts,
    make_plan,
    pull,
    push,
    review_pull,
    rounds_status,
    undo_pull,
)
from relabel.cvat import CvatClient, CvatConfig, CvatUnreachable, JobState, uploads
from tests.annotation.legal_proxy import legal_proxy
from tests.annotation.sending.small_push import remove, tasks_of, unique
from tests.annotation.stock.stock_labels import classes, masks, polygons

KEY = unique("manners")
FIELDS = ("ground_truth", "masks", "lakes", "pose", "scene")
DIVISIONS = {
    "jobs": {"images_per_job": 2},
    "overlap": {"images_per_job": 2, "overlap": 1},
    "ground truth": {"validation": "ground_truth", "validation_share": 0.4},
}


@pytest.fixture
def dataset(dataset):
    """Images with labels of every kind; a skeleton, several parts, attributes."""
    for sample in dataset:
        sample["masks"], sample["lakes"] = masks(), polygons()
        sample["scene"] = classes()
        sample["pose"] = fo.Keypoints(
            keypoints=[
                fo.Keypoint(label="bird", points=[(0.1, 0.2), (float("nan"),) * 2, (0.3, 0.4)])
            ]
        )
        sample.ground_truth.detections[0]["note"] = "x"
        sample.ground_truth.detections[1]["iscrowd"] = 1
        sample.save()
    dataset.add_dynamic_sample_fields()
    nodes = fo.KeypointSkeleton(labels=["nose", "left", "right"], edges=[[0, 1, 2]])
    dataset.skeletons = {"pose": nodes}
    dataset.save()
    return dataset


def request_of(dataset, **options):
    fields = tuple(RoundField(name, field_facts(dataset, name).to_schema()) for name in FIELDS)
    return Request(KEY, fields, images_per_task=3, **options)


def documents(dataset):
    """The samples as text, without when they were stored: a missing point is not itself."""
    found = dataset._sample_collection.find().sort("_id", 1)
    return "\n".join(str({**document, "last_modified_at": None}) for document in found)


def annotate(client, record):
    """Edits as people do: in each job some of every type are moved, one goes, one comes."""
    for task in record.tasks:
        for job in client.jobs([task.id]):
            found = client.job_annotations(job.id)
            shapes = sorted(found.shapes, key=lambda shape: (shape.is_tag, shape.id))
            by_type = {(shape.type, shape.frame): shape for shape in reversed(shapes)}
            _patch(client, job, "update", [_edited(shape) for shape in by_type.values()])
            _patch(client, job, "delete", [shapes[1]])
            _patch(client, job, "create", [replace(shapes[0], id=None, attributes={})])
            client.set_job(job.id, state=JobState.COMPLETED)


def _edited(shape):
    by = 2.0 if shape.type in {"rectangle", "polygon"} else 0.0
    nodes = tuple(replace(node, points=(7.0, 9.0), outside=False) for node in shape.elements)
    return replace(shape, points=tuple(x + by for x in shape.points), elements=nodes)


def _patch(client, job, action, shapes):
    items = [shape.to_json() | ({"id": shape.id} if shape.id else {}) for shape in shapes]
    for item, shape in zip(items, shapes, strict=True):
        for element, node in zip(item.get("elements", ()), shape.elements, strict=True):
            element.update({"id": node.id} if shape.id else {})
    tags = [item for item, shape in zip(items, shapes, strict=True) if shape.is_tag]
    body = {"version": 0, "tags": tags, "tracks": []}
    body["shapes"] = [item for item in items if item not in tags]
    path = f"/api/jobs/{job.id}/annotations"
    client._transport.send_json("PATCH", path, body, {"action": action})


def status_of(dataset, client):
    (status,) = rounds_status(dataset, client)
    jobs = [(job.type, job.images, job.state, job.pulled) for job in status.jobs]
    return status.images, status.labels, status.images_done, jobs


def drawn_in(client, record):
    """All that is in CVAT, in the words of the round."""
    drawn = []
    for number, task in enumerate(record.tasks):
        attributes = {spec.id: spec.name for label in task.labels for spec in label.attributes}
        nodes = {node.id: node.name for label in task.labels for node in label.sublabels}
        names = {label.id: label.name for label in task.labels}
        for shape in client.task_annotations(task.id).shapes:
            texts = {attributes[spec]: text for spec, text in shape.attributes.items()}
            points = {nodes[node.label_id]: node.points for node in shape.elements}
            said = (number, shape.frame, shape.type, names[shape.label_id], shape.points)
            drawn.append((said, sorted(texts.items()), sorted(points.items()), shape.group))
    return sorted(drawn)


def loop(dataset, ours, theirs, **options):
    """Sends, looks, annotates, pulls and undoes; returns all that can be seen of it.

    Args:
        dataset: the dataset
        ours: our connection to the server
        theirs: that of the annotators
        **options: how the round is divided
    """
    before = documents(dataset)
    record = push(dataset, make_plan(dataset, request_of(dataset, **options)), ours)
    seen = [drawn_in(theirs, record), status_of(dataset, ours)]
    annotate(theirs, record)
    seen += [status_of(dataset, ours), review_pull(dataset, KEY, ours).counts]
    report = pull(dataset, KEY, ours, EVERYTHING)
    new_ids = re.compile(r"'_id': ObjectId\('[0-9a-f]*'\)")
    known = set(new_ids.findall(before))
    after = new_ids.sub(lambda m: m[0] if m[0] in known else "new", documents(dataset))
    seen += [report.counts, report.problems, report.jobs, report.sample_ids, after]
    seen += [status_of(dataset, ours), pull(dataset, KEY, ours, EVERYTHING).jobs]
    undo_pull(dataset, KEY)
    assert documents(dataset) == before
    remove(dataset, theirs, KEY)
    return seen


@pytest.mark.cvat
@pytest.mark.parametrize("division", list(DIVISIONS))
def test_loop__comes_to_the_same(dataset, client, cvat_config, division):
    plain = loop(dataset, client, client, **DIVISIONS[division])
    with (
        legal_proxy(cvat_config.url) as url,
        CvatClient(replace(cvat_config, url=url)) as proxied,
    ):
        assert loop(dataset, proxied, client, **DIVISIONS[division]) == plain


@pytest.mark.cvat
def test_discard_round__leaves_nothing(dataset, client, cvat_config, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_REQUEST_FILES", 2)
    before = documents(dataset)
    send = requests.adapters.HTTPAdapter.send

    def lost(adapter, request, **options):
        answer = send(adapter, request, **options)
        if request.method == "PUT":
            raise requests.exceptions.ConnectionError("lost")
        return answer

    with (
        legal_proxy(cvat_config.url) as url,
        CvatClient(replace(cvat_config, url=url)) as proxied,
    ):
        plan = make_plan(dataset, request_of(dataset))
        with monkeypatch.context() as context:
            context.setattr(requests.adapters.HTTPAdapter, "send", lost)
            with pytest.raises(CvatUnreachable, match="same name"):
                push(dataset, plan, proxied)
        assert len(tasks_of(client, KEY)) == 2
        discard_round(dataset, KEY, proxied)
    assert tasks_of(client, KEY) == []
    assert documents(dataset) == before
    assert dataset.list_annotation_runs() == []


def test_loop__on_a_server_with_large_ids(dataset, client, tmp_path):
    plain = loop(dataset, client, client)
    with running_server(tmp_path):
        pass  # makes its database
    with closing(sqlite3.connect(tmp_path / "cvat.sqlite3")) as database, database:
        rows = [(name, 2**33) for name in ("tasks", "jobs", "labels", "attributes")]
        database.executemany("INSERT INTO sqlite_sequence VALUES (?, ?)", rows)
        rows = [(name, 2**40) for name in ("tag", "shape", "track", "tracked_shape")]
        database.executemany("INSERT INTO counters VALUES (?, ?)", rows)
    with running_server(tmp_path) as server:
        config = CvatConfig(server.url, "lead", server.users["lead"])
        with CvatClient(config) as far:
            assert loop(dataset, far, far) == plain
