"""Any label that FiftyOne can hold, over a real server: untouched it stays as it is to the last
byte; edited, it is within 1e-9 of what CVAT holds."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest
from bson import encode
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from relabel.annotation import EVERYTHING, Request, RoundField, make_plan, pull, push, undo_pull
from relabel.labels import Attribute, AttributeKind, LabelSchema, kind_named, pixels

pytestmark = pytest.mark.cvat

SIZE = (67, 43)
CHOICES = ("a", "b b", "ü, ß", "✓")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = {
    AttributeKind.BOOL: st.booleans(),
    AttributeKind.BINARY: st.sampled_from([0, 1]),
    AttributeKind.INT: st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.sampled_from([-(2**63), 2**63 - 1])
    ),
    AttributeKind.FLOAT: st.floats(),
    AttributeKind.TEXT: st.one_of(
        TEXT, st.sampled_from(["", " ", "\0", "\n x \t", "0042", "true", "é" * 5000, "😀"])
    ),
    AttributeKind.CHOICE: st.sampled_from(CHOICES),
    AttributeKind.RADIO: st.sampled_from(CHOICES),
    AttributeKind.LIST: st.lists(
        st.one_of(TEXT, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats()), max_size=5
    ),
}
ATTRIBUTES = (
    *(
        Attribute(kind.name.lower(), kind, CHOICES if "choice" in kind or "radio" in kind else ())
        for kind in VALUES
    ),
    Attribute("doors", AttributeKind.INT, classes=("car",)),
)
NUMBERS = st.one_of(st.floats(-2, 3), st.sampled_from([0.0, -0.0, 1.0, 1 / 3, 5e-324, 1e6]))
POINTS = st.tuples(NUMBERS, NUMBERS)
MISSING = st.just((math.nan, math.nan))
CONFIDENCE = st.floats(0, 1)
MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def labels(label_class, **fields):
    """Labels with values for some of the attributes, and with what never travels."""
    given = {
        "confidence": CONFIDENCE if label_class is not fo.Keypoint else st.lists(CONFIDENCE),
        "tags": st.lists(TEXT, max_size=2),
        "doors": st.integers(0, 5),
        **{kind.name.lower(): values for kind, values in VALUES.items()},
    }
    names = st.sampled_from(["car", "Größe 😀"])
    label = st.fixed_dictionaries({"label": names, **fields}, optional=given)
    return label.map(lambda values: label_class(**values))


def with_mask(draw):
    mask, left, top = draw(MASKS), draw(st.integers(-4, 60)), draw(st.integers(-4, 40))
    height, width = mask.shape
    box = [left / SIZE[0], top / SIZE[1], width / SIZE[0], height / SIZE[1]]
    label = draw(labels(fo.Detection))
    label.mask, label.bounding_box = mask, box
    return label


LABELS = {
    "detections": st.one_of(
        labels(
            fo.Detection,
            bounding_box=st.tuples(*[NUMBERS] * 4).map(list),
            rotation=st.one_of(st.none(), st.floats(-720, 720), st.just(math.nan)),
        ),
        st.composite(with_mask)(),
    ),
    "polylines": labels(
        fo.Polyline,
        points=st.lists(st.lists(POINTS, max_size=6), max_size=4),
        closed=st.booleans(),
        filled=st.booleans(),
    ),
    "keypoints": labels(fo.Keypoint, points=st.lists(st.one_of(POINTS, MISSING), max_size=6)),
    "classifications": labels(fo.Classification),
}
LABELS["outlines"] = LABELS["detections"]
SETTINGS = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # each example is a round: to make one smaller takes long
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def sent(client, tmp_path):
    """Sends an image with labels; gives what tells one state of it from the next, and the task."""
    path = tmp_path / "image.png"
    Image.new("RGB", SIZE).save(path)

    @contextmanager
    def sent(kind, items):
        dataset = fo.Dataset()
        outlined = kind == "outlines"
        kind = "detections" if outlined else kind
        sample = fo.Sample(filepath=str(path))
        sample["labels"] = getattr(fo, kind_named(kind).field_class)(**{kind: items})
        dataset.add_sample(sample)
        shape_type = "any" if kind != "classifications" else ""
        schema = LabelSchema(("car", "Größe 😀"), ATTRIBUTES, kind, shape_type, outlined=outlined)
        request = Request("round_1", (RoundField("labels", schema),))
        record = push(dataset, make_plan(dataset, request), client)
        try:
            yield dataset, record.tasks[0]
        finally:
            client.delete_task(record.tasks[0].id)
            dataset.delete()

    return sent


def stored(dataset):
    return {**dataset._sample_collection.find_one(), "last_modified_at": None}


def save_anew(client, task, change=lambda shape: shape):
    """Saves what is drawn, so that all of it has new server ids; says whether there is any."""
    shapes = client.task_annotations(task.id).shapes
    client.put_task_shapes(task.id, [replace(change(shape), id=None) for shape in shapes])
    return bool(shapes)


@pytest.mark.parametrize("kind", list(LABELS))
@SETTINGS
@given(data=st.data())
def test_pull__any_untouched_label_stays_as_it_is(client, sent, kind, data):
    items = data.draw(st.lists(LABELS[kind], min_size=4, max_size=12))
    with sent(kind, items) as (dataset, task):
        before = encode(stored(dataset))
        for _ in range(2):
            drawn = save_anew(client, task)
            report = pull(dataset, "round_1", client, EVERYTHING)
            assert (report.counts, report.problems) == ({}, ())
            assert report.jobs == 1 or not drawn, "it was looked at"
            assert encode(stored(dataset)) == before


def shifted(points, by):
    return tuple(number + by[index % 2] for index, number in enumerate(points))


def assert_near(found, held):
    """Holds that coordinates are as near as doubles can be: 1e-9, but a million images away."""
    found, held = np.sort(found), np.sort(held)
    assert np.all(np.abs(found - held) <= np.maximum(1e-9, 4 * np.spacing(np.abs(held))))


@pytest.mark.parametrize("kind", ["detections", "polylines", "keypoints"])
@SETTINGS
@given(data=st.data())
def test_pull__any_edited_label_is_within_1e_9_of_what_cvat_holds(client, sent, kind, data):
    items = data.draw(st.lists(LABELS[kind], min_size=4, max_size=12))
    for item in items:
        if kind == "detections":
            item.mask = None  # a mask moves by whole pixels
    by = data.draw(st.tuples(*[st.floats(0.1, 30)] * 2))
    label_kind = kind_named(kind)
    with sent(kind, items) as (dataset, task):
        before = stored(dataset)
        save_anew(client, task, lambda shape: replace(shape, points=shifted(shape.points, by)))
        pull(dataset, "round_1", client, EVERYTHING)
        after = stored(dataset)
        held = [
            number for s in client.task_annotations(task.id).shapes for number in sorted(s.points)
        ]
        found = []
        schema = LabelSchema((), (), kind)
        for old, new in zip(before["labels"][kind], after["labels"][kind], strict=True):
            drawn = label_kind.to_drawn(new, SIZE, schema)
            found += [number for part in (drawn.parts if drawn else ()) for number in sorted(part)]
            geometry = {"bounding_box", "points", "mask", "mask_path", "closed"}
            assert encode({k: v for k, v in new.items() if k not in geometry}) == encode(
                {k: v for k, v in old.items() if k not in geometry}
            ), "its attributes, its id and all that never travels stay"
        assert_near(found, held)
        if held:  # labels without a point are not drawn
            undo_pull(dataset, "round_1")
        assert encode(stored(dataset)) == encode(before)


@SETTINGS
@given(data=st.data())
def test_pull__any_redrawn_mask_is_pixel_for_pixel_what_cvat_holds(client, sent, data):
    items = data.draw(st.lists(st.composite(with_mask)(), min_size=2, max_size=6))
    with sent("detections", items) as (dataset, task):
        before = stored(dataset)

        def redraw(shape):
            if shape.type != "mask":
                return shape
            mask = data.draw(MASKS.filter(np.any))
            left = data.draw(st.integers(0, SIZE[0] - mask.shape[1]))
            top = data.draw(st.integers(0, SIZE[1] - mask.shape[0]))
            return replace(shape, points=pixels.encode(mask, left, top))

        save_anew(client, task, redraw)
        report = pull(dataset, "round_1", client, EVERYTHING)
        drawn = {shape.points for shape in client.task_annotations(task.id).shapes}
        schema = LabelSchema((), (), "detections")
        after = stored(dataset)["labels"]["detections"]
        found = {kind_named("detections").to_drawn(one, SIZE, schema).points for one in after}
        assert {points for points in drawn if len(points) > 4} == {
            points for points in found if len(points) > 4
        }
        for old, new in zip(before["labels"]["detections"], after, strict=True):
            geometry = {"bounding_box", "mask", "mask_path"}
            assert encode({k: v for k, v in new.items() if k not in geometry}) == encode(
                {k: v for k, v in old.items() if k not in geometry}
            )
        if report.counts:
            undo_pull(dataset, "round_1")
        assert encode(stored(dataset)) == encode(before)
