"""Rounds that stock FiftyOne made are shown, reviewed and pulled, and nothing is lost by it."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import fiftyone.core.odm as foo
import fiftyone.utils.labelstudio as fouls
import numpy as np
import pytest

from relabel.annotation import (
    ConflictPolicy,
    Request,
    RoundField,
    UnknownRound,
    field_facts,
    make_plan,
    pull,
    review_pull,
    rounds_status,
    undo_pull,
)
from relabel.cvat import Shape
from tests.annotation.stock_rounds import Editor, stored

pytestmark = pytest.mark.cvat

ODD = [0.123456789, 1 / 3, 0.2719, 0.7 / 3]
MASK = np.ones((11, 17), dtype=bool)
MASK[0, :5] = MASK[7:9, 9:] = False


def boxes():
    return fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=ODD, score=0.125, lost=None, n=3, tags=["t"]),
            fo.Detection(label="dog", bounding_box=ODD[::-1], rotation=30.5, seen=True, n=0),
        ]
    )


def masks():
    box = [0.123, 0.25, 17 / 64, 11 / 48]
    return fo.Detections(
        detections=[
            fo.Detection(label="cat", bounding_box=box, mask=MASK),
            fo.Detection(label="dog", bounding_box=[0.5, 0.4, 0.3, 0.3], mask=MASK),
            fo.Detection(label="dog", bounding_box=[0.9, -0.1, 17 / 64, 11 / 48], mask=MASK),
        ]
    )


def polygons():
    outer = [(0.1234, 0.1), (0.9, 0.1), (0.9, 0.9), (1 / 3, 0.9)]
    hole = [(0.4, 0.4), (0.6, 0.4), (0.5, 0.61)]
    island = [(0.92, 0.92), (0.95, 0.92), (0.95, 0.95)]
    return fo.Polylines(
        polylines=[
            fo.Polyline(label="lake", points=[outer, hole, island], closed=True, filled=True),
            fo.Polyline(label="lake", points=[island], closed=True, filled=True, confidence=0.5),
        ]
    )


def lines():
    line = [(0.1234, 0.1), (0.9, 0.1), (1 / 3, 0.9)]
    return fo.Polylines(
        polylines=[
            fo.Polyline(label="road", points=[line, line[::-1]]),
            fo.Polyline(label="rail", points=[line], closed=True),
        ]
    )


def keypoints():
    return fo.Keypoints(
        keypoints=[fo.Keypoint(label="nose", points=[(0.1234, 1 / 3), (0.5, 0.5)], kind="a")]
    )


def classes():
    return fo.Classifications(
        classifications=[
            fo.Classification(label="day", wet=True, confidence=0.5),
            fo.Classification(label="rain", n=2),
        ]
    )


KINDS = {
    "boxes": (boxes, {}),
    "masks": (masks, {"label_type": "instances"}),
    "polygons": (polygons, {}),
    "lines": (lines, {"label_type": "polylines"}),
    "keypoints": (keypoints, {}),
    "classes": (classes, {}),
    "one_box": (lambda: boxes().detections[0], {}),
    "one_mask": (lambda: masks().detections[0], {"label_type": "instance"}),
    "one_polygon": (lambda: polygons().polylines[0], {}),
    "one_keypoint": (lambda: keypoints().keypoints[0], {}),
    "one_class": (lambda: classes().classifications[0], {}),
}


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


@pytest.mark.parametrize("name", list(KINDS))
def test_pull__untouched_labels_of_a_stock_round_stay_to_the_last_byte(
    dataset, client, stock, fill, name
):
    options = fill(name)
    editor = Editor(client, stock.annotate(label_field="labels", task_size=4, **options))
    (status,) = rounds_status(dataset, client)
    assert (status.key, status.images, len(status.tasks)) == ("stock_1", 6, 2)
    before = str(stored(dataset))
    for _ in range(2):
        editor.finish()
        report = pull(dataset, "stock_1", client)
        assert (report.jobs, report.counts) == (2, {})
        assert str(stored(dataset)) == before


def boxes_of(dataset, index=0):
    return dataset.skip(index).first().ground_truth.detections


@pytest.fixture
def odd(dataset):
    """Boxes that are not on whole pixels."""
    for sample in dataset:
        sample["ground_truth"] = boxes()
        sample.save()
    dataset.add_dynamic_sample_fields()


@pytest.fixture
def editor(dataset, client, stock, odd):
    """A round of stock FiftyOne."""
    return Editor(client, stock.annotate(label_field="ground_truth"))


def shape_of(editor, name, frame=0):
    class_id = editor.classes()[name].id
    return next(shape for shape in editor.shapes(frame) if shape.label_id == class_id)


def test_pull__takes_every_change_of_a_stock_round_and_undo_restores_it(dataset, client, editor):
    before = stored(dataset)
    cat, dog = shape_of(editor, "cat"), shape_of(editor, "dog")
    specs = {item.name: item.id for item in editor.classes()["cat"].attributes}
    texts = {**cat.attributes, specs["score"]: "0.25", specs["n"]: "7"}
    editor.patch("update", replace(cat, attributes=texts))
    editor.move(dog, 1.5, 2.5, 30.125, 40.0)
    editor.patch("delete", shape_of(editor, "cat", 1))
    editor.patch("create", replace(shape_of(editor, "dog", 2), id=None, points=(1, 2, 3, 4)))
    third = shape_of(editor, "cat", 3)
    editor.patch("update", replace(third, label_id=dog.label_id, attributes={}))
    editor.finish()
    counts = {"attribute": 1, "moved": 1, "removed": 1, "added": 1, "relabelled": 1}
    report = pull(dataset, "stock_1", client)
    # The class of a shape has attributes of its own, so that it loses them with it.
    assert report.counts == counts | {"attribute": 2}
    cat, dog = boxes_of(dataset)
    assert (cat.score, cat.n, cat.tags, cat.bounding_box) == (0.25, 7, ["t"], ODD)
    assert dog.bounding_box == pytest.approx([1.5 / 64, 2.5 / 48, 28.625 / 64, 37.5 / 48])
    assert (dog.rotation, dog.seen, dog.n) == (30.5, True, 0)
    assert [label.label for label in boxes_of(dataset, 1)] == ["dog"]
    assert [label.label for label in boxes_of(dataset, 2)] == ["cat", "dog", "dog"]
    assert boxes_of(dataset, 3)[0].label == "dog"
    undo_pull(dataset, "stock_1")
    for old, new in zip(before, stored(dataset), strict=True):
        assert new["ground_truth"] == old["ground_truth"]


def test_pull__what_was_edited_here_before_a_stock_round_was_seen_is_never_overwritten(
    dataset, client, editor
):
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    editor.finish()
    before = stored(dataset)
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert stored(dataset) == before
    report = pull(dataset, "stock_1", client, policy=ConflictPolicy.FIFTYONE_WINS)
    assert report.counts == {"conflict": 1}
    assert stored(dataset) == before
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}


def test_pull__what_is_edited_here_after_a_stock_round_was_seen_is_no_conflict(
    dataset, client, editor
):
    rounds_status(dataset, client)
    sample = dataset.first()
    sample.ground_truth.detections[0].bounding_box = [0.5, 0.5, 0.25, 0.25]
    sample.save()
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    assert boxes_of(dataset)[0].bounding_box == [0.5, 0.5, 0.25, 0.25]


def test_pull__an_edit_of_an_image_that_was_only_tagged_here_asks_who_is_right(
    dataset, client, editor
):
    dataset.tag_samples("seen")
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    report = pull(dataset, "stock_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert report.counts == {"moved": 1}
    assert boxes_of(dataset)[0].bounding_box == ODD


def test_pull__a_label_that_was_deleted_here_before_a_stock_round_was_seen(
    dataset, client, editor
):
    sample = dataset.first()
    gone = sample.ground_truth.detections.pop(0)
    sample.save()
    editor.finish()
    review = review_pull(dataset, "stock_1", client)
    assert review.counts == {"conflict": 1}
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert len(boxes_of(dataset)) == 1
    pull(dataset, "stock_1", client, policy=ConflictPolicy.CVAT_WINS)
    assert [label.id for label in boxes_of(dataset)][1] == gone.id


def test_pull__after_stock_has_loaded_a_round_nothing_comes_twice(dataset, client, stock, editor):
    cat = shape_of(editor, "cat")
    editor.move(cat, 1.23, 2.34, 30.45, 40.56)
    editor.patch("create", replace(cat, id=None, points=(1.1, 2.2, 33.3, 44.4), attributes={}))
    editor.finish()
    stock.load()
    before = stored(dataset)
    for _ in range(2):
        assert pull(dataset, "stock_1", client).counts == {}
        assert stored(dataset) == before
        editor.finish()


def test_pull__a_new_field_of_a_stock_round(dataset, client, stock):
    options = {"label_field": "fresh", "label_type": "detections", "classes": ["cat"]}
    editor = Editor(client, stock.annotate(**options))
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("rectangle", 0, cat, (1.1, 2.2, 33.3, 44.4)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"added": 1}
    (label,) = dataset.first().fresh.detections
    assert label.label == "cat"
    editor.patch("update", replace(editor.shapes()[0], points=(2.0, 2.0, 30.0, 40.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    assert dataset.first().fresh.detections[0].id == label.id


def test_pull__a_new_field_that_stock_has_loaded_already(dataset, client, stock):
    options = {"label_field": "fresh", "label_type": "detections", "classes": ["cat"]}
    editor = Editor(client, stock.annotate(**options))
    cat = editor.classes()["cat"].id
    editor.patch("create", Shape("rectangle", 0, cat, (1.1, 2.2, 33.3, 44.4)))
    editor.finish()
    stock.load()
    assert pull(dataset, "stock_1", client).counts == {}
    assert len(dataset.first().fresh.detections) == 1


def test_pull__one_part_of_a_polygon_that_stock_sent(dataset, client, stock, fill):
    fill("polygons")
    editor = Editor(client, stock.annotate(label_field="labels"))
    hole = next(shape for shape in editor.shapes() if len(shape.points) == 6)
    editor.move(hole, 32.0, 24.0, 40.5, 24.0, 36.0, 30.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    lake, island = dataset.first().labels.polylines
    assert [len(part) for part in lake.points] == [4, 3, 3]
    assert lake.points[1] == [[0.5, 0.5], [40.5 / 64, 0.5], [36 / 64, 30 / 48]]
    assert island.points == polygons().polylines[1].points


def test_pull__the_switch_and_the_group_that_stock_maps_to_attributes(dataset, client, stock):
    for sample in dataset:
        sample.ground_truth.detections[0]["hidden"] = True
        sample.save()
    dataset.add_dynamic_sample_fields()
    options = {"occluded_attr": "hidden", "group_id_attr": "team"}
    editor = Editor(client, stock.annotate(label_field="ground_truth", **options))
    cat, dog = editor.shapes()
    assert (cat.occluded, dog.occluded) == (True, False)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    editor.patch("update", replace(cat, occluded=False), replace(dog, occluded=True, group=4))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"attribute": 2}
    cat, dog = boxes_of(dataset)
    assert (cat.hidden, dog.hidden, dog.team) == (False, True, 4)


def test_pull__of_a_project(dataset, client, stock, odd):
    editor = Editor(client, stock.annotate(label_field="ground_truth", project_name="stock"))
    again = Editor(
        client, stock.annotate("stock_2", label_field="ground_truth", project_name="stock")
    )
    for key, edited in (("stock_1", editor), ("stock_2", again)):
        edited.finish()
        assert pull(dataset, key, client).counts == {}
    again.move(shape_of(again, "dog"), 1.5, 2.5, 30.125, 40.0)
    again.finish()
    assert pull(dataset, "stock_2", client).counts == {"moved": 1}


def test_pull__only_the_labels_that_stock_sent(dataset, client, stock, odd):
    view = dataset.filter_labels("ground_truth", fo.ViewField("label") == "cat").limit(2)
    editor = Editor(client, stock.annotate(samples=view, label_field="ground_truth"))
    assert [len(editor.shapes(frame)) for frame in range(3)] == [1, 1, 0]
    editor.patch("delete", *editor.shapes(0))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"removed": 1}
    assert [label.label for label in boxes_of(dataset)] == ["dog"]


def test_pull__a_field_that_was_renamed_before_its_stock_round_was_seen(dataset, client, editor):
    dataset.rename_sample_field("ground_truth", "truth")
    before = stored(dataset)
    editor.move(shape_of(editor, "dog"), 1.5, 2.5, 30.125, 40.0)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"conflict": 1}
    assert stored(dataset) == before


def test_pull__several_fields_of_a_stock_round_with_the_same_classes(dataset, client, stock, odd):
    dataset.clone_sample_field("ground_truth", "second")
    for sample in dataset:
        sample["second"] = masks()
        sample["sky"] = fo.Classification(label="cat")
        sample.save()
    fields = {"ground_truth": {}, "second": {"type": "instances"}, "sky": {}}
    editor = Editor(client, stock.annotate(label_schema=fields, segment_size=2))
    assert {"cat_ground_truth", "cat_second", "cat_sky"} <= set(editor.classes())
    (status,) = rounds_status(dataset, client)
    assert (status.label_fields, status.labels) == (("ground_truth", "second", "sky"), 36)
    editor.finish()
    before = stored(dataset)
    report = pull(dataset, "stock_1", client)
    assert (report.jobs, report.counts) == (3, {})
    assert stored(dataset) == before
    first, second = (shape_of(editor, f"cat_{name}") for name in ("ground_truth", "second"))
    editor.move(first, 1.5, 2.5, 30.125, 40.0)
    editor.patch("delete", second)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1, "removed": 1}
    sample = dataset.first()
    assert [label.label for label in sample.ground_truth.detections] == ["cat", "dog"]
    assert [label.label for label in sample.second.detections] == ["dog", "dog"]


def test_pull__a_segmentation_that_stock_sent(dataset, client, stock):
    noise = np.random.default_rng(51).integers(0, 4, (48, 64), dtype=np.uint8)
    for sample in dataset:
        sample["sky"] = fo.Segmentation(mask=noise)
        sample.save()
    targets = {1: "cloud", 2: "bird"}
    editor = Editor(client, stock.annotate(label_field="sky", mask_targets=targets))
    assert len(editor.shapes()) == 2
    bird = shape_of(editor, "bird", 1)
    editor.patch("update", replace(bird, points=(0.0, 6.0, 4.0, 5.0, 6.0, 6.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    undo_pull(dataset, "stock_1")
    editor.patch("update", replace(bird, points=bird.points))
    before = str(stored(dataset))
    for _ in range(2):
        editor.finish()
        assert pull(dataset, "stock_1", client).counts == {}
        assert str(stored(dataset)) == before
    cloud = shape_of(editor, "cloud")
    editor.patch("update", replace(cloud, points=(0.0, 6.0, 4.0, 5.0, 6.0, 6.0)))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"moved": 1}
    mask = dataset.first().sky.mask
    assert np.argwhere(mask == 1).tolist() == [[y, x] for y in (5, 6) for x in (4, 5, 6)]
    assert np.array_equal(mask[8:] == 2, noise[8:] == 2)
    assert np.array_equal(mask[8:] == 3, noise[8:] == 3)


def test_pull__values_of_samples_that_stock_sent(dataset, client, stock):
    for number, sample in enumerate(dataset):
        sample["count"], sample["share"], sample["fine"] = number, number / 3, number % 2 == 0
        sample.save()
    fields = {"count": {}, "share": {}, "fine": {}}
    editor = Editor(client, stock.annotate(label_schema=fields))
    before = stored(dataset)
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {}
    assert stored(dataset) == before
    spec = editor.classes()["count"]
    (value,) = spec.attributes
    tag = shape_of(editor, "count")
    editor.patch("delete", tag)
    editor.patch("create", replace(tag, id=None, attributes={value.id: "41"}))
    editor.finish()
    assert pull(dataset, "stock_1", client).counts == {"attribute": 1}
    assert dataset.values("count") == [41, 1, 2, 3, 4, 5]


def test_rounds_status__runs_of_other_backends_are_no_rounds(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    config = fouls.LabelStudioBackendConfig("labelstudio", {"ground_truth": {}}, url="http://x")
    config.build().register_run(dataset, "elsewhere")
    assert [status.key for status in rounds_status(dataset, client)] == ["stock_1"]
    with pytest.raises(UnknownRound, match=r"load_annotations\('elsewhere'\)"):
        pull(dataset, "elsewhere", client)


def test_rounds_status__stock_runs_of_frames_are_no_rounds(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    database = foo.get_db_conn()
    run = database["runs"].find_one({"key": "stock_1", "_dataset_id": dataset._doc.id})
    schema = {"frames.labels": run["config"]["label_schema"]["ground_truth"]}
    database["runs"].update_one({"_id": run["_id"]}, {"$set": {"config.label_schema": schema}})
    assert rounds_status(dataset, client) == []
    with pytest.raises(UnknownRound, match=r"load_annotations\('stock_1'\)"):
        pull(dataset, "stock_1", client)


def test_rounds_status__a_stock_run_that_was_cleaned_up(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    stock.load(cleanup=True)
    (status,) = rounds_status(dataset, client)
    assert [task.missing for task in status.tasks] == [True]
    before = stored(dataset)
    report = pull(dataset, "stock_1", client)
    assert (report.jobs, report.counts) == (0, {})
    assert any("was deleted, or is not ours" in problem for problem in report.problems)
    assert stored(dataset) == before


def test_rounds_status__nothing_of_a_stock_run_is_written(dataset, client, stock, odd):
    stock.annotate(label_field="ground_truth")
    database = foo.get_db_conn()
    before = [list(database[name].find()) for name in ("runs", "datasets", "fs.files")]
    samples = stored(dataset)
    rounds_status(dataset, client)
    assert stored(dataset) == samples
    assert [list(database[name].find()) for name in ("runs", "datasets", "fs.files")] == before


def test_make_plan__images_in_a_stock_round_are_out(dataset, client, stock, odd):
    stock.annotate(samples=dataset.limit(4), label_field="ground_truth")
    schema = field_facts(dataset, "ground_truth").to_schema()
    plan = make_plan(dataset, Request("next", (RoundField("ground_truth", schema),)))
    assert (plan.images, plan.out_elsewhere) == (2, {"stock_1": 4})
