"""A round of ours is an annotation run of FiftyOne's."""

from __future__ import annotations

from dataclasses import replace

import fiftyone.core.odm as foo
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    field_facts,
    load_round,
    make_plan,
    pull,
    push,
    rounds_status,
    undo_pull,
)
from relabel.annotation.record.rounds import forget_orphans
from relabel.cvat import JobState, Shape
from tests.annotation.stock.stock_labels import KINDS
from tests.annotation.stock.stock_rounds import Editor

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


def labels_of(dataset):
    dataset.reload()
    return dataset.values("ground_truth.detections.id")


def test_stock__loads_a_round_after_our_pull_and_its_undoing(dataset, client, send, stock):
    record = send()
    editor = Editor(client, [record.tasks[0].id])
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("rectangle", 0, cat, (1.25, 2.5, 30.125, 40.0625)))
    editor.patch("delete", editor.shapes(1)[0])
    editor.finish()
    pull(dataset, "round_1", client)
    results = dataset.load_annotation_results("round_1", cache=False, **stock.server)
    after = labels_of(dataset)
    assert list(results.id_map["ground_truth"].values()) == after
    stock.run(["load_annotations", "round_1", {"unexpected": "ignore"}])
    loaded = labels_of(dataset)
    assert [len(ids) for ids in loaded] == [3, 1, 2, 2, 2, 2], "nothing comes twice"
    assert loaded[1:] == after[1:]
    editor.finish()
    assert pull(dataset, "round_1", client).counts == {}
    assert labels_of(dataset) == loaded


def test_undo_pull__tells_stock_as_well(dataset, client, send, stock):
    record = send()
    before = labels_of(dataset)
    editor = Editor(client, [record.tasks[0].id])
    editor.patch("create", replace(editor.shapes()[0], id=None, points=(1.0, 2.0, 30.0, 40.0)))
    editor.patch("delete", editor.shapes(1)[0])
    editor.finish()
    pull(dataset, "round_1", client)
    undo_pull(dataset, "round_1")
    results = dataset.load_annotation_results("round_1", cache=False, **stock.server)
    assert list(results.id_map["ground_truth"].values()) == before == labels_of(dataset)


ALL = ("boxes", "masks", "one_polygon", "keypoints", "classes")


@pytest.fixture
def round_of_all(dataset, client):
    """Sends a round of fields of every kind, as three tasks of two jobs."""
    for sample in dataset:
        for name in ALL:
            sample[name] = KINDS[name][0]()
        sample.one_polygon.points = sample.one_polygon.points[:1]
        sample.save()
    dataset.add_dynamic_sample_fields()
    fields = tuple(RoundField(name, field_facts(dataset, name).to_schema()) for name in ALL)
    request = Request("round_1", fields, images_per_task=2, images_per_job=1)
    record = push(dataset, make_plan(dataset, request), client)
    yield record
    for task in record.tasks:
        client.delete_task(task.id)


def test_stock__loads_every_kind_of_label_and_our_next_pull_finds_nothing_changed(
    dataset, client, stock, round_of_all
):
    def ids():
        dataset.reload()
        return [sorted(map(str, dataset.values(path, unwind=True))) for path in paths]

    paths = [
        *(f"{name}.detections.id" for name in ("boxes", "masks")),
        "one_polygon.id",
        "keypoints.keypoints.id",
        "classes.classifications.id",
    ]
    before = ids()
    stock.run(["load_annotations", "round_1", {"unexpected": "ignore"}])
    assert ids() == before
    Editor(client, [task.id for task in round_of_all.tasks]).finish()
    report = pull(dataset, "round_1", client)
    assert (report.jobs, report.counts) == (6, {})


def test_stock__deletes_and_shows_a_round_of_several_tasks_and_fields(
    dataset, client, stock, round_of_all
):
    answer = stock.run(
        ["get_status", "round_1", {}],
        ["print_status", "round_1", {}],
        ["delete_annotation_run", "round_1", {}],
    )
    assert answer["runs"] == []
    # Stock says it for each field anew.
    assert answer["states"] == ["new"] * 6 * len(round_of_all.fields)
    dataset.reload()
    assert rounds_status(dataset, client) == []
    database = foo.get_db_conn()
    forget_orphans()
    assert database["relabel_frames"].find_one({"round_id": round_of_all.id}) is None
