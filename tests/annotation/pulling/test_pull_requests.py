"""How much a pull asks of the server, and how much of a round it can be narrowed to."""

from __future__ import annotations

import pytest
import requests
from PIL import Image

from relabel.annotation import (
    EVERYTHING,
    PROVENANCE,
    Choice,
    change_reference,
    pull,
    pull_issues,
    review_pull,
    rounds_status,
    undo_pull,
)
from relabel.cvat import JobStage, JobState
from tests.annotation.pulling.test_crash import crash  # noqa: F401 - a fixture
from tests.annotation.test_round_trip import Annotator, documents, labels_of

pytestmark = pytest.mark.cvat


@pytest.fixture
def counted(monkeypatch):
    """The requests that are sent from now on."""
    send, sent = requests.adapters.HTTPAdapter.send, []

    def counting(adapter, request, **options):
        sent.append(f"{request.method} {request.path_url.split('?')[0]}")
        return send(adapter, request, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counting)
    return sent


@pytest.fixture
def many(dataset, tmp_path):
    """Makes the dataset 30 images."""
    import fiftyone as fo

    samples = []
    for index in range(24):
        path = tmp_path / f"more-{index}.png"
        Image.new("RGB", (64, 48), (index, 0, 0)).save(path)
        box = fo.Detection(label="cat", bounding_box=[0.1, 0.2, 0.3, 0.4])
        detections = fo.Detections(detections=[box])
        samples.append(fo.Sample(filepath=str(path), ground_truth=detections))
    dataset.add_samples(samples)


def test_pull__no_job_changed_is_one_request_and_no_write(dataset, client, send, counted, crash):  # noqa: F811
    Annotator(client, send(images_per_job=1)).complete()
    pull(dataset, "round_1", client)
    before = documents(dataset)
    counted.clear()
    with crash(0):  # the first write to the database would end it
        report = pull(dataset, "round_1", client)
    assert counted == ["GET /api/jobs"]
    assert (report.jobs, report.counts, documents(dataset)) == (0, {}, before)


def test_pull__thirty_jobs_are_at_most_three_requests(dataset, client, many, send, counted):
    record = send(images_per_job=1)
    assert len(record.tasks[0].jobs) == 30
    annotator = Annotator(client, record)
    for frame in range(30):
        annotator.edit(annotator.on_frame(frame)[0], points=(1.0, 2.0, 3.0, 4.0))
    annotator.complete()
    counted.clear()
    report = pull(dataset, "round_1", client)
    assert (report.jobs, report.counts) == (30, {"moved": 30})
    assert len(counted) <= 3
    annotator.complete(7)
    counted.clear()
    assert pull(dataset, "round_1", client).jobs == 1
    assert counted == ["GET /api/jobs", f"GET /api/jobs/{record.tasks[0].jobs[7]}/annotations"]


@pytest.fixture
def deleted(dataset, client, send, cvat_team):
    """Six jobs with one deletion each; every other is completed, the third is validated."""
    record = send(images_per_job=1, assignees=cvat_team[:2])
    annotator = Annotator(client, record)
    for frame in range(6):
        annotator.delete(annotator.on_frame(frame)[0])
    annotator.complete(0, 2, 4)
    client.set_job(record.tasks[0].jobs[2], stage=JobStage.VALIDATION, state=JobState.COMPLETED)
    return record


def test_pull__of_some_jobs_states_stages_and_people(dataset, client, deleted, cvat_team):
    def found(**choice):
        return [job.id for job in review_pull(dataset, "round_1", client, Choice(**choice)).jobs]

    jobs = list(deleted.tasks[0].jobs)
    assert found() == jobs[::2]
    assert found(states={"new"}) == jobs[1::2]
    assert found(stages={"validation"}) == [jobs[2]]
    assert found(jobs={jobs[0], jobs[1]}) == [jobs[0]]
    assert found(states=None, assignees={""}) == []
    assert found(states=None, assignees={cvat_team[1]}) == jobs[1::2]
    assert pull(dataset, "round_1", client, Choice(jobs={jobs[4]})).counts == {"removed": 1}
    assert found() == [jobs[0], jobs[2]]


def test_pull__of_some_samples_leaves_the_others_for_later(dataset, client, send):
    annotator = Annotator(client, send(images_per_job=3))
    for frame in (0, 1, 4):
        annotator.delete(annotator.on_frame(frame)[0])
    annotator.complete()
    second = dataset.skip(1).first().id
    choice = Choice(samples={second})
    assert review_pull(dataset, "round_1", client, choice).counts == {"removed": 1}
    assert pull(dataset, "round_1", client, choice).sample_ids == (second,)
    assert pull(dataset, "round_1", client).counts == {"removed": 2}
    assert pull(dataset, "round_1", client).jobs == 0


