"""Any value of a field that holds one for each sample, over a real server: untouched it stays as
it is to the last byte; edited, it is what CVAT holds."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import fiftyone as fo
import numpy as np
import pytest
from bson import encode
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from relabel.annotation import (
    EVERYTHING,
    Request,
    RoundField,
    field_facts,
    make_plan,
    pull,
    push,
    undo_pull,
)
from relabel.labels import pixels
from tests.annotation.comparing.test_any_label import SETTINGS, TEXT, labels, save_anew
from tests.annotation.stock.stock_rounds import stored

pytestmark = pytest.mark.cvat

SIZE = (13, 9)
IMAGES = 4
NUMBERS = st.one_of(st.integers(0, 3), st.sampled_from([200, 255]))


def segmentation(number_type):
    array = hnp.arrays(number_type, SIZE[::-1], elements=NUMBERS, fill=st.integers(0, 1))
    return st.builds(lambda mask: fo.Segmentation(mask=mask), array)


SCALARS = {
    fo.BooleanField: st.booleans(),
    fo.IntField: st.integers(-(2**63), 2**63 - 1),
    fo.FloatField: st.floats(),
    fo.StringField: st.one_of(TEXT, st.sampled_from(["", " ", "\0", "0042", "true", "é" * 5000])),
}
VALUES = {
    **SCALARS,
    fo.Segmentation: st.sampled_from([np.uint8, np.uint16, np.int32]).flatmap(segmentation),
    fo.Classification: labels(fo.Classification),
}


@pytest.fixture
def sent(client, tmp_path):
    """Sends images with a value each; gives the dataset, the schema of the field and the task."""
    paths = [tmp_path / f"{number}.png" for number in range(IMAGES)]
    for path in paths:
        Image.new("RGB", SIZE).save(path)

    @contextmanager
    def sent(field_class, values):
        dataset = fo.Dataset()
        if issubclass(field_class, fo.Field):
            dataset.add_sample_field("value", field_class)
        samples = [fo.Sample(filepath=str(path)) for path in paths]
        for sample, value in zip(samples, values, strict=True):
            sample["value"] = value
        dataset.add_samples(samples, progress=False)
        classes = ["1", "2", "3", "200", "255"] if field_class is fo.Segmentation else None
        schema = field_facts(dataset, "value").to_schema(classes)
        request = Request("round_1", (RoundField("value", schema),))
        record = push(dataset, make_plan(dataset, request), client)
        try:
            yield dataset, schema, record.tasks[0]
        finally:  # hypothesis gives up an example in the middle of it
            client.delete_task(record.tasks[0].id)
            dataset.delete()

    return sent


def kept(dataset):
    return [encode({**document, "last_modified_at": None}) for document in stored(dataset)]


def values_of(data, field_class):
    return data.draw(st.lists(VALUES[field_class], min_size=IMAGES, max_size=IMAGES))


@pytest.mark.parametrize("field_class", list(VALUES))
@SETTINGS
@given(data=st.data())
def test_pull__any_untouched_value_stays_as_it_is(client, sent, field_class, data):
    with sent(field_class, values_of(data, field_class)) as (dataset, _, task):
        before = kept(dataset)
        for _ in range(2):
            drawn = save_anew(client, task)
            report = pull(dataset, "round_1", client, EVERYTHING)
            assert (report.counts, report.problems) == ({}, ())
            assert report.jobs == 1 or not drawn, "it was looked at"
            assert kept(dataset) == before


@pytest.mark.parametrize("field_class", list(SCALARS))
@SETTINGS
@given(data=st.data())
def test_pull__any_edited_value_is_what_cvat_holds(client, sent, field_class, data):
    values = values_of(data, field_class)
    with sent(field_class, values) as (dataset, schema, task):
        (attribute,) = schema.attributes
        before = kept(dataset)
        shapes = sorted(client.task_annotations(task.id).shapes, key=lambda shape: shape.frame)
        frames = [shape.frame for shape in shapes]
        swapped = [
            replace(shape, id=None, frame=frame)
            for shape, frame in zip(shapes, reversed(frames), strict=True)
        ]
        client.put_task_shapes(task.id, swapped)
        report = pull(dataset, "round_1", client, EVERYTHING)
        texts = [attribute.to_text(value) for value in values]
        expected = [
            old if text == new else attribute.to_value(new)
            for old, text, new in zip(values, texts, reversed(texts), strict=True)
        ]
        found = [document["value"] for document in stored(dataset)]
        assert encode({"": found}) == encode({"": expected})
        if report.counts:
            undo_pull(dataset, "round_1")
        assert kept(dataset) == before


@SETTINGS
@given(data=st.data())
def test_pull__any_class_that_is_redrawn_is_pixel_for_pixel_what_cvat_holds(client, sent, data):
    with sent(fo.Segmentation, values_of(data, fo.Segmentation)) as (dataset, _, task):
        before, arrays = kept(dataset), [value.mask.copy() for value in dataset.values("value")]
        numbers = {spec.id: int(spec.name) for spec in task.labels}
        shapes = client.task_annotations(task.id).shapes
        redrawn = data.draw(hnp.arrays(bool, SIZE[::-1]).filter(np.any))
        first = {shape.frame: shape for shape in reversed(shapes)}
        saved = [
            replace(shape, id=None, points=pixels.encode(redrawn))
            if shape is first[shape.frame]
            else replace(shape, id=None)
            for shape in shapes
        ]
        client.put_task_shapes(task.id, saved)
        report = pull(dataset, "round_1", client, EVERYTHING)
        for frame, (old, value) in enumerate(zip(arrays, dataset.values("value"), strict=True)):
            expected = old.copy()
            if frame in first:
                number = numbers[first[frame].label_id]
                expected[old == number] = 0
                expected[redrawn] = number
            assert np.array_equal(value.mask, expected)
        if report.counts:
            undo_pull(dataset, "round_1")
        assert kept(dataset) == before
