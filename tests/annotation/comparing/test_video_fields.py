"""Videos in rounds of all sorts: several at once, several fields, kinds of labels, new frames."""

from __future__ import annotations

from dataclasses import replace

import fiftyone as fo
import pytest

from relabel.annotation import (
    Request,
    RoundField,
    field_facts,
    make_plan,
    pull,
    review_pull,
    undo_pull,
)
from relabel.cvat import JobState, Shape, Track
from tests.annotation.test_video import Annotator, documents, label_named
from tests.videos import write_video

pytestmark = pytest.mark.cvat

FRAMES = 12
SIZE = (64, 48)


def _box(label, frame, index=1, **more):
    return fo.Detection(
        label=label, bounding_box=[0.01 * frame, 0.1, 0.3, 0.37], index=index, **more
    )


@pytest.fixture
def dataset(tmp_path):
    """Two videos; a class has the same name in two fields, and one frame has no document."""
    dataset = fo.Dataset()
    for name in ("one", "two"):
        sample = fo.Sample(filepath=str(write_video(tmp_path / f"{name}.mp4", FRAMES, SIZE)))
        for frame in range(1, FRAMES):
            labels = [_box("car", frame)] if frame > 4 else []
            sample.frames[frame] = fo.Frame(
                gt=fo.Detections(detections=labels) if labels else None,
                model=fo.Detections(
                    detections=[
                        _box("car", frame + 1, confidence=0.5),
                        _box("bus", frame + 2, confidence=0.25),
                    ]
                ),
            )
        dataset.add_sample(sample, dynamic=True)
    yield dataset
    dataset.delete()


def annotators(client, record):
    """One for each job of a round, which are completed at once."""
    found = client.jobs(task.id for task in record.tasks)
    for job in found:
        client.set_job(job.id, state=JobState.COMPLETED)
    return [Annotator(client, job) for job in found]


def timeless(found):
    """Documents without the time of their last change, which an undo moves on."""
    return [{**item, "last_modified_at": None} for item in found]


def car_track(label_id, frame):
    """A track that is drawn on one frame and the next."""
    shapes = (
        Shape("rectangle", frame, label_id, (0, 0, 8, 8)),
        Shape("rectangle", frame + 1, label_id, (4, 4, 12, 12)),
    )
    return Track(label_id, shapes)


def test_undo__deletes_the_documents_that_the_pull_made_for_frames(dataset, client, send):
    record = send(field="frames.gt")
    before = documents(dataset)
    first = annotators(client, record)[0]
    first.add(car_track(label_named(client, record, "car"), FRAMES - 2))
    held = dataset.first().frames
    pull(dataset, record.key, client)
    assert len(documents(dataset)) == len(before) + 1
    assert held[FRAMES].gt.detections[0].label == "car"
    undo_pull(dataset)
    assert timeless(documents(dataset)) == timeless(before)
    assert FRAMES not in dataset.first().frames
    pull(dataset, record.key, client)
    assert dataset.first().frames[FRAMES].gt.detections[0].index == 2


def test_undo__keeps_a_frame_that_something_else_was_written_to(dataset, client, send):
    record = send(field="frames.gt")
    first = annotators(client, record)[0]
    first.add(car_track(label_named(client, record, "car"), FRAMES - 2))
    pull(dataset, record.key, client)
    sample = dataset.first()
    sample.frames[FRAMES]["note"] = "night"
    sample.save()
    undo_pull(dataset)
    frame = dataset.first().frames[FRAMES]
    assert (frame.note, frame.gt) == ("night", None)


OUTLINE = [(0.1, 0.1), (0.4, 0.1), (0.3, 1 / 3)]


def _closed(frame):
    return fo.Polyline(label="lane", points=[OUTLINE], closed=True, filled=True, index=1)


def _open(frame):
    points = [(x + 0.01 * frame, y) for x, y in OUTLINE]
    return fo.Polyline(label="lane", points=[points], index=1)


def _points(frame):
    nan = float("nan")
    points = [(0.1 + 0.01 * frame, 1 / 3), (nan, nan) if frame % 3 else (0.5, 0.5)]
    return fo.Keypoint(label="person", points=points, index=1)


def _point(frame):
    """CVAT joins no tracks of two jobs that are single points."""
    return fo.Keypoint(label="person", points=[(0.1 + 0.01 * frame, 1 / 3)], index=1)


@pytest.mark.parametrize(
    ("holder", "label_at"),
    [
        (lambda labels: fo.Polylines(polylines=labels), _closed),
        (lambda labels: fo.Polylines(polylines=labels), _open),
        (lambda labels: fo.Keypoints(keypoints=labels), _points),
        (lambda labels: fo.Keypoints(keypoints=labels), _point),
    ],
)
def test_other_tracks__come_back_to_the_last_bit(dataset, client, send, holder, label_at):
    for sample in dataset:
        for frame in range(1, FRAMES):
            if frame != 6:
                sample.frames[frame]["other"] = holder([label_at(frame)])
        sample.save()
    before = documents(dataset)
    record = send(field="frames.other", images_per_job=5, overlap=2)
    assert client.task_annotations(record.tasks[0].id).tracks
    annotators(client, record)
    review = review_pull(dataset, record.key, client)
    assert (review.counts, review.remarks) == ({}, ())
    pull(dataset, record.key, client)
    assert str(documents(dataset)) == str(before), "NaN is unlike itself"