def test_pull__leaves_out_changes_and_samples(dataset, client, send):
    annotator = Annotator(client, send())
    for frame in (0, 1):
        annotator.delete(annotator.on_frame(frame)[0])
        annotator.draw(frame, "dog", (10.0, 12.0, 20.0, 24.0))
    annotator.complete()
    review = review_pull(dataset, "round_1", client)
    first, second = review.frames[0], review.frames[1]
    (added,) = [change for change in first.diff.changes if change.before is None]
    leave_out = [change_reference(first.sample_id, added), second.sample_id]
    report = pull(dataset, "round_1", client, leave_out=leave_out)
    assert (report.counts, report.sample_ids) == ({"removed": 1}, (first.sample_id,))
    assert review_pull(dataset, "round_1", client).counts == {"added": 2, "removed": 1}
    assert pull(dataset, "round_1", client).counts == {"added": 2, "removed": 1}
    assert pull(dataset, "round_1", client).jobs == 0


def test_pull__writes_who_changed_a_label_where_it_is_asked_for(dataset, client, send, cvat_pair):
    record = send(images_per_job=3, assignees=cvat_pair)
    annotator = Annotator(client, record)
    annotator.edit(annotator.on_frame(3)[0], points=(1.0, 2.0, 3.0, 4.0))
    annotator.draw(3, "dog", (10.0, 12.0, 20.0, 24.0))
    annotator.complete()
    before = documents(dataset)
    pull(dataset, "round_1", client, provenance=True)
    job = client.jobs([record.tasks[0].id])[1]
    moved, untouched, added = labels_of(dataset, 3)
    for label in (moved, added):
        assert [label[name] for name in PROVENANCE[:3]] == [job.id, cvat_pair[1], "round_1"]
        assert (
            abs(label["cvat_at"].timestamp() - job.updated_at.replace(tzinfo=None).timestamp()) < 1
        )
    assert untouched == before[3]["ground_truth"]["detections"][1]
    dataset.reload()
    assert dataset.count_values("ground_truth.detections.cvat_job")[job.id] == 2
    from relabel.annotation import field_facts

    assert not set(PROVENANCE) & {a.name for a in field_facts(dataset, "ground_truth").attributes}
    undo_pull(dataset, "round_1")
    assert [d["ground_truth"] for d in documents(dataset)] == [d["ground_truth"] for d in before]


def remark(client, job_id, frame, text, position=(16.0, 12.0, 32.0, 36.0)):
    body = {"job": job_id, "frame": frame, "position": list(position), "message": text}
    return client._transport.send_json("POST", "/api/issues", body)["id"]


def test_pull_issues__come_as_boxes_with_their_comments(dataset, client, send, counted):
    record = send(images_per_job=3)
    first, second = record.tasks[0].jobs
    issue = remark(client, first, 1, "too wide")
    remark(client, second, 4, "what is this?", (1.0, 1.0, 5.0, 1.0, 5.0, 5.0))
    remark(client, second, 99, "on a frame that is not there")
    body = {"issue": issue, "message": "agreed"}
    client._transport.send_json("POST", "/api/comments", body)
    before = documents(dataset)
    counted.clear()
    report = pull_issues(dataset, "round_1", client)
    assert (report.open, report.resolved, len(counted)) == (2, 0, 3)
    assert report.sample_ids == tuple(dataset.values("id")[index] for index in (1, 4))
    (label,) = dataset.skip(1).first().cvat_issues.detections
    name = client.user.username
    assert label.comments == [f"{name}: too wide", f"{name}: agreed"]
    assert (label.label, label.bounding_box, label.reviewer) == (
        "open",
        [0.25] * 2 + [0.25, 0.5],
        name,
    )
    assert dataset.match_tags("cvat_issue").values("id") == list(report.sample_ids)
    assert [d["ground_truth"] for d in documents(dataset)] == [d["ground_truth"] for d in before]

    written = documents(dataset)
    pull_issues(dataset, "round_1", client)
    assert documents(dataset) == written, "nothing new, nothing written"
    client._transport.send_json("PATCH", f"/api/issues/{issue}", {"resolved": True})
    report = pull_issues(dataset, "round_1", client)
    assert (report.open, report.resolved) == (1, 1)
    resolved = dataset.skip(1).first()
    assert (resolved.cvat_issues.detections[0].label, "cvat_issue" in resolved.tags) == (
        "resolved",
        False,
    )
    assert resolved.cvat_issues.detections[0].id == label.id
    client._transport.request("DELETE", f"/api/issues/{issue}")
    pull_issues(dataset, "round_1", client)
    assert dataset.skip(1).first().cvat_issues.detections == []


def test_rounds_status__of_many_rounds_is_one_request(dataset, client, send, counted):
    for key in ("round_1", "round_2"):
        send(key, images_per_job=1, include_out=True)
    counted.clear()
    assert len(rounds_status(dataset, client)) == 2
    assert counted == ["GET /api/jobs"]
    assert EVERYTHING.states is None
