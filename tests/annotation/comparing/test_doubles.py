"""Two labels of one image with one id, as from_dict() and merged copies of a field make them."""

from __future__ import annotations

import fiftyone as fo
import pytest

from relabel.annotation import pull, undo_pull
from relabel.labels import MalformedLabel
from tests.annotation.test_round_trip import Annotator, documents, labels_of

pytestmark = pytest.mark.cvat


def double_the_first(dataset):
    """Gives the first sample another label with the id of its first one; returns both."""
    sample = dataset.first()
    labels = sample.ground_truth.detections
    labels.append(fo.Detection.from_dict(labels[0].to_dict()))
    sample.save()
    return labels[0], labels[-1]


def give_the_copy_its_own_id(dataset):
    sample = dataset.first()
    labels = sample.ground_truth.detections
    labels[-1] = labels[-1].copy()
    sample.save()


def test_push__names_the_id_and_sends_nothing(dataset, send):
    original, double = double_the_first(dataset)
    assert original.id == double.id
    before = documents(dataset)
    with pytest.raises(MalformedLabel, match=f"2 labels of one image have the id {original.id}"):
        send()
    assert documents(dataset) == before
    assert dataset.list_annotation_runs() == []


def test_pull__of_an_image_where_there_are_two_meanwhile_loses_neither(dataset, client, send):
    annotator = Annotator(client, send())
    annotator.delete(annotator.on_frame(0)[1])
    annotator.complete()
    double_the_first(dataset)
    before = documents(dataset)
    (problem,) = pull(dataset, "round_1", client).problems
    assert dataset.first().id in problem
    assert documents(dataset) == before
    give_the_copy_its_own_id(dataset)
    assert pull(dataset, "round_1", client).counts == {"removed": 1}
    assert [label["label"] for label in labels_of(dataset, 0)] == ["cat", "cat"]


def test_undo_pull__leaves_an_image_where_there_are_two_since(dataset, client, send):
    annotator = Annotator(client, send())
    for frame in (0, 1):
        annotator.delete(annotator.on_frame(frame)[1])
    annotator.complete()
    pull(dataset, "round_1", client)
    double_the_first(dataset)
    before = documents(dataset)
    report = undo_pull(dataset, "round_1")
    assert report.left == (dataset.first().id,)
    assert documents(dataset)[0] == before[0]
    assert len(labels_of(dataset, 1)) == 2