def test_review__says_what_cvat_may_draw_otherwise(dataset, client, send):
    sample = dataset.first()
    for frame in (1, 2, 3, 4, 5):
        sample.frames[frame]["other"] = fo.Polylines(polylines=[_open(frame)])
    sample.save()
    record = send(field="frames.other")

    def without_keyframe(track):
        kept = [shape for shape in track.shapes if shape.frame not in {2, 3}]
        return replace(track, shapes=tuple(kept))

    annotators(client, record)[0].edit(without_keyframe)
    remark = (
        "2 of type polyline lie between two keyframes, where CVAT may draw them slightly "
        "otherwise. Make a keyframe of each that has to be exact."
    )
    assert review_pull(dataset, record.key, client).remarks == (remark,)
    assert pull(dataset, record.key, client).problems == (remark,)


def fields_of(dataset, *names):
    return tuple(RoundField(name, field_facts(dataset, name).to_schema()) for name in names)


def moved(track):
    """A track whose first keyframe is elsewhere."""
    first, *others = track.shapes
    return replace(track, shapes=(replace(first, points=(1.0, 2.0, 33.0, 44.0)), *others))


def test_fields__of_several_videos_come_back_each_to_its_own(dataset, client, send):
    before = documents(dataset)
    record = send(field="frames.gt", fields=fields_of(dataset, "frames.gt", "frames.model"))
    assert len(record.tasks) == 2
    names = {label.name for label in record.tasks[1].labels}
    assert names == {"car_frames.gt", "car_frames.model", "bus"}
    car = next(item.id for item in record.tasks[1].labels if item.name == "car_frames.model")
    _, second = annotators(client, record)
    second.edit(lambda track: moved(track) if track.label_id == car else track)
    report = pull(dataset, record.key, client)
    assert (report.counts, report.problems) == ({"moved": 1}, ())
    assert report.sample_ids == (dataset.last().id,)
    label = dataset.last().frames[1].model.detections[0]
    assert label.bounding_box == pytest.approx([1 / 64, 2 / 48, 0.5, 42 / 48])
    assert label.confidence == 0.5
    undo_pull(dataset)
    assert timeless(documents(dataset)) == timeless(before)


def test_start_from__frames_that_have_no_label(dataset, client, send):
    (field,) = fields_of(dataset, "frames.model")
    fields = (replace(field, name="frames.gt", start_from="frames.model"),)
    own, started = 7 * 2, 4 * 2 * 2
    assert make_plan(dataset, Request("round_1", fields)).labels == own + started
    part = Request("round_1", fields, start_frame=2, stop_frame=7, frame_step=2)
    assert make_plan(dataset, part).labels == 2 * 1 + 2 * 2 * 2  # frame 6; frames 2 and 4
    record = send(field="frames.gt", fields=fields)
    assert record.labels == own + started
    before = documents(dataset)
    annotators(client, record)
    report = pull(dataset, record.key, client)
    assert (report.counts, report.problems) == ({"added": started}, ())
    for sample in dataset:
        found = sample.frames[2]
        pairs = list(zip(found.gt.detections, found.model.detections, strict=True))
        assert all(new.bounding_box == old.bounding_box for new, old in pairs)
        assert all(new.id != old.id for new, old in pairs)
        assert [new.confidence for new, _ in pairs] == [0.5, 0.25]
    undo_pull(dataset)
    assert timeless(documents(dataset)) == timeless(before)


def test_plan__says_what_is_known_of_videos_before_they_are_read(dataset):
    plan = make_plan(dataset, Request("round_1", fields_of(dataset, "frames.gt")))
    assert str(plan) == (
        "This sends 2 videos (2 of unknown size) with 14 labels as 2 tasks. The number of jobs "
        "and the time they need are known after reading 2 files."
    )
    known = fo.VideoMetadata(size_bytes=1_000_000, total_frame_count=FRAMES)
    dataset.set_values("metadata", [known, known])
    read = str(make_plan(dataset, Request("round_1", fields_of(dataset, "frames.gt"))))
    assert "as 2 tasks, 2 jobs. Annotators need about" in read
    assert "MB" in read


def test_start_from__fills_a_new_field(dataset, client, send):
    (field,) = fields_of(dataset, "frames.model")
    fields = (replace(field, name="frames.checked", start_from="frames.model"),)
    assert make_plan(dataset, Request("round_1", fields)).labels == 2 * 2 * (FRAMES - 1)
    record = send(field="frames.gt", fields=fields)
    annotators(client, record)
    assert pull(dataset, record.key, client).counts == {"added": 2 * 2 * (FRAMES - 1)}
    for frame in dataset.first().frames.values():
        assert len(frame.checked.detections) == 2


def test_renamed__field_of_frames_is_followed(dataset, client, send):
    record = send(field="frames.gt")
    first, second = annotators(client, record)
    first.edit(moved)
    pull(dataset, record.key, client)
    dataset.rename_frame_field("gt", "truth")
    second.edit(moved)
    assert pull(dataset, record.key, client).counts == {"moved": 1}
    for sample in dataset:
        box = sample.frames[5].truth.detections[0].bounding_box
        assert box == pytest.approx([1 / 64, 2 / 48, 0.5, 42 / 48])
    undo_pull(dataset)
    undo_pull(dataset)
    for sample in dataset:
        assert sample.frames[5].truth.detections[0].bounding_box == [0.05, 0.1, 0.3, 0.37]
    assert not dataset.has_frame_field("gt")
