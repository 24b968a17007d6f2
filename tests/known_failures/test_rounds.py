"""What the stock exchange gets wrong with whole rounds, by its number in the list.

Each test sends and pulls over a real server. The stock behaviour is named where it happens.
"""

from __future__ import annotations

import builtins
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest

from relabel.annotation import (
    EVERYTHING,
    ConflictPolicy,
    Request,
    RoundField,
    connect,
    field_facts,
    make_plan,
    pull,
    push,
    rounds_status,
    undo_pull,
)
from relabel.cvat import CvatClient, CvatForbidden, JobState, Shape
from tests.annotation.conftest import client, send, stock
from tests.annotation.sending.small_push import unique
from tests.annotation.stock.stock_rounds import Editor, stored

__all__ = ["client", "send", "stock"]

pytestmark = pytest.mark.cvat

CORNER = (0.0, 0.0, 32.0, 24.0)


def editor_of(client, record):
    return Editor(client, [task.id for task in record.tasks])


def test_failure_10__a_segmentation_keeps_every_pixel(dataset, client, send):
    """Stock makes polygons of it at every load: isolated pixels vanish, borders shift."""
    noise = np.random.default_rng(51).integers(0, 3, (48, 64), dtype=np.uint8)
    for sample in dataset:
        sample["sky"] = fo.Segmentation(mask=noise)
        sample.save()
    dataset.mask_targets = {"sky": {1: "cloud", 2: "bird"}}
    dataset.save()
    editor = editor_of(client, send(field="sky"))
    before = str(stored(dataset))
    for _ in range(3):
        editor.finish()
        assert pull(dataset, "round_1", client).counts == {}
    assert str(stored(dataset)) == before


def test_failure_12__what_was_edited_here_meanwhile_stays(dataset, client, send):
    """Stock overwrites it without a word."""
    editor = editor_of(client, send())
    sample = dataset.first()
    cat, dog = sample.ground_truth.detections
    cat.bounding_box, dog.label = [0.5, 0.5, 0.25, 0.25], "cat"
    sample.save()
    before = stored(dataset)
    editor.move(editor.shapes()[1], *CORNER)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"conflict": 1}
    assert stored(dataset) == before
    assert pull(dataset, "round_1", client, policy=ConflictPolicy.CVAT_WINS).counts == {"moved": 1}
    assert dataset.first().ground_truth.detections[0].bounding_box == [0.5, 0.5, 0.25, 0.25]


def test_failure_16__a_class_of_two_fields_of_a_project_keeps_its_name(dataset, client):
    """Stock brings it back as ``cat_second``."""
    dataset.clone_sample_field("ground_truth", "second")
    fields = tuple(
        RoundField(name, field_facts(dataset, name).to_schema())
        for name in ("ground_truth", "second")
    )
    request = Request("round_1", fields, project=unique("failure_16"))
    record = push(dataset, make_plan(dataset, request), client)
    try:
        editor = editor_of(client, record)
        drawn = [
            Shape("rectangle", 0, editor.classes()[f"cat_{field.name}"].id, CORNER)
            for field in fields
        ]
        editor.patch("create", *drawn)
        editor.finish()
        assert pull(dataset, "round_1", client).counts == {"added": 2}
        for field in fields:
            labels = dataset.first()[field.name].detections
            assert [label.label for label in labels] == ["cat", "dog", "cat"]
    finally:
        client.delete_task(record.tasks[0].id)
        client._transport.request("DELETE", f"/api/projects/{record.project_id}")


def test_failure_17__a_deletion_is_written_with_the_rest_and_can_be_undone(dataset, client, send):
    """Stock deletes before it merges, sample by sample, for good."""
    editor = editor_of(client, send())
    before = [document["ground_truth"] for document in stored(dataset)]
    for frame in range(6):
        editor.patch("delete", editor.shapes(frame)[0])
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"removed": 6}
    assert dataset.count("ground_truth.detections") == 6
    undo_pull(dataset, "round_1")
    assert [document["ground_truth"] for document in stored(dataset)] == before


def test_failure_18__labels_of_every_task_are_known_by_the_servers_ids(dataset, client, send):
    """Stock keeps those of the last task only."""
    record = send(images_per_task=2)
    editor = editor_of(client, record)
    before = stored(dataset)
    for task in range(3):
        for frame in range(2):
            for shape in editor.shapes(frame, task):
                editor.patch("update", replace(shape, attributes={}), task=task)
    first = editor.shapes()[0]
    assert not any(first.attributes.values())
    editor.move(first, *CORNER)
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    assert stored(dataset)[1:] == before[1:]


