from __future__ import annotations

import fiftyone.core.odm as foo
import pytest

from relabel.annotation import (
    Remark,
    UnknownRound,
    add_remarks,
    make_plan,
    pull,
    pull_issues,
    push,
    resume_push,
    rounds_with_unsaid,
)
from relabel.cvat import CvatRejected, CvatUnreachable
from tests.annotation.sending.small_push import remove, request_of, unique

pytestmark = pytest.mark.cvat


@pytest.fixture
def remarks(dataset):
    ids = dataset.values("id")
    return [
        Remark(ids[1], (0.25, 0.25, 0.25, 0.5), "Is this cat and not dog?"),
        Remark(ids[4], (0.1, 0.2, 0.3, 0.4), "Is there bird without a label?"),
    ]


def issues(client, record):
    return client.issues(record.tasks[0].jobs)


def test_add_remarks__issues_at_the_places(dataset, client, send, remarks):
    record = send(images_per_job=3)
    report = add_remarks(dataset, "round_1", client, remarks)
    assert (report.added, report.present, report.elsewhere) == (2, 0, 0)
    found = sorted(issues(client, record), key=lambda issue: issue.frame)
    assert [(issue.job_id, issue.frame) for issue in found] == [
        (record.tasks[0].jobs[0], 1),
        (record.tasks[0].jobs[1], 4),
    ]
    assert found[0].position == (16.0, 12.0, 32.0, 36.0)
    assert found[0].comments[0].text == "Relabel: Is this cat and not dog?"


def test_add_remarks__again_says_nothing_twice(dataset, client, send, remarks):
    record = send()
    add_remarks(dataset, "round_1", client, remarks[:1])
    report = add_remarks(dataset, "round_1", client, remarks)
    assert (report.added, report.present) == (1, 1)
    assert len(issues(client, record)) == 2


def test_add_remarks__interrupted_goes_on(dataset, client, send, remarks):
    record = send()

    class Crash(Exception):
        pass

    def crash(done, total):
        raise Crash

    with pytest.raises(Crash):
        add_remarks(dataset, "round_1", client, remarks, crash)
    assert len(issues(client, record)) == 1
    add_remarks(dataset, "round_1", client, remarks)
    assert len(issues(client, record)) == 2


def test_add_remarks__of_images_that_are_not_out(dataset, client, send, remarks):
    send(samples=dataset.limit(3))
    report = add_remarks(dataset, "round_1", client, remarks)
    assert (report.added, report.elsewhere) == (1, 1)


def test_add_remarks__of_images_that_two_jobs_share(dataset, client, send, remarks):
    record = send(images_per_job=4, overlap=2)
    add_remarks(dataset, "round_1", client, [Remark(dataset.values("id")[3], (0, 0, 1, 1), "?")])
    [issue] = issues(client, record)
    assert issue.job_id == record.tasks[0].jobs[0]


def test_add_remarks__do_not_come_back(dataset, client, send, remarks):
    record = send()
    before = dataset.values("ground_truth.detections")
    add_remarks(dataset, "round_1", client, remarks)
    client.set_job(record.tasks[0].jobs[0], state="completed")
    assert pull(dataset, "round_1", client).counts == {}
    assert pull_issues(dataset, "round_1", client).open == 0
    assert dataset.values("ground_truth.detections") == before
    assert dataset.count_sample_tags().get("cvat_issue") is None


def test_add_remarks__answered_ones_are_for_the_reviewer(dataset, client, send, remarks):
    record = send()
    add_remarks(dataset, "round_1", client, remarks)
    issue = issues(client, record)[0].id
    body = {"issue": issue, "message": "No, it is a dog."}
    client._transport.send_json("POST", "/api/comments", body)
    assert pull_issues(dataset, "round_1", client).open == 1


def test_add_remarks__task_that_is_gone(dataset, client, send, remarks):
    record = send()
    client.delete_task(record.tasks[0].id)
    report = add_remarks(dataset, "round_1", client, remarks)
    assert report.elsewhere == 2
    with pytest.raises(CvatRejected):
        client.add_issue(10**9, 0, (0, 0, 1, 1), "?")


def test_resume_push__says_what_was_not_said_when_the_server_was_lost(
    dataset, client, send, remarks, monkeypatch
):
    record = send()
    add_issue, said = client.add_issue, []

    def lost(*issue):
        if said:
            raise CvatUnreachable("The server did not answer.")
        said.append(issue)
        add_issue(*issue)

    with monkeypatch.context() as context:
        context.setattr(client, "add_issue", lost)
        with pytest.raises(CvatUnreachable):
            add_remarks(dataset, "round_1", client, remarks)
    assert len(issues(client, record)) == 1
    assert [one.key for one in rounds_with_unsaid([record])] == ["round_1"]
    assert resume_push(dataset, "round_1", client).state == "out"
    assert len(issues(client, record)) == 2
    assert rounds_with_unsaid([record]) == []
    with pytest.raises(UnknownRound):
        resume_push(dataset, "round_1", client)


def test_resume_push__says_what_was_recorded_with_an_interrupted_push(
    dataset, client, cvat_pair, remarks, monkeypatch
):
    key = unique("remarks")
    plan = make_plan(dataset, request_of(dataset, key, cvat_pair))

    def lost(*_):
        raise CvatUnreachable("The server did not answer.")

    with monkeypatch.context() as context:
        context.setattr(client, "put_task_shapes", lost)
        with pytest.raises(CvatUnreachable, match="same name"):
            push(dataset, plan, client, remarks=remarks)
    record = resume_push(dataset, key, client)
    found = client.issues(job for task in record.tasks for job in task.jobs)
    assert len(found) == len(remarks)
    remove(dataset, client, key)


def test_discard_round__forgets_what_was_to_be_said(dataset, client, cvat_pair, remarks):
    key = unique("remarks")
    plan = make_plan(dataset, request_of(dataset, key, cvat_pair, image_quality=1000))
    with pytest.raises(CvatRejected):
        push(dataset, plan, client, remarks=remarks)
    assert foo.get_db_conn()["relabel_remarks"].estimated_document_count() == 0
