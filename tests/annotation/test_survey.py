"""What a plan knows of its images is remembered, but never longer than it is true."""

from __future__ import annotations

from relabel.annotation.survey import contents, sample_ids

FIELD = "ground_truth"


def counts(dataset):
    return contents(dataset, sample_ids(dataset), {FIELD: None}).classes[FIELD]


def test_sample_ids__remembers_them(dataset):
    assert sample_ids(dataset) is sample_ids(dataset)


def test_sample_ids__misses_a_deleted_sample(dataset):
    ids = sample_ids(dataset)
    dataset.delete_samples([ids[0]])
    assert sample_ids(dataset) == ids[1:]


def test_contents__sees_an_edit(dataset):
    before = counts(dataset)
    sample = dataset.first()
    label = sample[FIELD].detections[0]
    old, label.label = label.label, "another"
    sample.save()
    assert counts(dataset) == {**before, old: before[old] - 1, "another": 1}


def test_contents__of_a_part(dataset):
    view = dataset.limit(2)
    found = contents(dataset, sample_ids(view), {FIELD: None, "not there yet": None})
    assert found.classes == {
        FIELD: view.count_values(f"{FIELD}.detections.label"),
        "not there yet": {},
    }
    assert found.bytes + found.unsized > 0
