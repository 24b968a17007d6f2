"""What a plan knows of its images is remembered, but never longer than it is true."""

from __future__ import annotations

import fiftyone as fo

from relabel.annotation.dataset.survey import contents, sample_ids

FIELD = "ground_truth"


def counts(dataset):
    return contents(dataset, sample_ids(dataset), {FIELD: None}).classes[FIELD]


def test_sample_ids__remembers_them(dataset):
    assert sample_ids(dataset) is sample_ids(dataset)


def test_sample_ids__remembers_those_of_a_tag(dataset):
    """FiftyOne gives each stage of a view an id, however alike the views are."""
    first, second = (dataset.match_tags(["even"]) for _ in range(2))
    assert sample_ids(first) is sample_ids(second)
    assert sample_ids(first) != sample_ids(dataset.match_tags(["odd"]))


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


def test_contents__sees_an_edit_of_a_frame(tmp_path):
    box = fo.Detection(label="cat", bounding_box=[0, 0, 0.5, 0.5])
    sample = fo.Sample(filepath=str(tmp_path / "video.mp4"))
    sample.frames[1] = fo.Frame(boxes=fo.Detections(detections=[box]))
    videos = fo.Dataset()
    videos.add_sample(sample)
    try:
        assert contents(videos, sample_ids(videos), {"frames.boxes": None}).classes == {
            "frames.boxes": {"cat": 1}
        }
        videos.set_values("frames.boxes.detections.label", [[["dog"]]])
        assert contents(videos, sample_ids(videos), {"frames.boxes": None}).classes == {
            "frames.boxes": {"dog": 1}
        }
    finally:
        videos.delete()
