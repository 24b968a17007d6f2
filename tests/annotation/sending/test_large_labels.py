"""Labels of one image that come near what a document of MongoDB can hold."""

from __future__ import annotations

import math

import fiftyone as fo
import fiftyone.core.odm as foo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from relabel.annotation import EVERYTHING, TooLargeToKeep, pull, undo_pull
from relabel.annotation.record import baseline
from relabel.annotation.record.packing import packed, unpacked
from tests.annotation.desk import Desk
from tests.annotation.stock.stock_rounds import stored

SIZE = 1500


@given(st.lists(st.floats(), max_size=600))
def test_packed__keeps_every_number(numbers):
    back = unpacked(packed(numbers))
    assert len(back) == len(numbers)
    assert all(
        a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(back, numbers, strict=True)
    )


def test_packed__short_lists_stay_readable():
    assert packed((1.0, 2.0)) == (1.0, 2.0)


@pytest.fixture
def noisy(tmp_path):
    """One image with a mask of a million runs: a list of them has 18 MB."""
    Image.new("RGB", (SIZE, SIZE)).save(tmp_path / "noise.png")
    mask = np.random.default_rng(51).random((SIZE, SIZE)) < 0.5
    noise = fo.Detection(label="noise", bounding_box=[0, 0, 1, 1], mask=mask)
    box = fo.Detection(label="box", bounding_box=[0.1, 0.1, 0.2, 0.2])
    dataset = fo.Dataset()
    labels = fo.Detections(detections=[noise, box])
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "noise.png"), ground_truth=labels))
    yield dataset
    dataset.delete()


@pytest.mark.cvat
class TestNoisy:
    @pytest.fixture
    def dataset(self, noisy):
        return noisy

    def test_loop__a_mask_of_a_million_runs(self, dataset, client, send):
        before = stored(dataset)
        desk = Desk(client, send())
        (job,) = desk.jobs()
        shapes = {shape.type: shape for shape in desk.shapes(job)}
        assert len(shapes["mask"].points) > 2**20
        desk.finish(job)
        assert pull(dataset, "round_1", client).counts == {}
        assert stored(dataset) == before
        desk.move(job, shapes["rectangle"])
        assert pull(dataset, "round_1", client).counts == {"moved": 1}
        undo_pull(dataset, "round_1")
        assert [one["ground_truth"] for one in stored(dataset)] == [
            one["ground_truth"] for one in before
        ]


@pytest.mark.cvat
def test_push__what_cannot_be_kept_is_named_before_anything_is_sent(
    dataset, client, send, monkeypatch
):
    last = dataset.last()
    boxes = [fo.Detection(label="cat", bounding_box=[0.1, 0.1, 0.1, 0.1]) for _ in range(50)]
    last.ground_truth.detections += boxes
    last.save()
    monkeypatch.setattr(baseline, "LARGEST_DOCUMENT", 5_000)
    monkeypatch.setattr(client, "create_task", None)
    with pytest.raises(
        TooLargeToKeep, match=f"52 labels of 'ground_truth' in the sample {last.id}"
    ):
        send()
    assert dataset.list_annotation_runs() == []


@pytest.mark.cvat
def test_pull__a_baseline_that_cannot_be_kept_writes_nothing(dataset, client, send, monkeypatch):
    desk = Desk(client, send())
    (job,) = desk.jobs()
    for number in range(50):
        desk.draw(job, 0, points=(1.0, 2.0, 11.0, 12.0 + number / 10))
    before = stored(dataset)
    monkeypatch.setattr(baseline, "LARGEST_DOCUMENT", 5_000)
    with pytest.raises(TooLargeToKeep, match=dataset.first().id):
        pull(dataset, "round_1", client, EVERYTHING)
    assert stored(dataset) == before
    assert foo.get_db_conn()["relabel_rounds"].count_documents({"pulls.writing": True}) == 0
    monkeypatch.undo()
    assert pull(dataset, "round_1", client, EVERYTHING).counts == {"added": 50}
