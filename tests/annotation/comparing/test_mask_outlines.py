"""Instance masks that annotators see as polygons, over a real server."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest
from bson import encode

from relabel.annotation import RoundField, field_facts, pull, review_pull, undo_pull
from relabel.cvat import Shape
from relabel.labels import pixels
from tests.annotation.comparing.test_kinds import Editor, masks
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat


@pytest.fixture
def outlined(dataset, client, send):
    """An editor of a round with a ring, a box and a small mask on its first image."""
    sample = dataset.first()
    sample["labels"] = masks()
    sample.save()
    schema = field_facts(dataset, "labels").to_schema(outlined=True)
    return Editor(client, send(fields=(RoundField("labels", schema),)))


def of_ring(editor):
    return [shape for shape in editor.shapes() if shape.group]


def inside(label, size=(64, 48)):
    """The pixels of a label in its image."""
    canvas = np.zeros(size[::-1], bool)
    left, top = (round(label.bounding_box[side] * size[side]) for side in (0, 1))
    canvas[top : top + label.mask.shape[0], left : left + label.mask.shape[1]] = label.mask
    return canvas


def test_push__outlines_hold_the_pixels_and_boxes_stay_boxes(dataset, outlined):
    assert sorted(shape.type for shape in outlined.shapes()) == ["polygon"] * 3 + ["rectangle"]
    ring = dataset.first().labels.detections[0]
    parts = [shape.points for shape in of_ring(outlined)]
    assert len(parts) == 2, "the outer line and the hole, in one group"
    assert pixels.fill(parts) == pixels.encode(inside(ring))


def test_pull__an_edited_outline_is_filled_and_the_rest_keeps_its_bytes(dataset, client, outlined):
    before = stored(dataset)
    outer, hole = of_ring(outlined)
    square = (10.0, 14.0, 16.2, 14.0, 16.2, 18.0, 10.0, 18.0)
    rest = [shape for shape in outlined.everything() if shape.id != hole.id]
    outlined.save([*rest, replace(hole, points=square)])
    outlined.finish()
    old = inside(dataset.first().labels.detections[0])
    assert pull(dataset, "round_1", client).counts == {"moved": 1}
    ring = dataset.first().labels.detections[0]
    expected = pixels.decode(pixels.fill([outer.points, square]))[0]
    assert np.array_equal(ring.mask, expected)
    assert ring.mask.sum() != old.sum()
    assert (ring.confidence, ring.tags) == (0.25, ["t"])
    after = stored(dataset)
    for old_label, new_label in zip(
        before[0]["labels"]["detections"][1:], after[0]["labels"]["detections"][1:], strict=True
    ):
        assert encode(old_label) == encode(new_label)
    assert after[1:] == before[1:]


def test_pull__what_was_pulled_is_no_change_and_no_conflict_afterwards(dataset, client, outlined):
    _, hole = of_ring(outlined)
    outlined.save([shape for shape in outlined.everything() if shape.id != hole.id])
    outlined.finish()
    before = stored(dataset)
    pull(dataset, "round_1", client)
    assert np.array_equal(dataset.first().labels.detections[0].mask[4:7, 4:7], np.ones((3, 3)))
    outlined.save(outlined.everything())
    assert review_pull(dataset, "round_1", client).counts == {}
    sample = dataset.first()
    sample.labels.detections[0].mask = np.ones((4, 4), bool)
    sample.save()
    outlined.save(outlined.everything())
    assert review_pull(dataset, "round_1", client).counts == {}, "an edit here is not CVAT's"
    undo_pull(dataset, "round_1")
    assert np.array_equal(dataset.first().labels.detections[0].mask, np.ones((4, 4), bool))
    assert encode(stored(dataset)[1]) == encode(before[1])


def test_pull__polygons_that_were_drawn_anew(dataset, client, outlined):
    ring = outlined.labels["ring"].id
    drawn = Shape("polygon", 1, ring, (1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0))
    thin = Shape("polygon", 1, ring, (1.0, 1.1, 4.0, 1.1, 4.0, 1.2, 1.0, 1.2))
    outlined.save([*outlined.everything(), drawn, thin])
    outlined.finish()
    report = pull(dataset, "round_1", client)
    assert report.counts == {"added": 1}
    assert any("no pixel's centre" in problem for problem in report.problems)
    (label,) = dataset.skip(1).first().labels.detections
    assert label.bounding_box == [1 / 64, 1 / 48, 3 / 64, 2 / 48]
    assert label.mask.all()


def test_load_annotations__stock_makes_one_mask_of_the_polygons_of_a_label(
    dataset, client, outlined, cvat_config
):
    dataset.load_annotations(
        "round_1",
        url=cvat_config.url,
        username=cvat_config.username,
        password=cvat_config.password,
    )
    assert [type(label) for label in dataset.first().labels.detections] == [fo.Detection] * 3
    assert dataset.first().labels.detections[0].mask is not None