@pytest.mark.parametrize("key", ["round_1", "stock_1"])
def test_failure_18__stock_finds_every_label_of_our_rounds(dataset, send, stock, key):
    if key == "round_1":
        send(images_per_task=2)
    else:
        stock.annotate(label_field="ground_truth", task_size=2)
    results = dataset.load_annotation_results(key, cache=False, **stock.server)
    known = results.server_id_map["shapes"].values()
    labels = dataset.values("ground_truth.detections.id", unwind=True)
    assert set(known) == set(labels if key == "round_1" else labels[-4:])


def test_failure_19__only_finished_work_is_pulled(dataset, client, send):
    """Stock takes every job, so that labels that nobody has looked at become the truth."""
    record = send(images_per_job=2)
    editor = editor_of(client, record)
    for frame in (0, 2, 4):
        editor.move(editor.shapes(frame)[0], *CORNER)
    done, rejected, _ = record.tasks[0].jobs
    client.set_job(done, state=JobState.COMPLETED)
    client.set_job(rejected, state=JobState.REJECTED)
    report = pull(dataset, "round_1", client)
    assert (report.jobs, report.counts) == (1, {"moved": 1})
    assert report.sample_ids == (dataset.first().id,)
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {"moved": 2}


def test_failure_22__a_round_that_fails_on_the_way_leaves_nothing(
    dataset, client, send, monkeypatch
):
    """Stock leaves two tasks and half a run, and refuses another try under the name."""
    create_task, made = client.create_task, []

    def refuse_the_third(*args, **options):
        if len(made) == 2:
            raise CvatForbidden("CVAT does not let this user do that.")
        made.append(create_task(*args, **options))
        return made[-1]

    monkeypatch.setattr(client, "create_task", refuse_the_third)
    with pytest.raises(CvatForbidden):
        send(images_per_task=2)
    monkeypatch.undo()
    assert len(made) == 2
    assert not any(map(client.task_exists, made))
    assert dataset.list_annotation_runs() == []
    assert len(send(images_per_task=2).tasks) == 3


def test_failure_25__other_credentials_are_another_user(cvat_url, cvat_admin, cvat_annotator):
    """Stock goes on with the session that it has, so that one user acts as another."""
    people = [cvat_annotator, cvat_admin, cvat_annotator]
    secrets = [
        {
            "FIFTYONE_CVAT_URL": cvat_url,
            "FIFTYONE_CVAT_USERNAME": name,
            "FIFTYONE_CVAT_PASSWORD": password,
        }
        for name, password in people
    ]
    clients = [connect(item) for item in secrets]
    assert [one.user.username for one in clients] == [name for name, _ in people]
    assert clients[0] is clients[2], "one log-in serves all calls of one user"


def test_failure_27__who_has_only_a_job_sees_and_pulls_it(
    dataset, client, send, cvat_config, cvat_annotator
):
    """Stock asks for the task, which CVAT refuses to who is assigned a job of it."""
    name, password = cvat_annotator
    record = send(images_per_job=2, assignees=(name, client.user.username))
    editor = editor_of(client, record)
    for frame in range(6):
        editor.move(editor.shapes(frame)[0], *CORNER)
    editor.finish()
    his = replace(cvat_config, username=name, password=password, token=None)
    with CvatClient(his) as annotator:
        assert not annotator.task_exists(record.tasks[0].id)
        (status,) = rounds_status(dataset, annotator)
        assert [job.id for job in status.jobs] == [
            record.tasks[0].jobs[0],
            record.tasks[0].jobs[2],
        ]
        report = pull(dataset, "round_1", annotator)
    assert (report.jobs, report.counts) == (2, {"moved": 4})


def test_failure_29__what_fits_no_field_is_reported_and_nobody_is_asked(
    dataset, client, send, monkeypatch
):
    """Stock calls input(), in a server process as well."""

    def ask(*_):
        raise AssertionError("somebody is asked on standard input")

    monkeypatch.setattr(builtins, "input", ask)
    editor = editor_of(client, send())
    cat = editor.classes()["cat"].id
    editor.patch(
        "create", Shape("tag", 0, cat, ()), Shape("polyline", 0, cat, (1.0, 1.0, 9.0, 9.0))
    )
    editor.finish()
    before = stored(dataset)
    report = pull(dataset, "round_1", client)
    assert report.counts == {}
    remarks = " ".join(report.problems)
    assert "1 of type tag stay in CVAT only" in remarks
    assert "1 of type polyline stay in CVAT only" in remarks
    assert stored(dataset) == before
